"""Arguments and options that several commands share, with the same words everywhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from convertkit.api.commands.asking import choice as choice
from convertkit.api.commands.asking import open_all as open_all
from convertkit.api.commands.asking import refuse_both as refuse_both
from convertkit.api.commands.asking import refuse_meaningless as refuse_meaningless
from convertkit.api.commands.places import located as located
from convertkit.api.commands.places import located_subject as located_subject
from convertkit.api.commands.places import word_for as word_for

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
    str | None,
    typer.Option(
        "--annotations",
        help="COCO instances file, or its URL; default: the variant's dataset.",
        metavar="PATH",
    ),
]
ImagesOption: TypeAlias = Annotated[
    str | None,
    typer.Option("--images", help="Directory of the images it names, or its URL.", metavar="PATH"),
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
ReportOption: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--report",
        metavar="FILE.html",
        help="Also write one HTML page of it that needs nothing else (extra: report).",
    ),
]
