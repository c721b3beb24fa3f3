"""Arguments and options that several commands share, with the same words everywhere."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from convertkit.cli.ui import note
from convertkit.cli.volume import is_quiet
from convertkit.errors import UnknownNameError, UsageError, suggestion

if TYPE_CHECKING:
    from collections.abc import Mapping

    from convertkit.graph.input_shapes import Shapes
    from convertkit.plugins.loading import Plugins


def located(word: str) -> Path:
    """The directory of the model package that a word of the command line means."""
    from convertkit.models.places import locate

    return locate(word)


def located_subject(word: str) -> Path:
    """The same, or a graph's file: one that is there, or that looks like one by its suffix."""
    path = Path(word)
    if path.is_file():
        return path
    try:
        return located(word)
    except UnknownNameError:
        if path.suffix:
            return path
        raise


ModelArgument: TypeAlias = Annotated[
    Path,
    typer.Argument(
        help="Model package: its name, or the directory that holds model.yaml.",
        metavar="MODEL",
        parser=located,
    ),
]
VariantOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--variant", "-V", help="Variant by name, or a variant's YAML file; default: the package's own."
    ),
]
TargetOption: TypeAlias = Annotated[str, typer.Option("--target", "-t", help="Where the model goes.")]
WeightsOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--weights", "-w", help="A checkpoint's path, or random:SEED to try the pipeline without one."
    ),
]
BatchOption: TypeAlias = Annotated[
    int | None,
    typer.Option(
        "--batch",
        "-b",
        min=1,
        help="Pictures in one run; default: the variant's own. Exports the model for it.",
    ),
]
ProfileOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--profile",
        help="One of the sizes of a variant with profiles, HEIGHTxWIDTH, alone.",
        metavar="HEIGHTxWIDTH",
    ),
]
OriginOption: TypeAlias = Annotated[
    str,
    typer.Option(
        "--from", help="Stock graph: auto, stock (the file in the package) or checkpoint (export again)."
    ),
]
OutputOption: TypeAlias = Annotated[
    Path | None,
    typer.Option("--output", "-o", help="Artifact directory; default: build/MODEL-VARIANT-TARGET."),
]
CompilerOption: TypeAlias = Annotated[
    str,
    typer.Option(
        "--compiler", help="Where the target's compiler is: auto, local, docker:IMAGE, ssh:HOST or none."
    ),
]
SettingOption: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--option",
        "-O",
        help="An option of the target's compiler, over those in the specification; may be repeated. "
        "convertkit show target NAME lists them.",
        metavar="NAME=VALUE",
    ),
]
PluginOption: TypeAlias = Annotated[
    list[Path] | None,
    typer.Option("--plugin", help="A plugin in one Python file, whose code is run; may be repeated."),
]
PythonOption: TypeAlias = Annotated[
    Path | None,
    typer.Option("--python", help="Interpreter of an export environment to use instead of the managed one."),
]
EnvOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--env", help="Export environment of the package by name, to export with; default: its own."
    ),
]
ExplainOption: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--explain",
        help="Only say where this pass looks, what matches and what is in the way; may be repeated.",
        metavar="PASS",
    ),
]
DeviceOption: TypeAlias = Annotated[int, typer.Option("--device", "-d", min=0, help="Number of the chip.")]
PipelineOption: TypeAlias = Annotated[
    str | None, typer.Option("--pipeline", "-p", help="Passes to run instead of the model's own.")
]
InputShapeOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--input-shape",
        help='Sizes of the graph\'s inputs, like "image:1,3,640,640;scale:1,4"; -1 stays open.',
    ),
]
DryRunOption: TypeAlias = Annotated[
    bool, typer.Option("--dry-run", help="Only show what would be done; nothing is written.")
]
AnnotationsOption: TypeAlias = Annotated[
    Path | None, typer.Option("--annotations", help="COCO instances file; default: the variant's dataset.")
]
ImagesOption: TypeAlias = Annotated[
    Path | None, typer.Option("--images", help="Directory of the images it names.")
]
LimitOption: TypeAlias = Annotated[
    int | None, typer.Option("--limit", "-n", min=1, help="Only the first so many images.")
]
SubjectArgument: TypeAlias = Annotated[
    Path,
    typer.Argument(help="Model package, or an ONNX file.", metavar="MODEL|GRAPH", parser=located_subject),
]
SeedOption: TypeAlias = Annotated[int, typer.Option("--seed", min=0, help="Seed of the random inputs.")]
DoneOption: TypeAlias = Annotated[
    str, typer.Option("--done", help="Passes the graph has been through, for those that require them.")
]
TasksOption: TypeAlias = Annotated[
    str | None,
    typer.Option("--tasks", help="bbox, segm or both (bbox,segm); default: all that the model has."),
]
PerClassOption: TypeAlias = Annotated[bool, typer.Option("--per-class", help="AP of every class as well.")]
SkipOption: TypeAlias = Annotated[
    bool, typer.Option("--skip-bad-photos", help="Leave out photos that are missing or cannot be read.")
]
JsonOption: TypeAlias = Annotated[
    bool, typer.Option("--json", help="Print the result as JSON on standard output.")
]


def open_all(files: list[Path] | None) -> Plugins:
    """Installed plugins and those given with ``--plugin``."""
    from convertkit.plugins.loading import open_plugins

    return open_plugins(files or ())


def tell_of_code(model: Path) -> None:
    """Says once of a package that is not convertkit's own that its code runs."""
    from convertkit.models.known import first_time

    if not is_quiet() and first_time(model):
        note(f"{model}: a model package is code, and it runs with your rights (said once for each)")


def tasks_in(text: str | None) -> tuple[str, ...]:
    """What ``--tasks`` names; nothing where it was not given.

    Raises:
        UsageError: it names nothing. UnknownNameError: it names no task.
    """
    from convertkit.verification.metrics import check_tasks

    names = tuple(name.strip() for name in (text or "").split(",") if name.strip())
    if text is not None and not names:
        raise UsageError("--tasks is empty", hint="give bbox, segm or both")
    check_tasks(names)
    return names


def told_in(input_shape: str | None) -> Shapes | None:
    """What ``--input-shape`` says, by input.

    Raises:
        UsageError: it is not of the form ``name:1,3,640,640;other:1,4``.
    """
    from convertkit.graph.input_shapes import parse_shapes, split_shapes

    return None if input_shape is None else parse_shapes(split_shapes(input_shape))


def sizing(input_shape: str | None) -> tuple[str, ...]:
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


def steps_of(pipeline: str | None) -> list[str] | None:
    """The passes of ``--pipeline``, or None where it is not given.

    Raises:
        UsageError: there is none in it.
    """
    from convertkit.passes.options import split_steps

    steps = None if pipeline is None else split_steps(pipeline)
    if steps == []:
        raise UsageError("--pipeline is empty", hint="convertkit list passes shows what there is")
    return steps


def choice(value: str, option: str, known: tuple[str, ...]) -> str:
    """``value`` if it is one of ``known``, else the usual one-line error."""
    if value not in known:
        raise UsageError(f"{option} {value!r} is not known", hint=suggestion(value, known))
    return value
