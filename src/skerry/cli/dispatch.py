# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""The entry point: find the verb, run it, turn every ending into an exit code.

Errors: this is the door of `UserError`: one line on stderr, never a traceback. Ctrl-C and a
        reader that went away end quietly, with the status a signal would have given.
        Anything else is a bug of ours: a traceback and 125.
"""

from __future__ import annotations

import os
import signal
import sys

from skerry.abi.errors import EXIT_FAILED, EXIT_SIGNAL, EXIT_USAGE, UserError

from .verbs import VERBS, load

EXIT_INTERRUPTED = EXIT_SIGNAL + signal.SIGINT
EXIT_BROKEN_PIPE = EXIT_SIGNAL + 13  # SIGPIPE, which Windows does not name


def main(argv: list[str] | None = None) -> int:
    """Run the `skerry` command and return its exit status."""
    try:
        status = _run(sys.argv[1:] if argv is None else argv)
        _flush()
        return status
    except UserError as error:
        return _say(str(error), error.exit_code)
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        _abandon_stdout()
        return EXIT_BROKEN_PIPE
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] == "skerry":
            return _bug()
        return _say(
            f"the Python package {error.name!r} is missing; `make setup` installs it",
            EXIT_FAILED,
        )
    except OSError as error:
        if error.filename is None:
            return _bug() if error.strerror is None else _say(error.strerror, EXIT_FAILED)
        return _say(f"{error.filename}: {error.strerror}", EXIT_FAILED)
    except Exception:
        return _bug()


def _run(argv: list[str]) -> int:
    verb = argv[0] if argv else ""
    try:
        if verb in VERBS:
            return load(verb).main(verb, argv[1:])
        return _without_verb(argv)
    except SystemExit as stop:  # argparse after --help and --version
        return stop.code if isinstance(stop.code, int) else 0


def _without_verb(argv: list[str]) -> int:
    from .parser import top_parser

    parser = top_parser()
    if not argv:
        parser.print_help(sys.stderr)
        return EXIT_USAGE
    if not argv[0].startswith("-"):
        raise UserError(_unknown(argv[0]), EXIT_USAGE)
    parser.parse_args(argv)  # leaves for --help and --version, refuses all else
    raise UserError("a verb is missing (see `skerry --help`)", EXIT_USAGE)


def _unknown(verb: str) -> str:
    from difflib import get_close_matches

    near = get_close_matches(verb, VERBS, n=1)
    hint = f"did you mean `skerry {near[0]}`?" if near else "`skerry --help` lists the verbs"
    return f"there is no verb {verb!r}; {hint}"


def _say(message: str, status: int) -> int:
    """Print a message on stderr, one line unless it quotes a log, and return `status`."""
    try:
        print(f"skerry: {message}", file=sys.stderr, flush=True)
    except OSError:
        pass  # nobody reads our complaints; the status still tells
    return status


def _bug() -> int:
    import traceback

    traceback.print_exc()
    return _say("this is a bug in Skerry; please report it with the lines above", EXIT_FAILED)


def _flush() -> None:
    """Write out what is buffered now, while an error can still become a status."""
    if sys.stdout is not None:  # None: started with stdout closed
        try:
            sys.stdout.flush()
        except OSError:
            _abandon_stdout()
            raise


def _abandon_stdout() -> None:
    """Point stdout at nothing, so that the interpreter's last flush cannot fail again."""
    if sys.stdout is not None:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, sys.stdout.fileno())
        os.close(null)
