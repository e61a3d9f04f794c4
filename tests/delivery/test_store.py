# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""The store: what enters, what leaves, what is left after a crash."""

from __future__ import annotations

import fcntl
import hashlib
import os
from pathlib import Path

import pytest

from skerry.abi.errors import VerifyError
from skerry.abi.oci import Digest
from skerry.delivery.store import Store
from skerry.delivery.verify import digest_of


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def test_what_enters_comes_out(store: Store) -> None:
    digest = store.put_bytes(b"hello")
    assert store.get(digest, 5) == store.get(digest) == b"hello"
    assert store.read_range(digest, 1, 3) == b"ell"
    assert store.get(digest_of(b"other"), 5) is None
    assert store.read_range(digest_of(b"other"), 0, 1) is None
    long = Digest(f"sha512:{hashlib.sha512(b'hello').hexdigest()}")
    store.put(long, 5, [b"he", b"llo"], "it")
    assert store.get(long, 5) == b"hello"
    assert {blob.digest for blob in store.blobs()} == {digest, long}


def test_wrong_bytes_do_not_enter_and_leave_nothing(store: Store) -> None:
    for pieces in ([b"hellO"], [b"hell"], [b"hello", b"!"], []):
        with pytest.raises(VerifyError):
            store.put(digest_of(b"hello"), 5, pieces, "it")
    assert list(store.blobs()) == []
    assert list((store.root / "temporary").iterdir()) == []


def test_damage_is_found_when_read_and_when_verified(store: Store) -> None:
    first, second, third = (store.put_bytes(each) for each in (b"first", b"second", b"third"))
    store.path(first).write_bytes(b"fIrst")
    store.path(second).write_bytes(b"")
    assert store.get(first, 5) is None
    assert store.verify() == (1, [second])
    assert [blob.digest for blob in store.blobs()] == [third]
    store.put_bytes(b"first")
    assert store.get(first, 5) == b"first"


def test_a_damaged_blob_is_replaced_when_it_is_put_again(store: Store) -> None:
    digest = store.put_bytes(b"first")
    store.path(digest).write_bytes(b"fIrst")
    store.put_bytes(b"first")
    assert store.get(digest, 5) == b"first"


def test_gc_removes_what_was_unused_for_longest(store: Store) -> None:
    digests = [store.put_bytes(bytes([number]) * 100) for number in range(5)]
    for age, digest in enumerate(digests):
        os.utime(store.path(digest), (age, age))
    assert store.get(digests[0], 100)  # used now
    done = store.gc(250)
    assert (done.removed_count, done.removed_size, done.kept_size) == (3, 300, 200)
    assert {blob.digest for blob in store.blobs()} == {digests[0], digests[4]}


def test_sweep_removes_files_whose_writer_is_gone(store: Store) -> None:
    abandoned, busy = store.root / "temporary" / "a", store.root / "temporary" / "b"
    abandoned.write_bytes(b"x")
    with busy.open("wb") as writer:
        fcntl.flock(writer, fcntl.LOCK_EX)
        assert store.sweep() == 0  # too young to be abandoned
        assert store.sweep(-1) == 1
        assert busy.exists()
    assert not abandoned.exists()


def test_notes_are_replaced_whole(store: Store) -> None:
    assert store.load_ref("a") is None
    store.save_ref("a", b"1")
    store.save_ref("a", b"2")
    store.save_ref("b/../../c", b"3")
    assert store.load_ref("a") == b"2"
    assert sorted(store.refs()) == [b"2", b"3"]
