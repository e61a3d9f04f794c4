# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""From a link to a verified tree. `open_image` is the front door.

ref, document, asks, manifest, verify   pure: links, JSON, asks, OCI documents, size and digest
entry, estargz, tarball, tree           pure: what is in a layer, and the tree of all layers
trust                                   pure: who is believed, and why
store, transport, sources, fetch        edges: disk, HTTP, places, verified bytes from any of them
trust_store, signing                    edges: the reader's and the publisher's side of TUF
image, unpacked                         edges: an open image; its tree on the host's file system
estargz_writer, layout, copying         the way back: pack, mirror, push
schema                                  makes the documents of the asks

`trust_store`, `signing`, `copying`, `layout` and `unpacked` are imported by their own names: the
first two bring python-tuf and its cryptography, which a start from the store does without.
"""

from __future__ import annotations

from skerry.delivery.asks import Asks
from skerry.delivery.entry import Kind
from skerry.delivery.image import Delivery, Image, Proof, open_image
from skerry.delivery.manifest import Config
from skerry.delivery.ref import Ref, parse, resolve
from skerry.delivery.sources import source_of
from skerry.delivery.store import Store
from skerry.delivery.transport import FetchError, Http, Limits
from skerry.delivery.tree import Node, Tree

__all__ = [
    "Asks",
    "Config",
    "Delivery",
    "FetchError",
    "Http",
    "Image",
    "Kind",
    "Limits",
    "Node",
    "Proof",
    "Ref",
    "Store",
    "Tree",
    "open_image",
    "parse",
    "resolve",
    "source_of",
]
