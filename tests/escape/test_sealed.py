# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""A sealed process cannot reach out, even when none of our Python stands in the way.

Each act is a raw system call of the host. It runs in two fresh interpreters: unsealed, where it must
work (so the test can fail), and after `seal.seal`, where the operating system must kill the process
or refuse. The processes have nothing but descriptor 0.
"""

from __future__ import annotations

import os
import platform
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from skerry.box import seccomp

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="seccomp is Linux")

SOURCE = str(Path(seccomp.__file__).parents[2])

HARNESS = r"""
import sys, os
sys.path.insert(0, {source!r})
import ctypes, platform, signal, socket
from skerry.box import seal
libc = ctypes.CDLL(None, use_errno=True)
X86 = platform.machine() == "x86_64"

def call(number, *args):
    # A raw system call; -errno like the kernel itself.
    if number is None:
        raise NotImplementedError
    words = [ctypes.c_long(a) if isinstance(a, int) else a for a in args]
    result = libc.syscall(ctypes.c_long(number), *words)
    return -ctypes.get_errno() if result == -1 else result

def split(result):
    # In a child: end. In the parent: the result.
    return os._exit(0) if result == 0 else result

def address(result):
    # mmap's result as success or -errno.
    return result if -4096 < result < 0 else 0

parent = os.getppid()
path = ctypes.create_string_buffer(b"/etc/passwd")
program = ctypes.create_string_buffer(b"/bin/true")
here = ctypes.create_string_buffer(b"/tmp")
room = ctypes.create_string_buffer(4096)
none = ctypes.c_void_p(None)
{prepare}
def act():
{act}
if {sealed}:
    sys.stdin = sys.stdout = sys.stderr = None
    seal.close_others(0)
    seal.limit(8 << 30)
    reason = seal.seal(0)
    if reason:
        os.write(0, b"unsealed " + reason.encode())
        os._exit(3)
os.write(0, b"ready ")
os.write(0, str(act()).encode())
os._exit(0)
"""

# name: (numbers on x86_64 and elsewhere, lines before, the act as an expression of `n`)
# An act returns what the call returned: >= 0 is success.
ACTS: dict[str, tuple[tuple[int | None, int | None], str, str]] = {
    "open a file": ((2, None), "", "call(n, path, 0, 0)"),
    "openat a file": ((257, 56), "", "call(n, -100, path, 0, 0)"),
    "openat2 a file": ((437, 437), "how = (ctypes.c_uint64 * 3)()", "call(n, -100, path, how, 24)"),
    "create a file": ((257, 56), "name = ctypes.create_string_buffer(b'/tmp/skerry-escape-%d' % os.getpid())",
                      "call(n, -100, name, 0o102, 0o600)"),
    "read the host's environment": ((257, 56), "env = ctypes.create_string_buffer(b'/proc/%d/environ' % parent)",
                                    "call(n, -100, env, 0, 0)"),
    "read our own memory map": ((257, 56), "maps = ctypes.create_string_buffer(b'/proc/self/maps')",
                                "call(n, -100, maps, 0, 0)"),
    "stat a file": ((262, 79), "", "call(n, -100, path, room, 0)"),
    "statx a file": ((332, 291), "", "call(n, -100, path, 0, 0x7ff, room)"),
    "see whether a file exists": ((269, 48), "", "call(n, -100, path, 0)"),
    "list a directory": ((217, 61), "folder = os.open('/tmp', os.O_RDONLY)", "call(n, folder, room, 4096)"),
    "change directory": ((80, 49), "", "call(n, here)"),
    "chroot": ((161, 51), "", "call(n, here)"),
    "unlink a file": ((263, 35), ("open('/tmp/skerry-unlink-%d' % os.getpid(), 'w').close();"
                      " name = ctypes.create_string_buffer(b'/tmp/skerry-unlink-%d' % os.getpid())"),
                      "call(n, -100, name, 0)"),
    "make a symbolic link": ((266, 36), "name = ctypes.create_string_buffer(b'/tmp/skerry-link-%d' % os.getpid())",
                             "call(n, path, -100, name)"),
    "internet socket": ((41, 198), "", "call(n, 2, 1, 0)"),
    "unix socket": ((41, 198), "", "call(n, 1, 1, 0)"),
    "netlink socket": ((41, 198), "", "call(n, 16, 3, 0)"),
    "vsock socket": ((41, 198), "", "call(n, 40, 1, 0)"),
    "socket pair": ((53, 199), "", "call(n, 1, 1, 0, room)"),
    "send a descriptor": ((46, 211),
        ("import struct; payload = ctypes.create_string_buffer(b' ');"
        " vector = ctypes.create_string_buffer(struct.pack('PN', ctypes.addressof(payload), 1));"
        " control = ctypes.create_string_buffer(struct.pack('Niii', 20, 1, 1, 0) + bytes(4));"
        " header = ctypes.create_string_buffer(struct.pack('PIxxxxPNPNi', 0, 0, ctypes.addressof(vector), 1,"
        " ctypes.addressof(control), 24, 0) + bytes(4))"),
        "call(n, 0, header, 0)"),
    "receive a descriptor": ((47, 212), "header = ctypes.create_string_buffer(56)", "call(n, 0, header, 0x40) + 11"),
    "use another descriptor": ((1, 64), "other = os.open('/dev/null', os.O_WRONLY)", "call(n, other, path, 1)"),
    "duplicate a descriptor": ((32, 23), "", "call(n, 0)"),
    "make a pipe": ((293, 59), "", "call(n, room, 0)"),
    "make an eventfd": ((290, 19), "", "call(n, 0, 0)"),
    "make an epoll": ((291, 20), "", "call(n, 0)"),
    "anonymous file (memfd)": ((319, 279), "", "call(n, path, 0)"),
    "map a file": ((9, 222), "file = os.open('/etc/passwd', os.O_RDONLY)", "address(call(n, 0, 4096, 1, 2, file, 0))"),
    "run a program": ((59, 221), "arguments = (ctypes.c_void_p * 2)(ctypes.addressof(program), None)",
                      "call(n, program, arguments, none)"),
    "run a program by descriptor": ((322, 281), ("file = os.open('/bin/true', os.O_PATH);"
        " empty = ctypes.create_string_buffer(b''); arguments = (ctypes.c_void_p * 2)(ctypes.addressof(program), None)"),
        "call(n, file, empty, arguments, none, 0x1000)"),
    "fork": ((56, 220), "", "split(call(n, 17, 0, 0, 0, 0))"),
    "vfork": ((58, None), "", "0 if os.WIFEXITED(os.waitpid(os.posix_spawn('/bin/true', ['true'], {{}}), 0)[1]) else -1"),
    "new namespaces by clone": ((56, 220), "", "split(call(n, 0x10000000 | 17, 0, 0, 0, 0))"),
    "clone3": ((435, 435), "import struct; spec = ctypes.create_string_buffer(struct.pack('8Q', 0, 0, 0, 0, 17, 0, 0, 0))",
               "split(call(n, spec, 64))"),
    "leave for new namespaces": ((272, 97), "", "call(n, 0x10000000)"),
    "trace the parent": ((101, 117), "", "call(n, 16, victim, 0, 0)"),
    "read another process": ((310, 270),
        ("import struct; local = ctypes.create_string_buffer(struct.pack('PN', ctypes.addressof(room), 8));"
        " remote = ctypes.create_string_buffer(struct.pack('PN', ctypes.addressof(path), 8))"),
        "call(n, victim, local, 1, remote, 1, 0)"),
    "write another process": ((311, 271),
        ("import struct; local = ctypes.create_string_buffer(struct.pack('PN', ctypes.addressof(room), 8));"
        " remote = ctypes.create_string_buffer(struct.pack('PN', ctypes.addressof(room), 8))"),
        "call(n, victim, local, 1, remote, 1, 0)"),
    "signal the parent": ((62, 129), "", "call(n, parent, 0)"),
    "signal a thread of the parent": ((234, 131), "", "call(n, parent, parent, 0)"),
    "tkill the parent": ((200, 130), "", "call(n, parent, 0)"),
    "descriptor of a process": ((434, 434), "", "call(n, parent, 0)"),
    "send a queued signal": ((129, 138), "import struct; info = ctypes.create_string_buffer(struct.pack('iii', 0, 0, -1) + bytes(116))",
                             "call(n, os.getpid(), 0, info)"),
    "io_uring": ((425, 425), "", "call(n, 4, room)"),
    "aio": ((206, 0), "", "call(n, 1, room)"),
    "mount": ((165, 40), ("kind = ctypes.create_string_buffer(b'tmpfs'); where = ctypes.create_string_buffer(b'/mnt');"
              " libc.unshare(0x20000)"), "call(n, kind, where, kind, 0, none)"),
    "open_tree": ((428, 428), "", "call(n, -100, here, 1)"),
    "bpf": ((321, 280), "import struct; spec = ctypes.create_string_buffer(struct.pack('4I', 2, 4, 4, 1) + bytes(104))",
            "call(n, 0, spec, 120)"),
    "perf events": ((298, 241), "import struct; spec = ctypes.create_string_buffer(struct.pack('IIQ', 1, 112, 0) + bytes(96))",
                    "call(n, spec, 0, -1, -1, 0)"),
    "userfaultfd": ((323, 282), "", "call(n, 1)"),
    "keys": ((248, 217), "kind = ctypes.create_string_buffer(b'user'); name = ctypes.create_string_buffer(b'skerry')",
             "call(n, kind, name, room, 4, -2)"),
    "shared memory segment": ((29, 194), "", "call(n, 0, 4096, 0o1600)"),
    "message queue": ((68, 186), "", "call(n, 0, 0o1600)"),
    "set the host's clock": ((227, 112), "import struct, time; now = ctypes.create_string_buffer(struct.pack('qq', int(time.time()), 0))",
                             "call(n, 9999, now) + 22"),
    "another user": ((105, 146), "", "call(n, os.getuid())"),
    "raise a limit": ((302, 261), "", "call(n, 0, 7, none, room)"),
    "limits of another process": ((302, 261), "", "call(n, parent, 7, none, room)"),
    "processor affinity": ((203, 122), "call(204 if X86 else 123, 0, 128, room)", "call(n, 0, 128, room)"),
    "another filter": ((317, 277), "", "call(n, 2, 0, room)"),
    "become dumpable": ((157, 167), "", "call(n, 4, 1, 0, 0, 0)"),
    "control a terminal": ((16, 29), "", "call(n, 0, 0x541B, room)"),
    "inotify": ((294, 26), "", "call(n, 0)"),
    "landlock": ((444, 444), "", "call(n, none, 0, 1)"),
    "personality": ((135, 92), "", "call(n, 0xffffffff)"),
    "reboot": ((169, 142), "", "call(n, 0, 0, 0, none) + 22"),
    "name of the machine": ((63, 160), "", "call(n, room)"),
    "x32 call": ((0x40000027, None), "", "call(39) and 0 if not SEALED else call(n)"),
}  # fmt: skip

VICTIM = "victim = os.posix_spawn('/bin/sleep', ['sleep', '5'], {}, file_actions=[(os.POSIX_SPAWN_CLOSE, 0)])\n"


def attempt(name: str, sealed: bool) -> tuple[int, bytes]:
    """Run an act; returns the wait status and what came through the descriptor."""
    (x86, generic), prepare, act = ACTS[name]
    number = x86 if platform.machine() == "x86_64" else generic
    if number is None:
        pytest.skip("this machine has no such call")
    prepare = f"SEALED = {sealed}\nn = {number}\n" + (VICTIM if "victim" in act else "") + prepare
    code = HARNESS.format(
        source=SOURCE, prepare=prepare, sealed=sealed, act="    return " + act.replace("{{}}", "{}")
    )
    if "remote" in prepare:  # read from ourselves unsealed: the call is what counts
        code = code.replace("victim,", "os.getpid(),")
    ours, theirs = socket.socketpair()
    with ours, theirs:
        with subprocess.Popen([sys.executable, "-I", "-S", "-c", code], stdin=theirs.fileno(), env={}) as process:
            theirs.close()
            ours.settimeout(30)
            answer = b""
            try:
                while part := ours.recv(4096):
                    answer += part
            except ConnectionResetError:
                pass
            return process.wait(), answer


@pytest.mark.parametrize("name", ACTS)
def test_act_is_refused(name: str) -> None:
    status, answer = attempt(name, sealed=False)
    if answer.startswith(b"ready -"):
        pytest.skip(f"this host itself refuses: {os.strerror(-int(answer[6:]))}")
    assert status == 0, answer
    if answer != b"ready ":  # an execve that worked says nothing more
        assert int(answer.removeprefix(b"ready ")) >= 0
    status, answer = attempt(name, sealed=True)
    assert answer.startswith(b"ready "), answer
    if status == 0:
        assert answer.startswith(b"ready -"), f"{name} worked in a sealed process: {answer!r}"
    else:
        assert status == -signal.SIGSYS, f"{name}: status {status}, {answer!r}"


def test_machine_code_of_another_architecture_is_refused() -> None:
    """int 0x80 enters the kernel by the 32-bit table, where every number means another call."""
    if platform.machine() != "x86_64":
        pytest.skip("x86_64 only")
    ACTS["int 0x80"] = (
        (39, None),
        ("import mmap; page = mmap.mmap(-1, 4096, prot=7);"
        " page.write(bytes([0xB8, 20, 0, 0, 0, 0xCD, 0x80, 0xC3]));"
        " enter = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))"),
        "enter() and 0",
    )
    try:
        test_act_is_refused("int 0x80")
    finally:
        del ACTS["int 0x80"]


def test_what_must_work_still_works() -> None:
    """Memory, threads, time, randomness and the one descriptor."""
    ACTS["live"] = (
        (39, 172),
        "import threading, time, mmap",
        ("(lambda t: (t.start(), t.join(), time.time(), time.sleep(0.001), os.urandom(8), bytearray(50 << 20),"
        " mmap.mmap(-1, 1 << 20)) and 0)(threading.Thread(target=lambda: sum(range(100000))))"),
    )
    try:
        assert attempt("live", sealed=True) == (0, b"ready 0")
    finally:
        del ACTS["live"]
