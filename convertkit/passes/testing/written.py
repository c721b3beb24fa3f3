"""What a pass says of itself: its declaration, and its options as text and back."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any, get_type_hints

from convertkit.errors import ConvertkitError
from convertkit.passes.base import Pass, check_class
from convertkit.passes.options import build, parse_step, step_text

_TRIED = (True, False, 7, -1, 0.25, 1e-7, "", "a, b: {c}", "true", "7", "no", "q\"'", "ä", None)
"""Values of one option; those that are not of its type are left out."""

_MANY: tuple[Any, ...] = (["x, y", "true"], [1, 2], [0.5], {"a: b": "c"}, {"a": 1}, {"a": [1, 2]})


def declaration(step: Pass) -> str:
    """Has a name, an effect and a line of help, and a default for every option."""
    try:
        check_class(type(step))
    except ConvertkitError as error:
        return error.message
    return ""


def options(step: Pass) -> str:
    """Comes back as it was from the text that names its options, which cache keys hold."""
    for one in (step, *_variants(step)):
        text = step_text(one)
        try:
            back = build(type(step), parse_step(text)[1])
        except ConvertkitError as error:
            return f"{text} is not read back: {error.message}"
        if back != one or step_text(back) != text:
            return f"{text} comes back as {step_text(back)}"
    return ""


def _variants(step: Pass) -> Iterator[Pass]:
    """The pass with one option changed, for every value that fits its type and that the pass takes."""
    hints = get_type_hints(type(step))
    for option in dataclasses.fields(step):
        for value in (*_TRIED, *_MANY):
            try:
                made = build(type(step), {option.name: value})
            except ConvertkitError:
                continue
            if _is_of(getattr(made, option.name), hints[option.name]):
                yield made


def _is_of(value: Any, hint: Any) -> bool:
    """YAML's own words for values are no texts: ``true`` is not taken for a str by :func:`build` either."""
    return not (hint is str and not isinstance(value, str))
