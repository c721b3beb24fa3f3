"""The child's side of a :class:`~convertkit.children.dialogue.Dialogue`; it imports little, to be there at once."""

from __future__ import annotations

import json
import os
import socket
from typing import TYPE_CHECKING, Any

from convertkit.errors import (
    ConvertkitError,
    GraphError,
    ProcessError,
    TargetError,
    UnavailableError,
    UsageError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

CARRIED = (UsageError, GraphError, ProcessError, TargetError, UnavailableError)
"""The errors that arrive as what they are; others of the family arrive as ProcessError."""


def answer(descriptor: int, functions: Mapping[str, Callable[..., Mapping[str, Any]]]) -> None:
    """Answer questions until nobody asks any more.

    A ConvertkitError that a function raises is an answer too. Any other exception ends the child, and its last line is
    what the other side tells.

    Args:
        descriptor: our end of the socket.
        functions: by question; called with keywords, what they return must have a JSON form.
    """
    os.set_inheritable(descriptor, False)
    with socket.socket(fileno=descriptor) as channel, channel.makefile("rb") as questions:
        for line in questions:
            message = json.loads(line)
            found = answer_to(functions, message["question"], message["given"])
            channel.sendall(json.dumps(found).encode() + b"\n")


def answer_to(
    functions: Mapping[str, Callable[..., Mapping[str, Any]]], question: str, given: Mapping[str, Any]
) -> dict[str, Any]:
    """What a function says, or the ConvertkitError that it raises, for :func:`heard` on the other side."""
    try:
        return dict(functions[question](**given))
    except ConvertkitError as error:
        return {"error": _name(error), "message": error.message, "hint": error.hint}


def heard(answer: Mapping[str, Any]) -> dict[str, Any]:
    """An answer as its asker has it; raises the ConvertkitError that it is."""
    if "error" in answer:
        known = {cls.__name__: cls for cls in CARRIED}
        raise known[answer["error"]](answer["message"], hint=answer["hint"])
    return dict(answer)


def _name(error: ConvertkitError) -> str:
    return next((cls.__name__ for cls in CARRIED if isinstance(error, cls)), ProcessError.__name__)
