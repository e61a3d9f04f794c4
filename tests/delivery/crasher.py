# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Kill a pull, an unpacking or a garbage collection at random moments, and look at what is left.

`python -m tests.delivery.crasher FOLDER COUNT SEED`, where FOLDER/layout is an image. A process
of its own, without threads, for it forks the children that are killed.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tests.delivery.apps import FILES

from skerry.delivery.image import Delivery, open_image
from skerry.delivery.ref import parse
from skerry.delivery.store import Store
from skerry.delivery.unpacked import differences, tree_path, unpack


def pull(folder: Path) -> None:
    """Open the image, read all its files, and unpack it."""
    store = Store(folder / "store")
    with open_image(parse(f"{folder}/layout"), Delivery(store)) as image:
        for name, content in FILES.items():
            assert image.read(name) == content
        unpack(image)


def collect(folder: Path) -> None:
    """Remove everything from the store."""
    store = Store(folder / "store")
    store.sweep(0)
    store.gc(0)


def kill_after(work: Callable[[Path], None], folder: Path, delay_s: float) -> bool:
    """Run the work in a child and kill it after a while; tell whether it was still running."""
    child = os.fork()
    if child == 0:
        try:
            work(folder)
            os._exit(0)
        except BaseException as error:
            os.write(2, f"{error!r}\n".encode())
            os._exit(1)
    time.sleep(delay_s)
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0
    return os.WIFSIGNALED(status)


def check(folder: Path) -> None:
    """Fail if the store has anything that is not whole."""
    store = Store(folder / "store")
    sound_count, damaged = store.verify()
    assert not damaged, damaged
    assert sound_count >= 0
    with open_image(parse(f"{folder}/layout"), Delivery(Store(folder / "other"))) as image:
        tree = tree_path(store, image.descriptor.digest)
        assert tree is None or list(differences(image, tree)) == []


def main(folder: Path, count: int, seed: int) -> None:
    """Kill until so many were caught at work, and print how many tries that took."""
    chance = random.Random(seed)
    began_s = time.monotonic()
    pull(folder)
    whole_s = time.monotonic() - began_s
    killed_count = number = 0
    while killed_count < count:
        number += 1
        work, longest_s = (collect, 0.003) if number % 4 == 3 else (pull, whole_s)
        if number % 4 in (0, 2):
            collect(folder)
            shutil.rmtree(folder / "store" / "trees", ignore_errors=True)
        killed_count += kill_after(work, folder, chance.uniform(0, longest_s))
        check(folder)
    pull(folder)
    check(folder)
    left = Store(folder / "store")
    left.sweep(0)
    print(number, len(list((left.root / "temporary").iterdir())))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
