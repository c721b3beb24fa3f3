"""The last step: the target's compiler, and the files of the artifact sealed in the store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from convertkit.build.events import Progress, silent
from convertkit.files import scratch_directory
from convertkit.graph.io import save

if TYPE_CHECKING:
    from convertkit.build.events import Report
    from convertkit.build.store import Entry, Store
    from convertkit.graph.light import LightModel
    from convertkit.targets.base import Target


def compile_model(
    target: Target, model: LightModel, key: str, store: Store, report: Report = silent
) -> Entry:
    """Compiles into a scratch directory and seals ``model.onnx`` with whatever the target adds."""
    with scratch_directory(store.root / "compile") as scratch:
        target.telling(lambda line: report(Progress(line, 0, 0))).compile(model, scratch)
        save(model, scratch / "model.onnx")
        files = [(path.name, path) for path in sorted(scratch.iterdir()) if path.is_file()]
        return store.put_files(key, files)
