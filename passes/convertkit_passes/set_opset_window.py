"""``set-opset-window``: a clear refusal before a compiler gives an unclear one."""

from __future__ import annotations

import convertkit


class SetOpsetWindow(convertkit.LightPass):
    """Refuse a model whose opset lies outside a window, or whose nodes are of a domain it does not import.

    Nothing is converted: between opsets operators change their meaning, so the exporter has to write the right one.

    Options:
        min: the lowest opset that is accepted.
        max: the highest opset that is accepted.
    """

    name = "set-opset-window"
    effect = "exact"
    min: int = 11
    max: int = 16

    def run(self, model: convertkit.LightModel) -> convertkit.LightModel:
        if self.min > self.max:
            raise convertkit.UsageError(f"the opset window {self.min} to {self.max} is empty")
        versions = {
            "" if item.domain == "ai.onnx" else item.domain: item.version for item in model.proto.opset_import
        }
        version = versions.get("")
        if version is None:
            raise convertkit.PassError(
                "the model does not say which ONNX opset it uses", hint="export it again"
            )
        if not self.min <= version <= self.max:
            raise convertkit.PassError(
                f"the model uses opset {version}, which is outside {self.min} to {self.max}",
                hint=f"export it with opset_version={self.max if version > self.max else self.min}",
            )
        for node in convertkit.every_node(model.proto.graph):
            if (node.domain if node.domain != "ai.onnx" else "") not in versions:
                raise convertkit.PassError(
                    f"node {node.name!r} ({node.op_type}) is of domain {node.domain!r}, which is not imported",
                    hint=f"add {node.domain!r} to the model's opset_import",
                )
        return model
