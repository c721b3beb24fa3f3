"""What a checkpoint of any origin holds, and its weights alone."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from convertkit.api.commands.pages import Block, Shown
from convertkit.api.commands.places import Place, located
from convertkit.storage.files import atomic_write, scratch_directory


class Weighed(Shown, dict[str, Any]):
    """What the worker found, its ``remarks``, and the file in ``output``."""

    checkpoint: Path

    def page(self) -> Iterator[Block]:
        parts = [self["format"], *([self["framework"]] if "framework" in self else [])]
        parts += [f"{self['tensors']} tensors", f"{self['parameters'] / 1e6:.1f} M parameters"]
        if "classes" in self:
            parts.append(f"{len(self['classes'])} classes")
        yield f"{self.checkpoint}: {', '.join(parts)}"
        if self["output"] is not None:
            yield f"wrote {self['output']}"


def weights(
    model: Place,
    checkpoint: Path,
    *,
    variant: str | None = None,
    output: Path | None = None,
    ema: bool = False,
    prefix: str = "",
) -> Weighed:
    """What a checkpoint holds; nothing in it is run. Its weights alone are written to ``output``."""
    from convertkit.conversion.examine import examine
    from convertkit.models.package import find_variant, read_spec

    root = located(str(model))
    spec = read_spec(root)
    job: dict[str, Any] = {
        "task": "weights",
        "weights": {"checkpoint": str(checkpoint.absolute()), "ema": ema},
        "prefix": prefix,
    }
    with contextlib.ExitStack() as stack:
        # the worker is another program: what it leaves where it is killed has to be ours
        if output is not None:
            room = stack.enter_context(scratch_directory(output.absolute()))
            job["output"] = str(room / output.name)
        found = examine(root.resolve(), spec, find_variant(root, spec, variant).spec, job)
        if output is not None:
            atomic_write(output, (room / output.name).read_bytes())
    made = Weighed({**found["report"], "remarks": found["remarks"], "output": output})
    made.checkpoint = checkpoint
    return made
