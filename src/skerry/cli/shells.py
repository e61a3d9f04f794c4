# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Completion scripts for bash, zsh and fish: one writer each, the same description for all.

Past the first word that is neither an option nor its value, a line belongs to the program
it names; there every shell falls back to completing file names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple


class Option(NamedTuple):
    """One option of a command."""

    flags: tuple[str, ...]  # every spelling, dashes included
    summary: str
    value: str  # what its value is called; empty: it takes none


class Command(NamedTuple):
    """One verb, or one action of a verb."""

    name: str
    summary: str
    options: tuple[Option, ...]
    actions: tuple[Command, ...]  # words of which the first must be one
    choices: tuple[str, ...]  # the same, without options of their own


def bash(options: Sequence[Option], commands: Sequence[Command]) -> str:
    """A function for `complete -F`."""
    verbs = " ".join([command.name for command in commands] + _flags(options))
    cases = "\n".join(_bash_case(command.name, command) for command in commands)
    inner = "\n".join(
        _bash_case(f"{command.name}/{action.name}", action)
        for command in commands
        for action in command.actions
    )
    return _BASH.replace("@VERBS@", verbs).replace("@CASES@", f"{cases}\n{inner}")


def zsh(options: Sequence[Option], commands: Sequence[Command]) -> str:
    """A `#compdef` function built on `_arguments`."""
    verbs = "\n".join(f"        {_quote(_colon(row.name, row.summary))}" for row in commands)
    cases = "\n".join(_zsh_case(command) for command in commands)
    top = " ".join(_zsh_option(option) for option in options)
    return _ZSH.replace("@VERBS@", verbs).replace("@CASES@", cases).replace("@TOP@", top)


def fish(options: Sequence[Option], commands: Sequence[Command]) -> str:
    """Lines of `complete`."""
    lines = ["# fish completion for skerry", *_fish_options("__fish_use_subcommand", options)]
    for command in commands:
        lines.append(_fish_word("__fish_use_subcommand", command.name, command.summary))
    for command in commands:
        inside = f"__fish_seen_subcommand_from {command.name}"
        names = " ".join(action.name for action in command.actions)
        before = f"{inside}; and not __fish_seen_subcommand_from {names}" if names else inside
        lines += _fish_options(inside, command.options)
        lines += [_fish_word(before, action.name, action.summary) for action in command.actions]
        lines += [_fish_word(inside, choice, "") for choice in command.choices]
        for action in command.actions:
            own = f"{inside}; and __fish_seen_subcommand_from {action.name}"
            lines += _fish_options(own, [row for row in action.options if "--help" not in row.flags])
    return "\n".join(lines) + "\n"


WRITERS: dict[str, Callable[[Sequence[Option], Sequence[Command]], str]] = {
    "bash": bash,
    "zsh": zsh,
    "fish": fish,
}


def _flags(options: Iterable[Option], *, with_value: bool = False) -> list[str]:
    return [flag for option in options for flag in option.flags if option.value or not with_value]


def _quote(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


def _colon(left: str, right: str) -> str:
    return left.replace(":", "\\:") + ":" + right


def _bash_case(pattern: str, command: Command) -> str:
    words = [action.name for action in command.actions] + list(command.choices)
    return (
        f"        {pattern}) options='{' '.join(_flags(command.options))}'"
        f" valued='{' '.join(_flags(command.options, with_value=True))}' words='{' '.join(words)}' ;;"
    )


def _zsh_case(command: Command) -> str:
    if command.actions:
        inner = " ".join([_quote(f"1:action:(({_zsh_pairs(command.actions)}))")])
        cases = "\n".join(
            f"            {action.name}) _arguments {_zsh_arguments(action)} ;;" for action in command.actions
        )
        return (
            f"    {command.name})\n"
            f"        if (( CURRENT == 2 )); then _arguments {_zsh_arguments(command, inner)}; return; fi\n"
            f"        shift words; (( CURRENT-- ))\n        case $words[1] in\n{cases}\n        esac ;;"
        )
    words = _quote(f"1:{command.name}:({' '.join(command.choices)})") if command.choices else ""
    return f"    {command.name}) _arguments {_zsh_arguments(command, words)} ;;"


def _zsh_pairs(commands: Iterable[Command]) -> str:
    return " ".join(f'{row.name}\\:"{row.summary}"' for row in commands)


def _zsh_arguments(command: Command, words: str = "") -> str:
    parts = [_zsh_option(option) for option in command.options]
    return " ".join(["-S", *parts, words or _quote("*::word:_files")])


def _zsh_option(option: Option) -> str:
    about = option.summary.replace("[", "(").replace("]", ")")
    value = (
        f":{option.value.replace(':', chr(92) + ':').replace('[', '(').replace(']', ')')}:_files"
        if option.value
        else ""
    )
    return " ".join(_quote(f"*{flag}[{about}]{value}") for flag in option.flags)


def _fish_options(condition: str, options: Iterable[Option]) -> list[str]:
    return [_fish_option(condition, option) for option in options]


def _fish_option(condition: str, option: Option) -> str:
    parts = ["complete -c skerry", f"-n {_quote(condition)}"]
    for flag in option.flags:
        parts.append(f"-l {flag[2:]}" if flag.startswith("--") else f"-s {flag[1:]}")
    if option.value:
        parts.append("-r")
    return " ".join([*parts, f"-d {_quote(option.summary)}"])


def _fish_word(condition: str, word: str, summary: str) -> str:
    about = f" -d {_quote(summary)}" if summary else ""
    return f"complete -c skerry -n {_quote(condition)} -f -a {_quote(word)}{about}"


_BASH = """\
# bash completion for skerry
_skerry() {
    local current=${COMP_WORDS[COMP_CWORD]} verb=${COMP_WORDS[1]} at=2 word options= valued= words=
    COMPREPLY=()
    if [ "$COMP_CWORD" -eq 1 ]; then
        COMPREPLY=($(compgen -W '@VERBS@' -- "$current"))
        return
    fi
    _skerry_describe "$verb" || return
    while [ "$at" -lt "$COMP_CWORD" ]; do
        word=${COMP_WORDS[at]}
        at=$((at + 1))
        case " $valued " in *" $word "*) at=$((at + 1)); continue ;; esac
        case $word in -*) continue ;; esac
        _skerry_describe "$verb/$word" || return
    done
    [ "$at" -eq "$COMP_CWORD" ] || return  # the value of an option
    case $current in
        -*) words=$options ;;
    esac
    COMPREPLY=($(compgen -W "$words" -- "$current"))
}
_skerry_describe() {
    case $1 in
@CASES@
        *) return 1 ;;
    esac
}
complete -o default -F _skerry skerry
"""

_ZSH = """\
#compdef skerry
_skerry() {
    local -a verbs
    verbs=(
@VERBS@
    )
    if (( CURRENT == 2 )); then
        _describe verb verbs
        _arguments -S @TOP@
        return
    fi
    shift words
    (( CURRENT-- ))
    case $words[1] in
@CASES@
    esac
}
if [ "$funcstack[1]" = _skerry ]; then _skerry "$@"; else compdef _skerry skerry; fi
"""
