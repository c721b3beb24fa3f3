"""What every command has, given to all of them in one place."""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import typer

from convertkit.cli.completing import BY_PARAMETER
from convertkit.cli.volume import QuietOption, VerboseOption, set_volume
from convertkit.errors import UsageError


def give(apps: Iterable[typer.Typer]) -> None:
    """Gives every command of these apps what :func:`common` has."""
    for app in apps:
        for command in app.registered_commands:
            assert command.callback is not None
            command.callback = common(command.callback)


def common(command: Callable[..., Any]) -> Callable[..., Any]:
    """The same command with ``--quiet`` and ``--verbose``, whose parameters complete their names in a shell."""
    parameters = list(inspect.signature(command, eval_str=True).parameters.values())
    for parameter in parameters:
        for info in getattr(parameter.annotation, "__metadata__", ()):
            if parameter.name in BY_PARAMETER:
                info.autocompletion = BY_PARAMETER[parameter.name]

    @functools.wraps(command)
    def run(*, quiet: bool, verbose: int, **words: Any) -> Any:
        set_volume(quiet=quiet, verbose=verbose)
        for parameter in parameters:
            _refuse_url(parameter, words.get(parameter.name))
        return command(**words)

    parameters += _VOLUME
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return run


def _refuse_url(parameter: inspect.Parameter, given: object) -> None:
    """Raises UsageError where a path of this machine was meant: whatever takes URLs takes text."""
    for value in given if isinstance(given, list | tuple) else [given]:
        if isinstance(value, Path) and _PROTOCOL.match(str(value)):
            protocol, _, rest = str(value).partition(":/")  # what a path makes of ://
            hint = "give a path of this machine"
            raise UsageError(f"{_word(parameter)} takes no URL, but {protocol}://{rest} was given", hint=hint)


def _word(parameter: inspect.Parameter) -> str:
    """The option, or what a command's help calls the argument."""
    for info in getattr(parameter.annotation, "__metadata__", ()):
        if isinstance(info.default, str):  # where Annotated has it, typer takes the option's name for that
            return info.default
        if info.metavar:
            return str(info.metavar)
    return parameter.name.upper()


_PROTOCOL = re.compile(r"[A-Za-z][\w+.-]+:/")

_VOLUME = [
    inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
    for name, default, annotation in (("quiet", False, QuietOption), ("verbose", 0, VerboseOption))
]
