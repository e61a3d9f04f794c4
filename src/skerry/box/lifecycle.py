# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""A box as its host sees it: the monitor's half.

It starts the sealed worker, carries out what the worker asks (host files, compiling), moves bytes
between guests and descriptors of ours, and tells how processes ended. Everything that comes from
the worker is checked first; a worker that breaks the rules is ended.

Blocking: `step` only. One thread, the one that made the Box: the worker dies with it.
Errors:   BoxFailed when the box itself ends before its programs do.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
from collections.abc import Callable
from typing import Any

from skerry.abi.errors import EXIT_FAILED, ProtocolError, UserError
from skerry.kernel import commands as c
from skerry.kernel import events

from . import messages as m
from . import wire
from .codecache import CodeCache
from .config import BoxConfig
from .endpoints import Sink, Source
from .hostfiles import HostTrees
from .launch import Worker
from .loop import READ, WRITE, Loop

_READ_SIZE = 262_144
CONSOLE_MAX = 4 * 65_536  # four times kernel.console.CREDIT: echo may pass it a little
UNREAD_MAX = 1 << 30  # more than all a worker of ours can have asked for and not read


class BoxFailed(UserError):
    """The box is dead, by no fault of its programs."""

    def __init__(self, text: str) -> None:
        super().__init__(text, EXIT_FAILED)


class Box:
    """One box."""

    def __init__(self, config: BoxConfig, log: Callable[[str], None], worker: Worker | None = None) -> None:
        """Start a worker, or take one. `log` gets lines for the person. Raises: UserError."""
        self.loop = Loop()
        self.log = log
        self.sealed: bool | None = None
        self.output_lost = False  # a full disk, say: what a guest wrote went nowhere
        self.console: Callable[[bytes], None] = lambda untrusted_data: self.console_taken(len(untrusted_data))
        """What to do with console output; say `console_taken` when it has gone where it goes."""
        self._console_owed = 0
        self._trees = HostTrees()
        places = self._open_trees(config)
        self._worker = worker if worker is not None else Worker("worker")
        self._socket = self._worker.socket
        self._socket.setblocking(False)
        self._frames = wire.Frames(m.TO_MONITOR)
        self._out = bytearray()
        self._codes = CodeCache(self.loop)
        self._digests: dict[int, bytes] = {}
        self._tag = 0
        self._stream = 0
        self._sources: dict[int, Source] = {}
        self._sinks: dict[int, Sink] = {}
        self._started: dict[int, Callable[[c.Started], None]] = {}
        self._exited: dict[int, Callable[[c.Exited], None]] = {}
        self._request = 0
        self._files: dict[int, Callable[[int, bytes], None]] = {}
        self._connecting: dict[int, tuple[int, Callable[[int], None]]] = {}
        self.listening: Callable[[int], None] = _ignore
        """Called with each TCP port that a program of the box begins to listen at."""
        self.loop.watch(self._socket.fileno(), READ, self._readable)
        self.send(m.Boot(places, config.memory_bytes or default_memory(), config.strace))

    # --- what the owner of a box does

    def start(
        self,
        argv: tuple[bytes, ...],
        env: tuple[bytes, ...],
        cwd: bytes,
        stdio: tuple[str, str, str],
        session: bool,
        started: Callable[[c.Started], None],
        exited: Callable[[c.Exited], None],
    ) -> int:
        """Start a process; `stdio` as in events.Start. Returns its tag."""
        self._tag += 1
        self._started[self._tag] = started
        self._exited[self._tag] = exited
        self.send(events.Start(self._tag, argv, env, cwd, stdio, session))
        return self._tag

    def source(self, fd: int, own: bool = False) -> str:
        """A stream that guests read from `fd`; returns its name for `stdio`. `own`: close `fd` at the end."""
        self._stream += 1
        closed = (lambda: os.close(fd)) if own else _nothing
        self._sources[self._stream] = Source(self.loop, self.send, self._stream, fd, closed)
        return f"stream:{self._stream}"

    def sink(self, fd: int, closed: Callable[[], None] = lambda: None) -> str:
        """A stream that guests write to `fd`; `closed` is called after their last byte."""
        self._stream += 1
        number = self._stream

        def end() -> None:
            del self._sinks[number]
            closed()

        self._sinks[number] = Sink(self.loop, self.send, number, fd, end, self._output_failed)
        return f"stream:{number}"

    def _output_failed(self, error: OSError) -> None:
        self.output_lost = True
        self.log(f"output was lost: {error.strerror}")

    def connect(self, port: int, fd: int, done: Callable[[int], None]) -> None:
        """Connect `fd`, a stream socket, to a server in the box; `done` gets 0 or an errno. Owns `fd`."""
        self._stream += 1
        self._connecting[self._stream] = (fd, done)
        self.send(events.Connect(self._stream, port))

    def file(
        self, operation: str, path: bytes, argument: bytes, offset: int, number: int, done: Callable[[int, bytes], None]
    ) -> None:
        """Do something to a file of the box (kernel/files.py); `done` gets an errno and the data."""
        self._request += 1
        self._files[self._request] = done
        self.send(events.FileCall(self._request, operation, path, argument, offset, number))

    def signal(self, signo: int, pid: int = 0) -> None:
        """Send a signal to a process of the box, or to its foreground group."""
        self.send(events.HostSignal(pid, signo))

    def console_taken(self, size: int) -> None:
        """Console output has been shown: the guest may send as much again."""
        self._console_owed -= size
        self.send(events.ConsoleReady(size))

    def drained(self) -> bool:
        """Whether all output has reached its descriptor."""
        return all(sink.drained for sink in self._sinks.values())

    def step(self, timeout_s: float | None = None) -> None:
        """Wait for something to happen and deal with it. Raises: BoxFailed."""
        self.loop.step(timeout_s)

    def pause(self) -> None:
        """Stop the worker where it stands (the person stopped us)."""
        os.kill(self._worker.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        os.kill(self._worker.pid, signal.SIGCONT)

    def send(self, message: object) -> None:
        """Send one message, now or when the worker takes it."""
        self._out += wire.encode(message)
        if len(self._out) > UNREAD_MAX:
            raise BoxFailed("the box asks and does not listen; it was ended")
        self._flush()

    def close(self) -> None:
        """End the box."""
        for sink in tuple(self._sinks.values()):
            sink.close()  # readers of what it wrote see the end
        for source in tuple(self._sources.values()):
            source.close()
        self._codes.close()
        self._worker.kill()
        self._worker.close()
        self._trees.close()

    # --- the connection

    def _flush(self) -> None:
        while self._out:
            try:
                sent = self._socket.send(self._out)
            except BlockingIOError:
                self.loop.watch(self._socket.fileno(), WRITE, self._flush)
                return
            except OSError:  # it is dead; reading finds out how
                self._out.clear()
                break
            del self._out[:sent]
        self.loop.forget(self._socket.fileno(), WRITE)

    def _readable(self) -> None:
        try:
            untrusted_data = self._socket.recv(_READ_SIZE)
        except BlockingIOError:
            return
        except OSError:
            untrusted_data = b""
        if not untrusted_data:
            self._died()
        try:
            for message in self._frames.feed(untrusted_data):
                self._handle(message)
        except ProtocolError as error:
            raise BoxFailed(f"the box broke the protocol and was ended: {error}") from None

    def _died(self) -> None:
        """The worker is gone: say why, as well as can be told."""
        status = self._worker.wait()
        complaints = self._worker.read_complaints().strip()
        if os.WIFSIGNALED(status):
            signo = os.WTERMSIG(status)
            name = signal.Signals(signo).name
            if signo == signal.SIGSYS:
                raise BoxFailed("the box made a call of the host that it may not make, and was killed")
            raise BoxFailed(f"the box was killed by {name}" + (f":\n{complaints}" if complaints else ""))
        if self.sealed is None:
            raise BoxFailed(f"the box did not start:\n{complaints}")
        raise BoxFailed(f"the box ended by itself with status {os.WEXITSTATUS(status)}")

    # --- messages

    def _handle(self, message: Any) -> None:
        match message:
            case m.Asked():
                self.send(m.Answered(message.request, self._trees.answer(message.payload)))
            case c.ConsoleOutput():
                self._console(message.data)
            case c.StreamOutput():
                sink = self._sinks.get(message.stream)
                if sink is not None:
                    sink.output(message)
            case c.StreamTaken():
                source = self._sources.get(message.stream)
                if source is not None:
                    source.taken(message)
            case c.Started():
                self._started.pop(message.tag, _ignore)(message)
            case c.Exited():
                self._exited.pop(message.tag, _ignore)(message)
            case c.Log():
                self.log(message.text)
            case c.FileReply():
                self._files.pop(message.request, _ignore_reply)(message.errno, message.data)
            case c.Listening():
                self.listening(message.port)
            case c.Connected():
                self._connected(message)
            case m.CodeWanted():
                self._code_wanted(message)
            case m.Wasm():
                self._compile(message)
            case m.Sealed():
                self._sealed(message)
            case m.Crashed():
                raise BoxFailed(f"internal error in the box; please report it:\n{message.text.rstrip()}")

    def _console(self, untrusted_data: bytes) -> None:
        self._console_owed += len(untrusted_data)
        if self._console_owed > CONSOLE_MAX:
            raise ProtocolError("more console output than was granted")
        self.console(untrusted_data)

    def _connected(self, message: c.Connected) -> None:
        fd, done = self._connecting.pop(message.stream, (-1, _ignore))
        if fd < 0:
            raise ProtocolError("a Connected that nobody asked for")
        number = message.stream
        if message.errno:
            os.close(fd)
        else:
            reading = os.dup(fd)
            self._sources[number] = Source(self.loop, self.send, number, reading, lambda: os.close(reading))
            self._sinks[number] = Sink(self.loop, self.send, number, fd, lambda: self._hang_up(number, fd))
        done(message.errno)

    def _hang_up(self, number: int, fd: int) -> None:
        """The guest will send no more on a connection."""
        self._sinks.pop(number, None)
        with socket.socket(fileno=fd) as connection, contextlib.suppress(OSError):
            connection.shutdown(socket.SHUT_WR)

    def _sealed(self, message: m.Sealed) -> None:
        self.sealed = message.locked
        if not message.locked:
            self.log(f"the box runs unlocked: {message.reason}")

    def _code_wanted(self, message: m.CodeWanted) -> None:
        if len(message.digest) != 32 or len(self._digests) > 1000:
            raise ProtocolError("bad CodeWanted")
        code = None if message.fresh else self._codes.find(message.digest)
        if code is not None:
            self.send(m.Code(message.request, code, ""))
        else:
            self._digests[message.request] = message.digest
            self.send(m.WasmWanted(message.request))

    def _compile(self, message: m.Wasm) -> None:
        digest = self._digests.pop(message.request, None)
        if digest is None:
            raise ProtocolError("a Wasm that was not wanted")
        self._codes.compile(
            message.code, digest, lambda code, error: self.send(m.Code(message.request, code, error))
        )

    # --- the start

    def _open_trees(self, config: BoxConfig) -> tuple[m.Place, ...]:
        places = []
        trees = [(0, config.root, "/", True)] if config.root is not None else []
        trees += [(n, one.host, one.guest, one.read_only) for n, one in enumerate(config.mounts, 1)]
        for number, host, guest, read_only in trees:
            assert host is not None
            try:
                top = self._trees.add(number, host, read_only)
            except OSError as error:
                raise UserError(f"{host}: {error.strerror}") from None
            places.append(m.Place(number, os.fsencode(guest), read_only, top))
        return tuple(places)


def _ignore(message: object) -> None:
    """Nobody waits for it."""


def _ignore_reply(errno: int, data: bytes) -> None:
    """Nobody waits for it any more."""


def _nothing() -> None:
    """The descriptor stays its owner's."""


def default_memory() -> int:
    """Half of the machine's memory."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2
    except (ValueError, OSError):
        return 2 << 30
