# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Tasks: one thread of execution each, the thing that makes system calls.

Standard: Linux "task"; gettid(2).
Invariant: a task is running in its image exactly when `parked` is None, `deferred` is None
           and it is not dead; the engine's thread that carries it is `thread`.
"""
from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from skerry.kernel.usermem import UserMemory

if TYPE_CHECKING:
    from skerry.kernel.kernel import Kernel
    from skerry.kernel.process import Process
    from skerry.kernel.sched import Parked
    from skerry.kernel.signal import Pending


@dataclass(slots=True, eq=False)
class Task:
    """One thread of a process."""

    kernel: Kernel
    tid: int
    process: Process
    mem: UserMemory
    thread: int  # the engine thread that carries it: its own tid, or its parent's after vfork

    # signals
    mask: int = 0
    saved_mask: int | None = None  # to restore after the handler: sigsuspend, ppoll, pselect
    pending: list[Pending] = field(default_factory=list)
    awaited: int = 0  # signals sigtimedwait wants; not delivered to handlers meanwhile
    flag: int = 0  # address of the word libc tests after each call; 0: none yet

    # waiting
    parked: Parked | None = None
    deferred: int | None = None  # result held back while the process is stopped
    acting: Task | None = None  # the vfork child that speaks through this thread
    dead: bool = False
    doomed: int = 0  # signal a vfork child will die of once its parent has its thread back

    # thread details
    name: bytes = b""  # at most 15 bytes, PR_SET_NAME
    clear_child_tid: int = 0  # futex to wake at exit, CLONE_CHILD_CLEARTID
    robust_list: int = 0
    alt_stack: tuple[int, int, int] = (0, 2, 0)  # sp, SS_DISABLE, size: kept, never used
    vfork_parent: Task | None = None
