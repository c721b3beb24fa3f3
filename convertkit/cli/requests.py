"""What is asked of a build, from the words of a command line."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from convertkit.cli import options as shared
from convertkit.errors import UsageError

if TYPE_CHECKING:
    from convertkit.conversion.request import Asked, BuildRequest
    from convertkit.detection.profiles import Size

SHOWN = 60
"""Letters of a value that are quoted in an error."""


def request_of(
    model: Path, plugin: list[Path] | None, *, recorded: Size | None = None, **words: Any
) -> BuildRequest:
    """What is asked of one size, as :func:`requests_of`; a variant with profiles needs ``--profile``.

    Args:
        recorded: the size that was prepared, where a record says it.
    """
    from convertkit.conversion.request import at_size, make_request

    asked, plugins = _asked(model, **words), shared.open_all(plugin)
    return make_request(asked if recorded is None else at_size(asked, recorded, plugins), plugins)


def requests_of(model: Path, plugin: list[Path] | None, **words: Any) -> tuple[BuildRequest, ...]:
    """What is asked, resolved, one request for each profile; says once of somebody else's package that its code runs.

    Args:
        words: as :func:`_asked` takes them.
    """
    from convertkit.conversion.request import make_requests

    return make_requests(_asked(model, **words), shared.open_all(plugin))


def _asked(
    model: Path,
    *,
    origin: str = "auto",
    option: list[str] | None = None,
    input_shape: str | None = None,
    profile: str | None = None,
    **words: Any,
) -> Asked:
    """In a person's words.

    Args:
        origin, option, input_shape, profile: as :data:`OriginOption`, :data:`SettingOption`,
            :data:`InputShapeOption` and :data:`ProfileOption` have them.
        words: the other fields of :class:`~convertkit.conversion.request.Asked`.
    """
    from convertkit.conversion.request import Asked, Origin
    from convertkit.detection.profiles import parse_size

    known = shared.choice(origin, "--from", get_args(Origin))
    size = None if profile is None else parse_size(profile)
    if profile is not None and size is None:
        raise UsageError(f"--profile {profile!r} is no size", hint="height and width, like 800x1216")
    own = {"options": settings(option), "sizing": shared.sizing(input_shape), "profile": size}
    shared.tell_of_code(model)
    return Asked(model, origin=known, **own, **words)  # type: ignore[arg-type]


def settings(texts: list[str] | None) -> dict[str, Any]:
    """``NAME=VALUE`` texts as plain data; values are read as YAML: ``8``, ``true``, ``[a, b]``, ``{a: b}``.

    Raises:
        UsageError: a text is not of this form, or a name is given twice.
    """
    from convertkit.models.yamlspec import BAD_YAML, parse

    found: dict[str, Any] = {}
    for text in texts or ():
        name, equals, value = text.partition("=")
        name = name.strip().lstrip("-")  # as copied from the compiler's own manual
        if not equals or not name:
            raise UsageError(f"--option {text!r} has no value", hint="write NAME=VALUE")
        if name in found:
            raise UsageError(f"--option {name} is given twice", hint="give a list as [a, b]")
        try:
            found[name] = parse(value)
        except BAD_YAML as error:
            shown = value if len(value) <= SHOWN else f"{value[:SHOWN]}..."
            raise UsageError(f"--option {name}: {shown!r} cannot be read", hint="put it in quotes") from error
    return found
