"""The reproducer: a directory with everything it takes to see a pass fail, seen to fail before it is announced."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from convertkit.bisection.attempt import Attempt, Named, alike, attempt
from convertkit.bisection.report import Reproducer
from convertkit.conversion.keys import tool_versions
from convertkit.errors import PassError, UsageError
from convertkit.graph.io import load, save
from convertkit.graph.npz import read_arrays, write_arrays
from convertkit.passes.base import Pass
from convertkit.passes.options import step_text
from convertkit.passes.running import Opener, open_on_host
from convertkit.storage.files import atomic_directory

README = "README.md"
FILES = (README, "before.onnx", "after.onnx", "inputs.npz", "expected.npz", "got.npz")


@dataclass(frozen=True)
class Story:
    """What the reproducer's reader should know.

    Attributes:
        subject: what was bisected.
        why: how the pass failed there.
        earlier: names of the passes that had run before.
        whole: number of nodes of the graph before the pass.
        declared: the pass as its author wrote it; the one that is tried may be judged by a stricter effect.
        plugins: single-file plugins to load.
        runtime: command line words for a runtime other than onnxruntime.
    """

    subject: str
    why: str
    earlier: tuple[str, ...]
    whole: int
    declared: Pass
    plugins: tuple[str, ...] = ()
    runtime: tuple[str, ...] = ()


def refuse_existing(directory: Path, *, force: bool) -> None:
    """Says before the work that the reproducer has no place.

    Raises:
        UsageError: something is there; with ``force``, something that is no reproducer.
    """
    if not directory.exists() and not directory.is_symlink():
        return
    if not force:
        raise UsageError(
            f"{directory} is there already", hint="--force replaces it; or choose another --output"
        )
    names = {path.name for path in directory.iterdir()} if directory.is_dir() else {"a file"}
    if directory.is_symlink() or not names <= set(FILES):
        raise UsageError(
            f"{directory} is no reproducer, so --force does not replace it", hint="choose another --output"
        )


def write(
    directory: Path,
    step: Pass,
    shown: Attempt,
    story: Story,
    opener: Opener = open_on_host,
    *,
    force: bool = False,
) -> Reproducer:
    """Writes the directory, reads it back and runs the pass on it, then gives it its name.

    Args:
        step: the pass under the effect by which it was judged.
        shown: how it fails.

    Raises:
        UsageError: something else is at ``directory``.
        PassError: what was written does not show the failure; nothing is left.
    """
    refuse_existing(directory, force=force)
    command = _command(step, story)
    with atomic_directory(directory, replace=force) as room:
        save(shown.before, room / "before.onnx")
        if shown.after is not None:
            save(shown.after, room / "after.onnx")
        for name, arrays in (("inputs", shown.inputs), ("expected", shown.expected), ("got", shown.got)):
            if arrays is not None:
                write_arrays(room / f"{name}.npz", arrays)
        (room / README).write_text(_readme(step, shown, story, command))
        _try_again(room, step, shown, opener)
    nodes = len(shown.before.proto.graph.node)
    return Reproducer(str(directory), nodes, story.whole, shown.failure.why, command)


def _try_again(room: Path, step: Pass, shown: Attempt, opener: Opener) -> None:
    """Raises a PassError unless the files alone show the failure, with the values that were written down."""
    again = attempt(step, load(room / "before.onnx"), read_arrays(room / "inputs.npz"), opener)
    if again is None or not alike(again.failure, shown.failure):
        raise PassError(f"pass {step.name}: it does not fail again on what was written of it")
    for name, have in (("expected", again.expected), ("got", again.got)):
        if have is not None and not _equal(have, read_arrays(room / f"{name}.npz")):
            raise PassError(f"pass {step.name}: it fails again, but with other values each time")


def _equal(one: Named, other: Named) -> bool:
    return one.keys() == other.keys() and all(
        np.array_equal(value, other[name], equal_nan=value.dtype.kind == "f") for name, value in one.items()
    )


def _command(step: Pass, story: Story) -> str:
    """``opt`` fails on it; ``bisect`` says so where the pass is not judged as ``opt`` judges it."""
    stricter = step.effect != story.declared.effect
    verb = "bisect" if stricter or story.runtime else "opt"
    words = ["convertkit", verb, "before.onnx", "-p", step_text(step), "--inputs", "inputs.npz"]
    words += ["--effect", step.effect] if stricter else []
    words += story.runtime
    if story.declared.requires:
        words += ["--done", ",".join(story.earlier)]
    for plugin in story.plugins:
        words += ["--plugin", plugin]
    return shlex.join(words)


def _readme(step: Pass, shown: Attempt, story: Story, command: str) -> str:
    stricter = "" if step.effect == story.declared.effect else f", judged here as {step.effect}"
    earlier = ", ".join(story.earlier) or "none"
    tools = ", ".join(f"{name} {version}" for name, version in tool_versions().items())
    rows = [
        f"* `before.onnx`: {len(shown.before.proto.graph.node)} of {story.whole} nodes of the graph it was given"
    ]
    rows += ["* `after.onnx`: what it makes of them"] if shown.after is not None else []
    rows += ["* `inputs.npz`: inputs by name", "* `expected.npz`: what `before.onnx` computes from them"]
    rows += ["* `got.npz`: what `after.onnx` computes from them"] if shown.got is not None else []
    return "\n".join(
        [
            f"# {step_text(step)}",
            "",
            f"Found by `convertkit bisect` in {story.subject}, after the passes: {earlier}.",
            f"Declared effect: {story.declared.effect}{stricter}.",
            "",
            f"There: {story.why}",
            "",
            f"Here: {shown.failure.why}",
            "",
            *(
                [f"There, with this part alone rewritten: {shown.consequence}", ""]
                if shown.consequence
                else []
            ),
            *rows,
            "",
            "To see it again, in this directory:",
            "",
            f"    {command}",
            "",
            f"Written with {tools}.",
            "",
        ]
    )
