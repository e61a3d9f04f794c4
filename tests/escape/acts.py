# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""What a sealed process might try, as raw system calls of the host.

`before` is done first, unsealed; `act` is an expression of `n`, the call's number here, whose value is
the call's result: negative is an errno. The names it may use are those of harness.py.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Act:
    """One attempt: numbers on x86_64 and in the generic table (None: there is no such call)."""

    name: str
    x86_64: int | None
    generic: int | None
    act: str
    before: tuple[str, ...] = ()


ACTS = (
    Act(
        "open a file",
        2,
        None,
        "call(n, path, 0, 0)",
    ),
    Act(
        "openat a file",
        257,
        56,
        "call(n, -100, path, 0, 0)",
    ),
    Act(
        "openat2 a file",
        437,
        437,
        "call(n, -100, path, how, 24)",
        ("how = (ctypes.c_uint64 * 3)()",),
    ),
    Act(
        "create a file",
        257,
        56,
        "call(n, -100, name, 0o102, 0o600)",
        ("name = ctypes.create_string_buffer(b'/tmp/skerry-escape-%d' % os.getpid())",),
    ),
    Act(
        "read the host's environment",
        257,
        56,
        "call(n, -100, env, 0, 0)",
        ("env = ctypes.create_string_buffer(b'/proc/%d/environ' % parent)",),
    ),
    Act(
        "read our own memory map",
        257,
        56,
        "call(n, -100, maps, 0, 0)",
        ("maps = ctypes.create_string_buffer(b'/proc/self/maps')",),
    ),
    Act(
        "stat a file",
        262,
        79,
        "call(n, -100, path, room, 0)",
    ),
    Act(
        "statx a file",
        332,
        291,
        "call(n, -100, path, 0, 0x7ff, room)",
    ),
    Act(
        "see whether a file exists",
        269,
        48,
        "call(n, -100, path, 0)",
    ),
    Act(
        "list a directory",
        217,
        61,
        "call(n, folder, room, 4096)",
        ("folder = os.open('/tmp', os.O_RDONLY)",),
    ),
    Act(
        "change directory",
        80,
        49,
        "call(n, here)",
    ),
    Act(
        "chroot",
        161,
        51,
        "call(n, here)",
    ),
    Act(
        "unlink a file",
        263,
        35,
        "call(n, -100, name, 0)",
        (
            "open('/tmp/skerry-unlink-%d' % os.getpid(), 'w').close()",
            "name = ctypes.create_string_buffer(b'/tmp/skerry-unlink-%d' % os.getpid())",
        ),
    ),
    Act(
        "make a symbolic link",
        266,
        36,
        "call(n, path, -100, name)",
        ("name = ctypes.create_string_buffer(b'/tmp/skerry-link-%d' % os.getpid())",),
    ),
    Act(
        "internet socket",
        41,
        198,
        "call(n, 2, 1, 0)",
    ),
    Act(
        "unix socket",
        41,
        198,
        "call(n, 1, 1, 0)",
    ),
    Act(
        "netlink socket",
        41,
        198,
        "call(n, 16, 3, 0)",
    ),
    Act(
        "vsock socket",
        41,
        198,
        "call(n, 40, 1, 0)",
    ),
    Act(
        "socket pair",
        53,
        199,
        "call(n, 1, 1, 0, room)",
    ),
    Act(
        "send a descriptor",
        46,
        211,
        "call(n, 0, header, 0)",
        (
            "import struct",
            "payload = ctypes.create_string_buffer(b' ')",
            "vector = ctypes.create_string_buffer(struct.pack('PN', ctypes.addressof(payload), 1))",
            "control = ctypes.create_string_buffer(struct.pack('Niii', 20, 1, 1, 0) + bytes(4))",
            "parts = (0, 0, ctypes.addressof(vector), 1, ctypes.addressof(control), 24, 0)",
            "header = ctypes.create_string_buffer(struct.pack('PIxxxxPNPNi', *parts) + bytes(4))",
        ),
    ),
    Act(
        "receive a descriptor",
        47,
        212,
        "call(n, 0, header, 0x40) + 11",
        ("header = ctypes.create_string_buffer(56)",),
    ),
    Act(
        "use another descriptor",
        1,
        64,
        "call(n, other, path, 1)",
        ("other = os.open('/dev/null', os.O_WRONLY)",),
    ),
    Act(
        "duplicate a descriptor",
        32,
        23,
        "call(n, 0)",
    ),
    Act(
        "make a pipe",
        293,
        59,
        "call(n, room, 0)",
    ),
    Act(
        "make an eventfd",
        290,
        19,
        "call(n, 0, 0)",
    ),
    Act(
        "make an epoll",
        291,
        20,
        "call(n, 0)",
    ),
    Act(
        "anonymous file (memfd)",
        319,
        279,
        "call(n, path, 0)",
    ),
    Act(
        "map a file",
        9,
        222,
        "address(call(n, 0, 4096, 1, 2, file, 0))",
        ("file = os.open('/etc/passwd', os.O_RDONLY)",),
    ),
    Act(
        "run a program",
        59,
        221,
        "call(n, program, arguments, none)",
        ("arguments = (ctypes.c_void_p * 2)(ctypes.addressof(program), None)",),
    ),
    Act(
        "run a program by descriptor",
        322,
        281,
        "call(n, file, empty, arguments, none, 0x1000)",
        (
            "file = os.open('/bin/true', os.O_PATH)",
            "empty = ctypes.create_string_buffer(b'')",
            "arguments = (ctypes.c_void_p * 2)(ctypes.addressof(program), None)",
        ),
    ),
    Act(
        "fork",
        56,
        220,
        "split(call(n, 17, 0, 0, 0, 0))",
    ),
    Act(
        "vfork",
        58,
        None,
        "0 if os.WIFEXITED(os.waitpid(os.posix_spawn('/bin/true', ['true'], {}), 0)[1]) else -1",
    ),
    Act(
        "new namespaces by clone",
        56,
        220,
        "split(call(n, 0x10000000 | 17, 0, 0, 0, 0))",
    ),
    Act(
        "clone3",
        435,
        435,
        "split(call(n, spec, 64))",
        (
            "import struct",
            "spec = ctypes.create_string_buffer(struct.pack('8Q', 0, 0, 0, 0, 17, 0, 0, 0))",
        ),
    ),
    Act(
        "leave for new namespaces",
        272,
        97,
        "call(n, 0x10000000)",
    ),
    Act(
        "trace the parent",
        101,
        117,
        "call(n, 16, victim, 0, 0)",
    ),
    Act(
        "read another process",
        310,
        270,
        "call(n, os.getpid(), local, 1, remote, 1, 0)",
        (
            "import struct",
            "local = ctypes.create_string_buffer(struct.pack('PN', ctypes.addressof(room), 8))",
            "remote = ctypes.create_string_buffer(struct.pack('PN', ctypes.addressof(path), 8))",
        ),
    ),
    Act(
        "write another process",
        311,
        271,
        "call(n, os.getpid(), local, 1, remote, 1, 0)",
        (
            "import struct",
            "local = ctypes.create_string_buffer(struct.pack('PN', ctypes.addressof(room), 8))",
            "remote = ctypes.create_string_buffer(struct.pack('PN', ctypes.addressof(room), 8))",
        ),
    ),
    Act(
        "signal the parent",
        62,
        129,
        "call(n, parent, 0)",
    ),
    Act(
        "signal a thread of the parent",
        234,
        131,
        "call(n, parent, parent, 0)",
    ),
    Act(
        "tkill the parent",
        200,
        130,
        "call(n, parent, 0)",
    ),
    Act(
        "descriptor of a process",
        434,
        434,
        "call(n, parent, 0)",
    ),
    Act(
        "send a queued signal",
        129,
        138,
        "call(n, os.getpid(), 0, info)",
        (
            "import struct",
            "info = ctypes.create_string_buffer(struct.pack('iii', 0, 0, -1) + bytes(116))",
        ),
    ),
    Act(
        "io_uring",
        425,
        425,
        "call(n, 4, room)",
    ),
    Act(
        "aio",
        206,
        0,
        "call(n, 1, room)",
    ),
    Act(
        "mount",
        165,
        40,
        "call(n, kind, where, kind, 0, none)",
        (
            "kind = ctypes.create_string_buffer(b'tmpfs')",
            "where = ctypes.create_string_buffer(b'/mnt')",
            "libc.unshare(0x20000)",
        ),
    ),
    Act(
        "open_tree",
        428,
        428,
        "call(n, -100, here, 1)",
    ),
    Act(
        "bpf",
        321,
        280,
        "call(n, 0, spec, 120)",
        (
            "import struct",
            "spec = ctypes.create_string_buffer(struct.pack('4I', 2, 4, 4, 1) + bytes(104))",
        ),
    ),
    Act(
        "perf events",
        298,
        241,
        "call(n, spec, 0, -1, -1, 0)",
        (
            "import struct",
            "spec = ctypes.create_string_buffer(struct.pack('IIQ', 1, 112, 0) + bytes(96))",
        ),
    ),
    Act(
        "userfaultfd",
        323,
        282,
        "call(n, 1)",
    ),
    Act(
        "keys",
        248,
        217,
        "call(n, kind, name, room, 4, -2)",
        (
            "kind = ctypes.create_string_buffer(b'user')",
            "name = ctypes.create_string_buffer(b'skerry')",
        ),
    ),
    Act(
        "shared memory segment",
        29,
        194,
        "call(n, 0, 4096, 0o1600)",
    ),
    Act(
        "message queue",
        68,
        186,
        "call(n, 0, 0o1600)",
    ),
    Act(
        "set the host's clock",
        227,
        112,
        "call(n, 9999, now) + 22",
        (
            "import struct, time",
            "now = ctypes.create_string_buffer(struct.pack('qq', int(time.time()), 0))",
        ),
    ),
    Act(
        "another user",
        105,
        146,
        "call(n, os.getuid())",
    ),
    Act(
        "raise a limit",
        302,
        261,
        "call(n, 0, 7, none, room)",
    ),
    Act(
        "limits of another process",
        302,
        261,
        "call(n, parent, 7, none, room)",
    ),
    Act(
        "processor affinity",
        203,
        122,
        "call(n, 0, 128, room)",
        ("call(204 if X86 else 123, 0, 128, room)",),
    ),
    Act(
        "another filter",
        317,
        277,
        "call(n, 2, 0, room)",
    ),
    Act(
        "become dumpable",
        157,
        167,
        "call(n, 4, 1, 0, 0, 0)",
    ),
    Act(
        "control a terminal",
        16,
        29,
        "call(n, 0, 0x541B, room)",
    ),
    Act(
        "inotify",
        294,
        26,
        "call(n, 0)",
    ),
    Act(
        "landlock",
        444,
        444,
        "call(n, none, 0, 1)",
    ),
    Act(
        "personality",
        135,
        92,
        "call(n, 0xffffffff)",
    ),
    Act(
        "reboot",
        169,
        142,
        "call(n, 0, 0, 0, none) + 22",
    ),
    Act(
        "name of the machine",
        63,
        160,
        "call(n, room)",
    ),
    Act(
        "x32 call",
        1073741863,
        None,
        "call(39) and 0 if not SEALED else call(n)",
    ),
)

FOREIGN_CODE = Act(
    "enter the kernel by its 32-bit table",  # int 0x80: every number means another call there
    39,
    None,
    "enter() and 0",
    (
        "import mmap",
        "page = mmap.mmap(-1, 4096, prot=7)",
        "page.write(bytes([0xB8, 20, 0, 0, 0, 0xCD, 0x80, 0xC3]))",
        "enter = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))",
    ),
)

LIVING = Act(  # what must work: threads, time, randomness, memory, executable memory too
    "live",
    39,
    172,
    "live()",
    (
        "import mmap, threading, time",
        "def live():",
        "    thread = threading.Thread(target=lambda: sum(range(100000)))",
        "    thread.start(); thread.join(); time.sleep(0.001)",
        "    os.urandom(8); bytearray(50 << 20); mmap.mmap(-1, 1 << 20, prot=7)",
        "    return 0",
    ),
)
