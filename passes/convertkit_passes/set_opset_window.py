"""``set-opset-window``: a clear refusal before a compiler gives an unclear one."""

from __future__ import annotations

from typing import Any

from convertkit.api import graphs, passes


class SetOpsetWindow(passes.LightPass):
    """Refuse a model whose opset lies outside a window, or whose nodes are of a domain it does not import.

    Nothing is converted here: that is ``convert-opset``, which belongs in front of it.
    Functions that a model brings have an opset of their own, and are held to the same window.

    Options:
        min: the lowest opset that is accepted.
        max: the highest opset that is accepted.
    """

    name = "set-opset-window"
    effect = "exact"
    subgraphs = "reads"
    min: int = 11
    max: int = 16

    def run(self, model: passes.LightModel) -> passes.LightModel:
        if self.min > self.max:
            raise passes.UsageError(f"the opset window {self.min} to {self.max} is empty")
        if "" not in graphs.opsets_of(model.proto):
            raise passes.PassError("the model does not say which ONNX opset it uses", hint="export it again")
        self._judge("the model", model.proto, model.proto.graph)
        for function in model.proto.functions:
            self._judge(f"function {function.name!r}", function, function)
        return model

    def _judge(self, what: str, owner: Any, graph: Any) -> None:
        """Holds a model or a function against the window."""
        versions = graphs.opsets_of(owner)
        version = versions.get("", self.min)
        if not self.min <= version <= self.max:
            raise passes.PassError(
                f"{what} uses opset {version}, which is outside {self.min} to {self.max}",
                hint=graphs.opset_remedy(version, self.min, self.max),
            )
        for node in graphs.every_node(graph):
            if (node.domain if node.domain != "ai.onnx" else "") not in versions:
                raise passes.PassError(
                    f"node {node.name!r} ({node.op_type}) is of domain {node.domain!r}, which is not imported",
                    hint=f"add {node.domain!r} to the opset_import of {what}",
                )
