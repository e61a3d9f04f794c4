# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""All ports: list them, build them in parallel, never in vain, and check what is in the cache.

The result of a port is `<cache>/ports/<name>-<digest>`, the digest being that of its recipe, its needs
and the toolchain. After a build, `<cache>/root` names a tree of all ports built so far.

Blocking: everything here.
Errors:   UserError. One port that fails does not keep the others from being built.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterable
from pathlib import Path

from skerry.abi.errors import UserError
from skerry.toolchain import cache, port, tools
from skerry.toolchain.recipe import Recipe, load, names, order
from skerry.toolchain.root import merge, point
from skerry.toolchain.schedule import Schedule

DEMO = ("base", "coreutils", "make", "grep", "sed", "gzip", "dash")
"""What `make demo` needs."""


def digests(recipes: list[Recipe]) -> dict[str, str]:
    """Return each recipe's digest; they come needs first."""
    support = [f"{name}\0{hashlib.sha256(content).hexdigest()}" for name, content in port.support()]
    toolchain = tools.digest()
    found: dict[str, str] = {}
    for recipe in recipes:
        parts = [recipe.digest, *(found[name] for name in recipe.needs)]
        if recipe.source:
            parts += [*support, toolchain]
        found[recipe.name] = hashlib.sha256("\0".join(parts).encode()).hexdigest()[:20]
    return found


def places(recipes: list[Recipe]) -> dict[str, Path]:
    """Return where each port's result is, or will be."""
    folder = cache.cache_dir() / "ports"
    return {name: folder / f"{name}-{digest}" for name, digest in digests(recipes).items()}


def build(wanted: Iterable[str] = (), *, jobs: int | None = None, force: bool = False) -> int:
    """Build what is not in the cache yet (no names: all ports); return 0, or 1 when one failed."""
    chosen = tuple(wanted)
    known = order(names())
    found = places(known)
    recipes = order(("base", *chosen)) if chosen else known
    if force:
        for name in chosen or found:
            _forget(found[name])
    if not cache.root_dir().is_dir():  # a build may run what was built before it, in a box
        _start_root(found)
    missing = [recipe for recipe in recipes if not found[recipe.name].is_dir()]
    failed: dict[str, str] = {}
    if missing:
        if any(recipe.source for recipe in missing):
            tools.environment()  # the sysroot first: it has a progress line of its own
        failed = Schedule(missing, found, jobs or os.cpu_count() or 1).run()
    point(merge(_present(known, found)))
    for name in sorted(failed):
        print(f"skerry: {failed[name]}", file=sys.stderr)
    if failed:
        print(f"skerry: not built: {', '.join(sorted(failed))}", file=sys.stderr)
    return 1 if failed else 0


def _start_root(found: dict[str, Path]) -> None:
    """Make a first root tree of base alone."""
    port.build(load("base"), found["base"], found, 1)
    point(merge([found["base"]]))


def _forget(place: Path) -> None:
    """Take a result out of the cache; trees that link its files keep them."""
    import shutil

    with cache.locked(f"{place.parent.name}-{place.name}"):
        shutil.rmtree(place, ignore_errors=True)


def _present(known: list[Recipe], found: dict[str, Path]) -> list[Path]:
    """Return the folders that make the root tree: every program built so far.

    A program not built since its recipe or the toolchain changed is there as it was built last.
    """
    result = []
    for recipe in known:
        here = [found[recipe.name]] if found[recipe.name].is_dir() else _older(recipe, found[recipe.name])
        if not recipe.library:
            result += here[:1]
    return result


def _older(recipe: Recipe, place: Path) -> list[Path]:
    """Return the port's results of other digests, newest first."""
    earlier = place.parent.glob(f"{recipe.name}-" + "[0-9a-f]" * 20)
    return sorted(earlier, key=lambda path: path.stat().st_mtime_ns, reverse=True)


def root() -> Path:
    """Return the tree of all programs built so far, building the plain folders of `base` if need be."""
    if not cache.root_dir().is_dir():
        build(["base"])
    return cache.root_dir().resolve()


def need(*wanted: str) -> dict[str, Path]:
    """Build these ports and return their folders. Raises: UserError when one failed."""
    if build(wanted):
        raise UserError("the ports this needs could not be built")
    recipes = order(wanted)
    found = places(recipes)
    return {name: found[name] for name in wanted}


def show(wanted: Iterable[str] = ()) -> int:
    """Print a table of the ports: version, state, and the programs of those that are built."""
    chosen = tuple(wanted)
    recipes = order(chosen or names())
    found = places(recipes)
    rows = [("NAME", "VERSION", "STATE", "PROGRAMS")]
    for recipe in sorted(recipes, key=lambda recipe: recipe.name):
        if recipe.name in (chosen or found):
            place = found[recipe.name]
            rows.append((recipe.name, recipe.version, _state(recipe, place), _programs(recipe, place)))
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
        print("  ".join([*cells, row[3]]).rstrip())
    return 0


def _state(recipe: Recipe, place: Path) -> str:
    if place.is_dir():
        return "built"
    return "stale" if _older(recipe, place) else "missing"


def _programs(recipe: Recipe, place: Path) -> str:
    """The programs' names, or what the port is."""
    if not place.is_dir() or recipe.library:
        return f"({recipe.summary})"
    found = [name.rpartition("/")[2] for name in port.recorded(place) if name.startswith("usr/bin/")]
    return " ".join(sorted(found)) or f"({recipe.summary})"


def verify(wanted: Iterable[str] = ()) -> int:
    """Check built ports: files match their recorded digests, programs import only what boxes give.

    With names, a port that is not built is a failure. Returns 0 when all is well, else 1.
    """
    chosen = tuple(wanted)
    recipes = order(chosen or names())
    found = places(recipes)
    bad = checked = 0
    for recipe in recipes:
        if chosen and recipe.name not in chosen:
            continue
        if found[recipe.name].is_dir():
            problems = list(_problems(recipe, found[recipe.name]))
            checked += 1
        else:
            problems = ["not built"] if chosen else []
        for problem in problems:
            print(f"{recipe.name}: {problem}")
        bad += bool(problems)
    print(f"{checked} ports checked, {bad} bad")
    return 1 if bad else 0


def _problems(recipe: Recipe, place: Path) -> list[str]:
    """What differs between the manifest and the files, and what the programs may not have."""
    try:
        wanted = port.recorded(place)
    except (OSError, ValueError) as error:
        return [f"its manifest cannot be read: {error}"]
    got = port.record(place)
    result = [f"{name} is missing" for name in sorted(wanted.keys() - got.keys())]
    result += [f"{name} is not of this build" for name in sorted(got.keys() - wanted.keys())]
    result += [f"{name} was changed" for name in sorted(got.keys() & wanted.keys()) if got[name] != wanted[name]]
    return result + list(port.check_programs(recipe, place))
