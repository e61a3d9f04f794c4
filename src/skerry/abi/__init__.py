# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Numbers, byte layouts and error families: what every room may import, without behaviour.

Import the submodules: `abi.errno`, `abi.fcntl`, `abi.signal`, `abi.syscalls`, ... Nothing is
re-exported here, because a program's start should load only the tables it uses.
"""
