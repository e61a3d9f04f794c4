# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""kill -9 at 200 random moments of a pull, an unpacking and a collection: the store stays clean."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.delivery.apps import FILES, delivery, pack

from skerry.delivery.image import open_image
from skerry.delivery.ref import parse
from skerry.delivery.store import Store

ROOT = Path(__file__).parents[2]
KILL_COUNT = 200


def test_a_store_survives_kill_9_at_any_moment(tmp_path: Path) -> None:
    pack(tmp_path)
    environment = os.environ | {"PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"}
    command = [sys.executable, "-m", "tests.delivery.crasher", str(tmp_path), str(KILL_COUNT), "11"]
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    try_count, left_count = map(int, done.stdout.split())
    assert try_count >= KILL_COUNT
    assert left_count == 0


def test_several_processes_and_threads_may_share_a_store(tmp_path: Path) -> None:
    pack(tmp_path)
    link = parse(f"{tmp_path}/layout")

    def use(number: int) -> bool:
        with open_image(link, delivery(tmp_path)) as image:
            found = {name: image.read(name) for name in FILES}
        if number % 3 == 0:
            Store(tmp_path / "store").gc(60_000)
        return found == dict(FILES)

    with ThreadPoolExecutor(6) as workers:
        assert all(workers.map(use, range(24)))
    assert Store(tmp_path / "store").verify()[1] == []
