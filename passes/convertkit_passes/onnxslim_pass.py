"""``onnxslim``: the tool of that name, which is not installed with convertkit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from convertkit.api import adapters, errors, passes

if TYPE_CHECKING:
    from onnx import ModelProto


class Onnxslim(passes.ModelPass):
    """Fold, fuse and prune with onnxslim (pip install onnxslim).

    Options:
        skip: its fusion patterns to leave out, such as ``FusionConvBN``.
    """

    name = "onnxslim"
    effect = "rounding"
    subgraphs = "reads"
    weights = True
    skip: tuple[str, ...] = ()

    def run(self, model: ModelProto) -> ModelProto:
        tool, skip = _tool(), list(self.skip) or None
        return adapters.keeping(lambda given: tool.slim(given, skip_fusion_patterns=skip), model)


def _tool() -> Any:
    try:
        import onnxslim
    except ImportError as error:
        line = "it needs the tool of that name, which is not installed"
        raise errors.UnavailableError(line, hint="pip install onnxslim") from error
    return onnxslim
