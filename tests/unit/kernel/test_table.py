# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""The table of system calls: complete, without contradictions, and the document made from it."""
from __future__ import annotations

import inspect
import runpy
from pathlib import Path

import pytest
from tests.unit.kernel.harness import Harness

from skerry.abi.errno import Errno
from skerry.abi.syscalls import START_IMPORTS, SYSCALLS
from skerry.kernel.sys import CALLS
from skerry.kernel.sys.table import ABSENT, TABLE, Call, absent_call

ROOT = Path(__file__).parents[3]
EXTRA = {"pause", "wait4", "close_range"}  # served, though libc's table does not import them


def test_every_call_of_linux_is_decided() -> None:
    decided = TABLE.keys() | ABSENT.keys()
    assert sorted(SYSCALLS.keys() - decided) == []


def test_no_call_is_both_there_and_absent() -> None:
    assert sorted(TABLE.keys() & ABSENT.keys()) == []


def test_nothing_is_entered_that_no_guest_can_import() -> None:
    assert sorted(TABLE.keys() - SYSCALLS.keys() - START_IMPORTS.keys() - EXTRA) == []
    assert sorted(ABSENT.keys() - SYSCALLS.keys()) == []


@pytest.mark.parametrize("name", sorted(TABLE.keys() & (SYSCALLS.keys() | START_IMPORTS.keys())))
def test_arity_matches_the_import(name: str) -> None:
    words = START_IMPORTS[name] if name in START_IMPORTS else SYSCALLS[name][1]
    parameters = list(inspect.signature(TABLE[name].function).parameters.values())[1:]
    if parameters and parameters[-1].kind is inspect.Parameter.VAR_POSITIONAL:
        assert len(parameters) - 1 <= words
    else:
        assert len(parameters) == words


def test_every_call_says_what_it_implements() -> None:
    assert [name for name, call in TABLE.items() if not call.function.__doc__] == []


def test_absent_calls_refuse() -> None:
    assert absent_call("ptrace").function(None, 1, 2, 3, 4) == -Errno.ENOSYS
    assert absent_call("reboot").function(None) == -Errno.EPERM
    h = Harness()
    assert h.kernel.call("linux", "no_such_call") is None
    assert ("skerry", "sigfetch") in CALLS


def test_the_document_is_current() -> None:
    tool = runpy.run_path(str(ROOT / "tools" / "gen_syscalls_md.py"))
    assert (ROOT / "docs" / "syscalls.md").read_text() == tool["document"]()


def test_a_copy_too_large_for_the_host_is_enomem() -> None:
    def greedy(task: object) -> int:
        raise MemoryError

    h = Harness()
    task = h.process()
    assert h.kernel.serve(task, Call("greedy", greedy), ()) == -Errno.ENOMEM
