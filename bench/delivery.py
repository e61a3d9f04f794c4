# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""How long until an app's first output: lazily, against pulling the whole image.

`python bench/delivery.py [--files N] [--size BYTES]`. Everything runs on loopback. A relay between
client and server behaves like a link of 20 ms (round trip) and 50 Mbit/s; opening a connection
costs a round trip too. The image is made here: a TeX-like tree of 4,300 files and 100 MB, of which
a document touches 35 (one program, one format, small files); half of each file is noise, half
text. "First output" is when the last of the 35 files has been read. The whole pull is
`skopeo copy` and `umoci unpack` of the same image from the same registry over the same link.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import os
import queue
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "src"))

from skerry.abi.oci import Digest
from skerry.delivery import Delivery, Http, Image, Store, open_image, parse
from skerry.delivery.asks import annotations_from
from skerry.delivery.copying import push
from skerry.delivery.layout import Layout, Recipe
from skerry.delivery.manifest import Config
from skerry.delivery.signing import Repository, new_key
from skerry.delivery.sources import Folder
from skerry.delivery.trust_store import TrustStore
from skerry.delivery.unpacked import tree_path, unpack
from skerry.delivery.verify import Verifier

ROUND_TRIP_S = 0.020
BYTES_PER_S = 50_000_000 / 8
TOUCHED_COUNT = 35
PIECE_SIZE = 16 << 10
REPEAT_COUNT = 15


class Link:
    """A relay to one port that is as slow as a real link; counts what comes down it."""

    def __init__(self, target: tuple[str, int]) -> None:
        self.received_size = 0
        self._target = target
        self._free_s = {"up": 0.0, "down": 0.0}  # when each direction has sent what it was given
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                threading.Thread(target=self._connect, args=(near,), daemon=True).start()

    def _connect(self, near: socket.socket) -> None:
        time.sleep(ROUND_TRIP_S)  # the handshake, which loopback does not feel
        far = socket.create_connection(self._target)
        for each in (near, far):
            each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for source, target, direction in ((near, far, "up"), (far, near, "down")):
            waiting: queue.Queue[tuple[float, bytes]] = queue.Queue(maxsize=64)
            threading.Thread(target=self._read, args=(source, waiting, direction), daemon=True).start()
            threading.Thread(target=self._write, args=(target, waiting), daemon=True).start()

    def _read(self, source: socket.socket, waiting: queue.Queue[tuple[float, bytes]], direction: str) -> None:
        while True:
            try:
                data = source.recv(PIECE_SIZE)
            except OSError:
                data = b""
            with self._lock:
                begin_s = max(time.monotonic(), self._free_s[direction])
                self._free_s[direction] = begin_s + len(data) / BYTES_PER_S
                if direction == "down":
                    self.received_size += len(data)
                due_s = self._free_s[direction] + ROUND_TRIP_S / 2
            waiting.put((due_s, data))
            if not data:
                return

    def _write(self, target: socket.socket, waiting: queue.Queue[tuple[float, bytes]]) -> None:
        while True:
            due_s, data = waiting.get()
            time.sleep(max(0.0, due_s - time.monotonic()))
            with contextlib.suppress(OSError):
                if not data:
                    target.shutdown(socket.SHUT_WR)
                    return
                target.sendall(data)


def make_files(folder: Path, file_count: int, size: int) -> list[str]:
    """Write a TeX-like tree and return the names a document touches, in order."""
    chance = random.Random(1)
    text = b"\\def\\foo#1{\\bar{#1}} % a line of a macro file, as there are many\n" * 20_000
    large = {"bin/pdftex": 1_500_000, "share/texmf/web2c/pdflatex.fmt": 3_000_000}
    mean_size = (size - sum(large.values())) / file_count
    names = [f"share/texmf/tex/p{n % 211:03}/f{n:05}.sty" for n in range(file_count - len(large))]
    touched = [*large, *chance.sample(names, TOUCHED_COUNT - len(large))]
    for name in [*large, *names]:
        # The small files of a document are small: fonts of 20 KB, styles of a few.
        wanted = large.get(name) or int(mean_size * chance.uniform(0.2, 1.8))
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        begin = chance.randrange(len(text) // 2)
        path.write_bytes(chance.randbytes(wanted // 2) + text[begin : begin + wanted - wanted // 2])
    return touched


@contextlib.contextmanager
def registry(folder: Path) -> Iterator[tuple[str, int]]:
    """Run the distribution's registry on loopback."""
    program = shutil.which("docker-registry")
    if program is None:
        raise SystemExit("docker-registry, skopeo and umoci are needed (see tools/apt-packages.txt)")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    config = folder / "registry.json"
    storage = {"filesystem": {"rootdirectory": str(folder / "registry")}}
    config.write_text(json.dumps({"version": 0.1, "storage": storage, "http": {"addr": f"127.0.0.1:{port}"}}))
    with (folder / "registry.log").open("wb") as log:
        process = subprocess.Popen([program, "serve", config], stdout=log, stderr=log)
        try:
            for _ in range(500):
                with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                    break
                time.sleep(0.02)
            yield "127.0.0.1", port
        finally:
            process.terminate()
            process.wait()


def timed(work: Callable[[], object]) -> float:
    """Return how long something takes."""
    began_s = time.perf_counter()
    work()
    return time.perf_counter() - began_s


def median(work: Callable[[], object], count: int = REPEAT_COUNT) -> float:
    """Return the median time of something."""
    return sorted(timed(work) for _ in range(count))[count // 2]


class Bench:
    """One image, one registry, one link."""

    def __init__(self, folder: Path, file_count: int, size: int) -> None:
        self.folder = folder
        self.files = folder / "files"
        self.touched = make_files(self.files, file_count, size)
        self.rows: list[tuple[str, str]] = []

    def say(self, what: str, value: str) -> None:
        """Print a row at once and keep it."""
        self.rows.append((what, value))
        print(f"{what:<62} {value}", flush=True)

    def pack(self) -> None:
        """Make two images of the files: with and without a profile."""
        asks: dict[str, object] = {"name": "tex", "version": "1", "engines": ["wasm"], "surface": "none"}
        layout = Layout(self.folder / "layout")
        signer = new_key(self.folder / "key")
        repository = Repository(self.folder / "layout" / "tuf", [signer])
        for tag, profile in (("profiled", self.touched), ("plain", [])):
            recipe = Recipe(annotations_from(asks), Config("linux/wasm", ("/bin/pdftex",)), tag, profile)
            took_s = timed(lambda recipe=recipe: layout.pack(self.files, recipe))  # type: ignore[misc]
            repository.add(tag, layout.images()[-1], "tex", is_latest=True)
        repository.write()
        blobs = [path.stat().st_size for path in (layout.root / "blobs" / "sha256").iterdir()]
        self.layer_size = max(blobs)
        plain_size = sum(path.stat().st_size for path in self.files.rglob("*") if path.is_file())
        self.say(
            "the image, unpacked / as one layer",
            f"{plain_size / 1e6:.1f} MB / {self.layer_size / 1e6:.1f} MB",
        )
        self.say("pack (gzip, one core)", f"{took_s:.1f} s, {plain_size / 1e6 / took_s:.0f} MB/s")

    def read_touched(self, image: Image) -> None:
        """Do what a start does: read the files, in order."""
        for name in self.touched:
            image.read(name)

    def delivery(self, name: str) -> Delivery:
        """Return a fresh or a used store, by name."""
        trust = TrustStore(self.folder / name / "trust", lambda ref, app, publisher: True)
        return Delivery(Store(self.folder / name / "store"), Http(), trust)

    def lazily(self, link: str, name: str, prefetch: bool, relay: Link) -> float:
        """Open and start over the link, with an empty store; return the time."""
        import tuf.ngclient  # noqa: F401 - imports are not what is measured

        relay.received_size = 0
        mine = self.delivery(name)
        began_s = time.perf_counter()
        with open_image(parse(link), mine, prefetch=prefetch) as image:
            opened_s = time.perf_counter() - began_s
            self.read_touched(image)
            took_s = time.perf_counter() - began_s
            requests = image.fetcher.request_count
        share = relay.received_size / self.layer_size
        what = f"{took_s:.2f} s ({opened_s:.2f} s to open), {relay.received_size / 1e6:.2f} MB"
        self.say(f"first start, lazily, {name}", f"{what} = {share:.1%}, {requests} requests")
        return took_s

    def whole(self, address: str, relay: Link) -> float:
        """Pull and unpack the whole image with other tools; return the time."""
        relay.received_size = 0
        source, copy = f"docker://{address}/tex:plain", self.folder / "copy"
        began_s = time.perf_counter()
        command = [
            "skopeo",
            "copy",
            "-q",
            "--insecure-policy",
            "--src-tls-verify=false",
            source,
            f"oci:{copy}:1",
        ]
        subprocess.run(command, check=True)
        pulled_s = time.perf_counter() - began_s
        rootless = [] if os.geteuid() == 0 else ["--rootless"]
        bundle = self.folder / "bundle"
        subprocess.run(
            ["umoci", "unpack", *rootless, "--image", f"{copy}:1", bundle], check=True, capture_output=True
        )
        for name in self.touched:
            (bundle / "rootfs" / name).read_bytes()
        took_s = time.perf_counter() - began_s
        size = relay.received_size / 1e6
        self.say(
            "first start, whole pull (skopeo + umoci)",
            f"{took_s:.2f} s ({pulled_s:.2f} s to pull), {size:.1f} MB",
        )
        return took_s

    def second(self, link: str, name: str) -> None:
        """Start again: from a plain folder, from the unpacked tree, from the store."""
        ref, mine = parse(link), self.delivery(name)
        with open_image(ref, mine, prefetch=False) as image:
            took_s = timed(lambda: unpack(image))
            self.say("unpack in the background, over the link", f"{took_s:.2f} s")
            digest = image.descriptor.digest

        def read_folder(folder: Path) -> None:
            for each in self.touched:
                (folder / each).read_bytes()

        def from_tree() -> None:
            assert mine.trust is not None
            trusted = mine.trust.verify(ref, None)
            assert trusted is not None
            folder = tree_path(mine.store, trusted.descriptor.digest)
            assert folder is not None
            read_folder(folder)

        def from_store() -> None:
            with open_image(ref, mine, prefetch=False) as again:
                self.read_touched(again)

        plain_s, tree_s, store_s = (
            median(lambda: read_folder(self.files)),
            median(from_tree),
            median(from_store),
        )
        assert tree_path(mine.store, digest) is not None
        self.say("second start, from a plain folder", f"{plain_s * 1000:.1f} ms")
        self.say("second start, from the unpacked tree, trust checked", f"{tree_s * 1000:.1f} ms")
        self.say("second start, from the store, every byte hashed again", f"{store_s * 1000:.1f} ms")

    def hashing(self) -> None:
        """Measure the verifier alone, and the store's own check."""
        data = random.Random(2).randbytes(1 << 20)
        count = 256
        digest = Digest(f"sha256:{hashlib.sha256(data * count).hexdigest()}")

        def verify() -> None:
            verifier = Verifier(digest, len(data) * count, "the benchmark")
            for _ in range(count):
                verifier.update(data)
            verifier.finish()

        self.say("verifier, one core", f"{len(data) * count / 1e9 / median(verify, 5):.2f} GB/s")
        store = self.delivery("profiled").store
        size = sum(blob.size for blob in store.blobs())
        took_s = median(store.verify, 3)
        self.say("store verify", f"{size / 1e6:.0f} MB in {took_s:.2f} s = {size / 1e9 / took_s:.2f} GB/s")


def main() -> int:
    """Run everything and print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--files", type=int, default=4300)
    parser.add_argument("--size", type=int, default=100_000_000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="skerry-bench-") as name:
        folder = Path(name)
        bench = Bench(folder, arguments.files, arguments.size)
        bench.pack()
        with registry(folder) as target:
            address = f"{target[0]}:{target[1]}"
            push(Folder(folder / "layout"), parse(f"oci://{address}/tex"), Http())
            relay = Link(target)
            lazy_s = bench.lazily(f"oci://{relay.address}/tex:profiled", "profiled", True, relay)
            bench.lazily(f"oci://{relay.address}/tex:plain", "without a profile", False, relay)
            whole_s = bench.whole(relay.address, relay)
            bench.say("lazily (profiled) against the whole pull", f"{whole_s / lazy_s:.1f} times faster")
            bench.second(f"oci://{relay.address}/tex:profiled", "profiled")
        bench.hashing()
    return 0


if __name__ == "__main__":
    sys.exit(main())
