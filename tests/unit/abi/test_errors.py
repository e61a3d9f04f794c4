# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""The five families carry what their door needs."""

from __future__ import annotations

from skerry.abi.errno import Errno
from skerry.abi.errors import SysError, UserError, VerifyError


def test_a_sys_error_is_its_number() -> None:
    assert SysError(Errno.EPIPE).errno == 32


def test_a_verify_error_names_both_digests() -> None:
    assert (
        str(VerifyError("layer 3", wanted="sha256:aa", got="sha256:bb"))
        == "layer 3: wanted sha256:aa, got sha256:bb"
    )


def test_a_user_error_means_that_skerry_failed_unless_it_says_more() -> None:
    assert UserError("x").exit_code == 125
    assert UserError("x", 127).exit_code == 127
