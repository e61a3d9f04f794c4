# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""One page with a bibliography: LaTeX, BibTeX, LaTeX, from the same tree of macros and fonts on both sides.

The native programs are the distribution's, unpacked beside the inputs and not installed; each side has a
format of its own, made by its own pdfTeX.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import zlib
from pathlib import Path

from skerry.toolchain import apt
from skerry.toolchain.cache import root_dir

PAGE = r"""
\documentclass{article}
\begin{document}
\title{On the weight of paper}\author{A. Author}\maketitle
\section{Introduction} As \cite{knuth84} has it, $\int_0^1 x^2\,dx = \frac13$. \textbf{Bold}, \emph{italic} and
plain words fill a paragraph, and a formula stands alone:
\begin{equation} \sum_{n=1}^{\infty} \frac{1}{n^2} = \frac{\pi^2}{6}, \qquad E = mc^2. \end{equation}
\bibliographystyle{plain}\bibliography{main}
\end{document}
"""
BOOK = "@book{knuth84, author={Donald E. Knuth}, title={The {\\TeX}book}, publisher={Addison-Wesley}, year={1984}}\n"
SCRIPT = (
    "cd tex && rm -f main.aux main.bbl && "
    "for program in pdflatex bibtex pdflatex; do $program main >/dev/null || exit; done"
)

_STREAM = re.compile(rb"/FlateDecode[^>]*>>\s*stream\r?\n(.*?)\r?\nendstream", re.DOTALL)
_SHOWN = re.compile(rb"\[((?:[^\\\]]|\\.)*)\]TJ")
_TEXT = re.compile(rb"\(((?:[^\\)]|\\.)*)\)")


def make_input(folder: Path) -> None:
    """Write the document, and unpack a native TeX that can read our tree."""
    work = folder / "tex"
    work.mkdir(exist_ok=True)
    (work / "main.tex").write_text(PAGE)
    (work / "main.bib").write_text(BOOK)
    native = folder / "tex-native"
    if not (native / "pdflatex.fmt").exists():
        native.mkdir(exist_ok=True)
        _native_programs(native)
        command = ["pdftex", "-ini", "-interaction=batchmode", "-jobname=pdflatex", "-progname=pdflatex"]
        command += ["-translate-file=cp227.tcx", "*pdflatex.ini"]
        environment = os.environ | native_environment(folder)
        subprocess.run(command, cwd=native, env=environment, stdout=subprocess.DEVNULL, check=True)


def _native_programs(native: Path) -> None:
    """Put pdftex, pdflatex and bibtex into `native`: this machine's, else the distribution's."""
    if shutil.which("pdftex") and shutil.which("bibtex"):
        found = {name: Path(shutil.which(name) or name) for name in ("pdftex", "bibtex")}
    else:
        suite = re.findall(r"^VERSION_CODENAME=(\w+)", Path("/etc/os-release").read_text(), re.MULTILINE)[0]
        apt.unpack_package(apt.fetch_package("texlive-binaries", suite), native / "package")
        programs = native / "package" / "usr" / "bin"
        found = {"pdftex": programs / "pdftex", "bibtex": programs / "bibtex.original"}
    for name, path in (*found.items(), ("pdflatex", found["pdftex"])):
        (native / name).unlink(missing_ok=True)
        (native / name).symlink_to(path)


def native_environment(folder: Path) -> dict[str, str]:
    """What native TeX must know to find its programs, its format and our tree."""
    share = root_dir().resolve() / "usr" / "share"
    native = folder / "tex-native"
    return {
        "PATH": f"{native}:{os.environ.get('PATH', '/usr/bin:/bin')}",
        "TEXMFCNF": f"{share}/texmf/web2c",
        "TEXMFROOT": f"{share}/texlive",
        "TEXFORMATS": str(native),
    }


def page_text(folder: Path) -> list[bytes]:
    """The words of the page that was made last, in order."""
    return shown_by((folder / "tex" / "main.pdf").read_bytes())


def shown_by(pdf: bytes) -> list[bytes]:
    """The strings a PDF of ours shows, in order; its fonts are left out."""
    shown: list[bytes] = []
    for packed in _STREAM.findall(pdf):
        try:
            content = zlib.decompress(packed)
        except zlib.error:
            continue
        shown += [b"".join(_TEXT.findall(array)) for array in _SHOWN.findall(content)]
    return shown
