"""The last step: the target's compiler, and the files of the artifact sealed in the store."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from convertkit.conversion.events import Progress, silent
from convertkit.storage.files import scratch_directory
from convertkit.targets.capabilities import leave

if TYPE_CHECKING:
    from convertkit.conversion.events import Report
    from convertkit.conversion.store import Entry, Store
    from convertkit.graph.light import LightModel
    from convertkit.targets.base import Target
    from convertkit.targets.context import CompileContext


def compile_model(
    target: Target,
    context: CompileContext,
    model: LightModel,
    key: str,
    store: Store,
    report: Report = silent,
) -> Entry:
    """Compiles into a scratch directory and seals ``model.onnx`` with whatever the target adds."""
    with scratch_directory(store.root / "compile") as scratch:
        leave(target, model, scratch, replace(context, tell=lambda line: report(Progress(line, 0, 0))))
        files = [(path.name, path) for path in sorted(scratch.iterdir()) if path.is_file()]
        return store.put_files(key, files)
