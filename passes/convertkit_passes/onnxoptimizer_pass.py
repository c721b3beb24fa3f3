"""``onnxoptimizer``: the tool of that name, which is not installed with convertkit, in a child process."""

from __future__ import annotations

import json
import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING

from convertkit.api import adapters, errors, passes, system

if TYPE_CHECKING:
    from onnx import ModelProto

CHILD = [sys.executable, "-m", "convertkit_passes._onnxoptimizer_child"]
TIME_LIMIT = 900.0
"""Seconds."""


class Onnxoptimizer(passes.ModelPass):
    """Fuse and eliminate with onnxoptimizer (pip install onnxoptimizer), in a child process of its own.

    Options:
        only: its passes to run, in order, such as ``fuse_bn_into_conv``; by default all that fuse or eliminate.
    """

    name = "onnxoptimizer"
    effect = "rounding"
    subgraphs = "reads"
    weights = True
    only: tuple[str, ...] = ()

    def run(self, model: ModelProto) -> ModelProto:
        if find_spec("onnxoptimizer") is None:
            line = "it needs the tool of that name, which is not installed"
            raise errors.UnavailableError(line, hint="pip install onnxoptimizer")
        return adapters.keeping(self._in_child, model)

    def _in_child(self, model: ModelProto) -> ModelProto:
        import onnx

        with system.work_directory("onnxoptimizer") as room:
            source, target = room / "model.onnx", room / "optimized.onnx"
            source.write_bytes(model.SerializeToString(deterministic=True))
            try:
                system.run_child(
                    [*CHILD, source, target, json.dumps(self.only)], timeout=TIME_LIMIT, name="onnxoptimizer"
                )
            except errors.ProcessError as error:
                kept = system.keep_failure("onnxoptimizer", source)
                hint = f"the graph it was given: {kept / source.name}" if kept else None
                raise passes.PassError(error.message, hint=hint) from error
            return onnx.load_model(target)
