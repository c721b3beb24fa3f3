"""The ``convertkit`` command: its sub-commands, and the one place where an error becomes a line and an exit code."""

from __future__ import annotations

import io
import os
import re
import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from convertkit.api.commands.cache import tidy
from convertkit.api.commands.failures import Failure
from convertkit.cli import (
    bench,
    bisect,
    build,
    cache,
    common,
    compile,
    completing,
    detect,
    diff,
    doctor,
    env,
    estimate,
    export,
    failures,
    fetch,
    info,
    interrupts,
    lint,
    listing,
    merge,
    new,
    opt,
    output,
    plan,
    postprocess,
    preprocess,
    ranges,
    replay,
    schema,
    show,
    tensors,
    tune,
    verify,
    weights,
)
from convertkit.cli.failures import INTERRUPTED, INTERRUPTION
from convertkit.errors import UsageError

app = typer.Typer(
    name="convertkit",
    help="Turn trained detection models into verified artifacts for accelerators.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

for command in (
    build.build,
    verify.verify,
    merge.merge,
    detect.detect,
    bench.bench,
    preprocess.preprocess,
    info.info,
    postprocess.postprocess,
    bisect.bisect,
    estimate.estimate,
    ranges.ranges,
    plan.plan,
    tune.tune,
    tensors.dump,
    tensors.compare,
    opt.opt,
    lint.lint,
    diff.diff,
    export.export,
    fetch.fetch,
    weights.weights,
    replay.replay,
    doctor.doctor,
    schema.schema,
):
    app.command()(command)
app.command("compile")(compile.compile_bundle)
app.command("list")(listing.listing)
app.command()(show.show)
app.add_typer(env.app, name="env")
app.add_typer(cache.app, name="cache")
app.add_typer(new.app, name="new")
common.give((app, env.app, cache.app, new.app))


def _version(ctx: typer.Context, value: bool) -> None:
    if not value:
        return
    if ctx.params.get("as_json"):
        from convertkit.api.commands.doctor import installed
        from convertkit.cli.ui import print_json

        print_json(installed())
    else:
        from importlib.metadata import version

        typer.echo(f"convertkit {version('convertkit-compiler')}")
    raise typer.Exit


@app.callback()
def options(
    debug: Annotated[bool, typer.Option("--debug", help="Show a traceback with every error.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, help="Show the version and exit.")
    ] = False,
    as_json: Annotated[
        bool,
        typer.Option(
            "--json",
            is_eager=True,
            help="With --version: those of Python, the system, tools and plugins too.",
        ),
    ] = False,
) -> None:
    """Turn trained detection models into verified artifacts for accelerators."""
    if as_json:
        raise UsageError("--json goes with --version, or behind a command")
    if debug:
        os.environ["CONVERTKIT_DEBUG"] = "1"


def main(args: Sequence[str] | None = None) -> int:
    """Runs the command line and returns its exit code.

    0 done, 1 below expectation, 2 a mistake, 3 unavailable, 4 a step failed; 70 a defect, 130 interrupted.
    Only the program's own command line, not ``args``, runs apart.
    """
    words = list(sys.argv[1:] if args is None else args)
    _open_closed_streams()
    output.begin()
    if completing.is_asked(words):
        return _complete(words)
    try:
        if args is None:
            interrupts.interruptible()
            if (ended := _apart(words)) is not None:
                return ended
        _refuse_empty(words)
        if words[:1] != ["cache"]:  # which counts what it frees
            tidy()
        code = app(words, prog_name="convertkit", standalone_mode=False)
        sys.stdout.flush()
        if code == INTERRUPTED:  # typer's own answer to Ctrl-C
            return _fail(KeyboardInterrupt(), words)
        return code if isinstance(code, int) else 0
    except BaseException as error:
        if _pipe_is_closed(error):
            return 0
        return _fail(error, words)


def _complete(words: Sequence[str]) -> int:
    """What a shell asks for is answered at once, by typer, which ends the program for it: nothing runs apart."""
    try:
        app(words, prog_name="convertkit", standalone_mode=False)
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else 0
    except Exception as error:
        return _fail(error, words)
    return 0


def _pipe_is_closed(error: BaseException) -> bool:
    """Whoever read the output has seen enough."""
    if isinstance(error, BrokenPipeError):
        sys.stdout = open(os.devnull, "w")  # noqa: PTH123, SIM115 - the interpreter flushes it once more at exit
        return True
    return isinstance(error, SystemExit) and isinstance(
        error.__context__, BrokenPipeError
    )  # typer's own answer


def _apart(words: Sequence[str]) -> int | None:
    """Goes on in a guarded process, as :mod:`convertkit.api.commands.guard` has it, where the system can guard one."""
    if sys.platform != "linux":
        return None
    from convertkit.api.commands import guard

    ended = guard.apart()
    if not isinstance(ended, guard.Killed):
        return ended
    failure = Failure("killed", ended.why, None, guard.FAILED)
    return failures.report(failure, as_json=failures.wants_json(words))


def _refuse_empty(words: Sequence[str]) -> None:
    """An empty word is a variable that was not set: taken as no answer at all, or as this directory, it does harm."""
    for before, word in zip(["", *words], words, strict=False):
        name = before if not word.strip() else word[:-1] if re.fullmatch(r"--[a-z-]+=", word) else None
        if name is not None:
            what = name if name.startswith("-") else "an argument"
            raise UsageError(f"{what} is empty", hint="give a value, or leave it out")


def _open_closed_streams() -> None:
    """Fills the places of closed standard streams, else the next file opened takes one and libraries print into it."""
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(descriptor)
    sys.stdout = sys.stdout or open(os.devnull, "w")  # noqa: PTH123, SIM115
    sys.stderr = sys.stderr or open(os.devnull, "w")  # noqa: PTH123, SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a file's name need not be text
            stream.reconfigure(errors="backslashreplace")


def _fail(error: BaseException, words: Sequence[str]) -> int:
    failure = INTERRUPTION if interrupts.interrupted() else failures.failure_of(error)
    if os.environ.get("CONVERTKIT_DEBUG") and failure is not INTERRUPTION:
        import traceback

        traceback.print_exception(error)
    try:
        return failures.report(failure, as_json=failures.wants_json(words))
    except BrokenPipeError as closed:
        _pipe_is_closed(closed)
        return failure.exit_code
