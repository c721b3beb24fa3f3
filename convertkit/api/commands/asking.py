"""What is asked of a command, from words that are the same on the command line and in Python."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, get_args

from convertkit.api.commands.places import Place, local_of, located, path_of
from convertkit.conversion.events import ForeignCode, Report, silent
from convertkit.errors import UsageError, suggestion

if TYPE_CHECKING:
    from convertkit.conversion.request import Asked, BuildRequest
    from convertkit.detection.profiles import Size
    from convertkit.graph.input_shapes import Shapes
    from convertkit.plugins.loading import Plugins

Settings: TypeAlias = Mapping[str, Any] | Sequence[str]
"""Options of a compiler: by name, or as texts ``NAME=VALUE``."""
Sizes: TypeAlias = str | Mapping[str, Sequence[int]]
"""``image:1,3,640,640;scale:1,4``, or the same by input; -1 stays open."""
Profile: TypeAlias = str | tuple[int, int]
"""``800x1216``, or height and width."""
Words: TypeAlias = str | Sequence[str]
"""Several words, or one text with commas between them."""

SHOWN = 60
"""Letters of a value that are quoted in an error."""


def request_of(
    model: Place,
    plugin: Sequence[Place] | None = None,
    *,
    recorded: Size | None = None,
    report: Report = silent,
    **words: Any,
) -> BuildRequest:
    """What is asked of one size, as :func:`requests_of`; a variant with profiles needs ``--profile``.

    Args:
        recorded: the size that was prepared, where a record says it.
    """
    from convertkit.conversion.request import at_size, make_request

    asked, plugins = _asked(model, report, **words), open_all(plugin)
    return make_request(asked if recorded is None else at_size(asked, recorded, plugins), plugins)


def requests_of(
    model: Place, plugin: Sequence[Place] | None = None, *, report: Report = silent, **words: Any
) -> tuple[BuildRequest, ...]:
    """What is asked, resolved, one request for each profile; tells of somebody else's package that its code runs.

    Args:
        words: as :func:`_asked` takes them.
    """
    from convertkit.conversion.request import make_requests

    return make_requests(_asked(model, report, **words), open_all(plugin))


def _asked(
    model: Place,
    report: Report,
    *,
    origin: str = "auto",
    option: Settings | None = None,
    input_shape: Sizes | None = None,
    profile: Profile | None = None,
    pipeline: Words | None = None,
    weights: Place | None = None,
    python: Place | None = None,
    **words: Any,
) -> Asked:
    """In a person's words.

    Args:
        origin: where the stock graph comes from; ``--from``.
        words: the other fields of :class:`~convertkit.conversion.request.Asked`.
    """
    from convertkit.conversion.request import Asked, Origin

    root = located(str(model))
    own = {
        "options": settings(option),
        "sizing": sizing(input_shape),
        "profile": size_in(profile),
        "pipeline": steps_of(pipeline),
        "weights": None if weights is None else str(weights),
        "python": path_of(python),
    }
    if weights is not None and "://" in str(weights):
        local_of(weights, "--weights")
    known = choice(origin, "--from", get_args(Origin))
    report(ForeignCode(root))
    return Asked(root, origin=known, **own, **words)  # type: ignore[arg-type]


def open_all(files: Sequence[Place] | None) -> Plugins:
    """Installed plugins and those given with ``--plugin``."""
    from convertkit.plugins.loading import open_plugins

    return open_plugins(map(Path, files or ()))


def settings(given: Settings | None) -> dict[str, Any]:
    """Options as plain data; values of texts ``NAME=VALUE`` are read as YAML: ``8``, ``true``, ``[a, b]``, ``{a: b}``.

    Raises:
        UsageError: a text is not of this form, or a name is given twice.
    """
    from convertkit.models.yamlspec import BAD_YAML, parse

    if isinstance(given, Mapping):
        return dict(given)
    found: dict[str, Any] = {}
    for text in given or ():
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


def size_in(profile: Profile | None) -> Size | None:
    """What ``--profile`` says.

    Raises:
        UsageError: it is no height and width.
    """
    from convertkit.detection.profiles import parse_size, size_text

    if profile is None:
        return None
    text = profile if isinstance(profile, str) else size_text(profile)
    size = parse_size(text)
    if size is None:
        raise UsageError(f"--profile {text!r} is no size", hint="height and width, like 800x1216")
    return size


def tasks_in(tasks: Words | None) -> tuple[str, ...]:
    """What ``--tasks`` names; nothing where it was not given.

    Raises:
        UsageError: it names nothing. UnknownNameError: it names no task.
    """
    from convertkit.scoring.metrics import check_tasks

    words = tasks.split(",") if isinstance(tasks, str) else tasks or ()
    names = tuple(name.strip() for name in words if name.strip())
    if tasks is not None and not names:
        raise UsageError("--tasks is empty", hint="give bbox, segm or both")
    check_tasks(names)
    return names


def told_in(input_shape: Sizes | None) -> Shapes | None:
    """What ``--input-shape`` says, by input.

    Raises:
        UsageError: it is not of the form ``name:1,3,640,640;other:1,4``.
    """
    from convertkit.graph.input_shapes import parse_shapes, split_shapes, texts_of

    if input_shape is None:
        return None
    return parse_shapes(split_shapes(input_shape) if isinstance(input_shape, str) else texts_of(input_shape))


def sizing(input_shape: Sizes | None) -> tuple[str, ...]:
    """The pass that ``--input-shape`` is short for, to run in front of all others."""
    from convertkit.graph.input_shapes import texts_of
    from convertkit.passes.options import text_of

    told = told_in(input_shape)
    return () if told is None else (text_of("set-input-shape", {"shapes": texts_of(told)}),)


def refuse_both(one: str, other: str, *given: object) -> None:
    """Raises UsageError where two options that exclude each other are both given."""
    if all(given):
        raise UsageError(f"{one} and {other} exclude each other", hint="give one of them")


def refuse_meaningless(subject: str, options: Mapping[str, object]) -> None:
    """Raises UsageError for an option that was given and has no meaning for what the command is about."""
    for name, value in options.items():
        if value is not None:
            raise UsageError(f"{name} has no meaning for {subject}", hint="leave it out")


def split(steps: Words) -> list[str]:
    """The texts of passes."""
    from convertkit.passes.options import split_steps

    return split_steps(steps) if isinstance(steps, str) else list(steps)


def steps_of(pipeline: Words | None) -> list[str] | None:
    """The passes of ``--pipeline``, or None where it is not given.

    Raises:
        UsageError: there is none in it.
    """
    steps = None if pipeline is None else split(pipeline)
    if steps == []:
        raise UsageError("--pipeline is empty", hint="convertkit list passes shows what there is")
    return steps


def choice(value: str, option: str, known: tuple[str, ...]) -> str:
    """``value`` if it is one of ``known``, else the usual one-line error."""
    if value not in known:
        raise UsageError(f"{option} {value!r} is not known", hint=suggestion(value, known))
    return value
