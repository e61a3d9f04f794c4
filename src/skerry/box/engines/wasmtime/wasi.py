# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""The functions of import module `wasi_snapshot_preview1`.

They differ from Linux' in three ways: arguments may be 64 bits wide, there are up to nine, and the
result is an error number of WASI. What they do is in `skerry.kernel.wasi`.

Invariant: as imports.py.
"""

from __future__ import annotations

import ctypes
from _thread import get_ident
from struct import Struct
from typing import TYPE_CHECKING

from skerry.abi.wasi import FUNCTIONS, MODULE, WITHOUT_RESULT, error_of
from skerry.box.engines.engine import Unwind
from skerry.box.engines.wasmfile import I32

from .capi import Library
from .imports import Callback, unwind_trap

if TYPE_CHECKING:
    from skerry.box.engines.host import Host

_TYPES = {"i": I32, "q": 0x7E}  # as the wasm file says i32 and i64
_FIELDS = {"i": "i12x", "q": "q8x"}  # of an argument area: 16 bytes for each
_AREA = 16 * max(len(parameters) for parameters in FUNCTIONS.values())
_VIEWS_MAX = 4096
_view = ctypes.pythonapi.PyMemoryView_FromMemory
_view.restype, _view.argtypes = ctypes.py_object, (ctypes.c_size_t, ctypes.c_ssize_t, ctypes.c_int)


class Wasi:
    """Module `wasi_snapshot_preview1`."""

    def __init__(self, host: Host, library: Library) -> None:
        self._host = host
        self._library = library
        self._views: dict[int, memoryview] = {}  # of argument areas, as imports.Slots

    def signature(self, name: str) -> tuple[bytes, bytes] | None:
        parameters = FUNCTIONS.get(name)
        if parameters is None:
            return None
        return bytes([_TYPES[one] for one in parameters]), b"" if name in WITHOUT_RESULT else bytes([I32])

    def callback(self, name: str) -> Callback:
        host, library, views = self._host, self._library, self._views
        call = host.kernel.call(MODULE, name)
        assert call is not None, name
        unpack = Struct("<" + "".join(_FIELDS[one] for one in FUNCTIONS[name])).unpack_from
        silent = name in WITHOUT_RESULT

        def callback(env: int, caller: int, address: int, size: int) -> int:
            try:
                carrier = host.by_ident[get_ident()]
                area = views.get(address) or self._make(address)
                value = carrier.syscall(call, *unpack(area))
                if not silent:
                    area[0] = error_of(-value) if value < 0 else value
                return 0
            except Unwind:
                return unwind_trap(library)
            except BaseException as error:
                host.outside.crashed(error)
                return unwind_trap(library)

        return callback

    def _make(self, address: int) -> memoryview:
        """The view of the arguments at `address`."""
        if len(self._views) >= _VIEWS_MAX:
            self._views.clear()
        area: memoryview = _view(address, _AREA, 0x200).cast("i")
        self._views[address] = area
        return area
