# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""sendmsg and recvmsg, alone and many at once: scattered data, files, credentials.

Standard: POSIX.1-2024 sendmsg(), recvmsg(); cmsg(3), unix(7); structures as in abi/socket.py.
Errors:   EINVAL for control data that does not add up, EBADF for a file that is not open,
          EPERM for credentials that are not the sender's.
"""
from __future__ import annotations

from struct import iter_unpack, pack

from skerry.abi import socket as s
from skerry.abi.errno import Errno
from skerry.abi.errors import SysError
from skerry.abi.limits import IOV_MAX
from skerry.kernel.ancillary import Ancillary, Ucred
from skerry.kernel.ancillary import collect as collect_garbage
from skerry.kernel.file import File
from skerry.kernel.socket import Received, Socket
from skerry.kernel.sys.poll import deadline
from skerry.kernel.sys.sockmem import socket_of
from skerry.kernel.sys.table import syscall
from skerry.kernel.task import Task
from skerry.kernel.wait import Step

CONTROL_MAX = 20_480  # /proc/sys/net/core/optmem_max
HEADER = s.CMSGHDR.size


class Message:
    """struct msghdr, read out of guest memory."""

    __slots__ = ("address", "control", "control_size", "name", "name_size", "parts")

    def __init__(self, task: Task, address: int) -> None:
        self.address = address
        name, name_size, iov, count, control, control_size, _ = task.mem.unpack(s.MSGHDR, address)
        if name_size > 0x7FFFFFFF:
            raise SysError(Errno.EINVAL)
        if count > IOV_MAX:
            raise SysError(Errno.EMSGSIZE)
        self.name = name
        self.name_size = min(name_size, s.SOCKADDR_MAX) if name else 0
        self.parts = task.mem.iovecs(iov, count) if count else []
        self.control = control
        self.control_size = control_size if control else 0

    def gather(self, task: Task) -> bytes:
        """The data to send."""
        return b"".join([task.mem.read(address, size) for address, size in self.parts])

    @property
    def size(self) -> int:
        """The room for data."""
        return sum(size for _, size in self.parts)


# --- sending


@syscall(restart=True, missing="MSG_OOB is EOPNOTSUPP; control data of IP is ignored")
def sendmsg(task: Task, fd: int, address: int, flags: int) -> int | Step[int]:
    """Implements sendmsg(2)."""
    return _send(task, socket_of(task, fd), Message(task, address), flags)


def _send(task: Task, socket: Socket, message: Message, flags: int) -> int | Step[int]:
    destination = task.mem.read(message.name, message.name_size)
    data = message.gather(task)
    ancillary = _outgoing(task, socket, message)
    return socket.send(task, data, flags, destination, ancillary)


def _outgoing(task: Task, socket: Socket, message: Message) -> Ancillary | None:
    """Read the control data of a message to be sent."""
    if not message.control_size:
        return None
    if message.control_size > CONTROL_MAX:
        raise SysError(Errno.ENOBUFS)
    files: list[File] = []
    cred: Ucred | None = None
    for level, kind, payload in _records(task.mem.read(message.control, message.control_size)):
        if level != s.SOL_SOCKET or socket.family != s.AF_UNIX:
            continue
        if kind == s.SCM_RIGHTS:
            files += [task.process.fds.get(fd) for (fd,) in iter_unpack("<i", payload[: len(payload) & ~3])]
        elif kind == s.SCM_CREDENTIALS and len(payload) == s.UCRED.size:
            cred = _check_cred(task, payload)
        else:
            raise SysError(Errno.EINVAL)
    if len(files) > s.SCM_MAX_FD:
        raise SysError(Errno.EINVAL)
    if files:
        collect_garbage(task.kernel.network)
    return Ancillary(task.kernel.network, tuple(files), cred) if files or cred else None


def _records(control: bytes) -> list[tuple[int, int, bytes]]:
    """Split control data into (level, type, payload)."""
    found = []
    offset = 0
    while offset + HEADER <= len(control):
        size, level, kind = s.CMSGHDR.unpack_from(control, offset)
        if size < HEADER or offset + size > len(control):
            raise SysError(Errno.EINVAL)
        found.append((level, kind, control[offset + HEADER : offset + size]))
        offset += size + 3 & ~3
    return found


def _check_cred(task: Task, payload: bytes) -> Ucred:
    """Credentials somebody wants to be seen with: their own, unless they are root."""
    pid, uid, gid = s.UCRED.unpack(payload)
    process, cred = task.process, task.process.cred
    own_uid = uid in (cred.uid, cred.euid, cred.suid)
    own_gid = gid in (cred.gid, cred.egid, cred.sgid)
    if cred.euid != 0 and not (pid == process.pid and own_uid and own_gid):
        raise SysError(Errno.EPERM)
    return pid, uid, gid


@syscall(restart=True)
def sendmmsg(task: Task, fd: int, vector: int, count: int, flags: int) -> Step[int]:
    """Implements sendmmsg(2)."""
    return _send_many(task, socket_of(task, fd), vector, min(count & 0xFFFFFFFF, IOV_MAX), flags)


def _send_many(task: Task, socket: Socket, vector: int, count: int, flags: int) -> Step[int]:
    done = 0
    try:
        while done < count:
            address = vector + done * s.MMSGHDR_SIZE
            sent = _send(task, socket, Message(task, address), flags)
            size = sent if isinstance(sent, int) else (yield from sent)
            task.mem.put_u32(address + s.MSGHDR.size, size)
            done += 1
    except SysError:
        if not done:
            raise
    return done


# --- receiving


@syscall(restart=True)
def recvmsg(task: Task, fd: int, address: int, flags: int) -> int | Step[int]:
    """Implements recvmsg(2)."""
    socket = socket_of(task, fd)
    message = Message(task, address)
    received = socket.receive(task, message.size, flags)
    if isinstance(received, Received):
        return _deliver(task, socket, message, received, flags)
    return _recvmsg_later(task, socket, message, received, flags)


def _recvmsg_later(
    task: Task, socket: Socket, message: Message, step: Step[Received], flags: int
) -> Step[int]:
    return _deliver(task, socket, message, (yield from step), flags)


def _deliver(task: Task, socket: Socket, message: Message, received: Received, flags: int) -> int:
    """Write everything a message brought."""
    ancillary = received.ancillary
    try:
        done = 0
        for address, size in message.parts:
            if done >= len(received.data):
                break
            task.mem.write(address, received.data[done : done + size])
            done += size
        task.mem.write(message.name, received.source[: message.name_size])
        control, truncated = _incoming(task, socket, message, ancillary, flags)
        task.mem.write(message.control, control)
    finally:
        if ancillary is not None:
            ancillary.release()
    # msg_namelen, msg_controllen, msg_flags
    if message.name:
        task.mem.put_u32(message.address + 4, len(received.source))
    task.mem.put_u32(message.address + 20, len(control))
    told = received.flags | truncated | flags & s.MSG_CMSG_CLOEXEC
    if socket.type == s.SOCK_SEQPACKET:
        told |= s.MSG_EOR
    task.mem.put_u32(message.address + 24, told)
    return received.size if flags & s.MSG_TRUNC else len(received.data)


def _incoming(
    task: Task, socket: Socket, message: Message, ancillary: Ancillary | None, flags: int
) -> tuple[bytes, int]:
    """The control data of a received message, and MSG_CTRUNC when not all of it fits."""
    control, truncated = b"", 0
    if socket.pass_cred:
        cred = ancillary.cred if ancillary is not None and ancillary.cred is not None else (0, 65534, 65534)
        record = s.CMSGHDR.pack(HEADER + s.UCRED.size, s.SOL_SOCKET, s.SCM_CREDENTIALS) + s.UCRED.pack(*cred)
        control = record[: message.control_size]
        if len(control) < len(record):
            truncated = s.MSG_CTRUNC
    if ancillary is not None and ancillary.files:
        room = (message.control_size - len(control) - HEADER) // 4
        fds = _install(task, ancillary.files[: max(0, room)], bool(flags & s.MSG_CMSG_CLOEXEC))
        if len(fds) < len(ancillary.files):
            truncated = s.MSG_CTRUNC
        if fds:
            size = HEADER + 4 * len(fds)
            control += s.CMSGHDR.pack(size, s.SOL_SOCKET, s.SCM_RIGHTS) + pack(f"<{len(fds)}i", *fds)
    return control, truncated


def _install(task: Task, files: tuple[File, ...], cloexec: bool) -> list[int]:
    """Descriptors for received files; as many as the table takes."""
    fds: list[int] = []
    for file in files:
        try:
            fds.append(task.process.fds.add(file, cloexec))
        except SysError:
            break
    return fds


@syscall("recvmmsg_time64", restart=True)
def recvmmsg(task: Task, fd: int, vector: int, count: int, flags: int, timeout: int) -> Step[int]:
    """Implements recvmmsg(2); as on Linux the timeout is looked at after each message only."""
    socket = socket_of(task, fd)
    deadline_ns = deadline(task, timeout)
    return _receive_many(task, socket, vector, min(count & 0xFFFFFFFF, IOV_MAX), flags, deadline_ns)


def _receive_many(
    task: Task, socket: Socket, vector: int, count: int, flags: int, deadline_ns: int | None
) -> Step[int]:
    done = 0
    try:
        while done < count:
            address = vector + done * s.MMSGHDR_SIZE
            message = Message(task, address)
            found = socket.receive(task, message.size, flags & ~s.MSG_WAITFORONE)
            received = found if isinstance(found, Received) else (yield from found)
            size = _deliver(task, socket, message, received, flags & ~s.MSG_WAITFORONE)
            task.mem.put_u32(address + s.MSGHDR.size, size)
            done += 1
            if flags & s.MSG_WAITFORONE:
                flags |= s.MSG_DONTWAIT
            if deadline_ns is not None and task.kernel.clock.monotonic_ns() >= deadline_ns:
                break
    except SysError:
        if not done:
            raise
    return done
