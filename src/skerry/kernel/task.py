# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Tasks: one thread of execution each, the thing that makes system calls.

Standard: Linux "task"; gettid(2).
Invariant: a task is running in its image exactly when `parked` is None, `deferred` is None
           and it is not dead; the engine's thread that carries it is `thread`.
"""
from __future__ import annotations

from typing import TYPE_CHECKING

from skerry.kernel.usermem import UserMemory

if TYPE_CHECKING:
    from skerry.kernel.kernel import Kernel
    from skerry.kernel.process import Process
    from skerry.kernel.sched import Parked
    from skerry.kernel.signal import Pending


class Task:
    """One thread of a process."""

    __slots__ = (
        "acting", "alt_stack", "awaited", "clear_child_tid", "dead", "deferred", "doomed", "flag",
        "kernel", "mask", "mem", "name", "parked", "pending", "process", "robust_list", "saved_mask",
        "thread", "tid", "vfork_parent",
    )  # fmt: skip

    def __init__(
        self, kernel: Kernel, tid: int, process: Process, mem: UserMemory, thread: int, mask: int = 0
    ) -> None:
        self.kernel = kernel
        self.tid = tid
        self.process = process
        self.mem = mem
        self.thread = thread  # the engine thread that carries it: its own tid, or its parent's after vfork

        # signals
        self.mask = mask
        self.saved_mask: int | None = None  # to restore after the handler: sigsuspend, ppoll, pselect
        self.pending: list[Pending] = []
        self.awaited: int = 0  # signals sigtimedwait wants; not delivered to handlers meanwhile
        self.flag: int = 0  # address of the word libc tests after each call; 0: none yet

        # waiting
        self.parked: Parked | None = None
        self.deferred: int | None = None  # result held back while the process is stopped
        self.acting: Task | None = None  # the vfork child that speaks through this thread
        self.dead: bool = False
        self.doomed: int = 0  # signal a vfork child will die of once its parent has its thread back

        # thread details
        self.name: bytes = b""  # at most 15 bytes, PR_SET_NAME
        self.clear_child_tid: int = 0  # futex to wake at exit, CLONE_CHILD_CLEARTID
        self.robust_list: int = 0
        self.alt_stack: tuple[int, int, int] = (0, 2, 0)  # sp, SS_DISABLE, size: kept, never used
        self.vfork_parent: Task | None = None
