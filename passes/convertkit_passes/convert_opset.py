"""``convert-opset``: the same graph in another version of ONNX's operators."""

from __future__ import annotations

from typing import TYPE_CHECKING

from convertkit.api import graphs, passes

if TYPE_CHECKING:
    from convertkit_passes.opsets.walk import Conversion, Refusal

LOWEST = 11
"""Below, axes cannot be negative, Slice has no inputs, and no target wants it."""


class ConvertOpset(passes.LightPass):
    """Write the graph in another opset, up or down, without changing what it computes.

    Only nodes whose operator changes in between are touched, those inside bodies of If, Loop and Scan too; operators of
    other domains and all weights stay. It belongs in front of passes that need an opset, such as the fuse-passes, and
    behind ``set-input-shape``: some nodes need sizes to be written otherwise. An operator that the opset does not have
    is written as ONNX defines it by others (LayerNormalization, Gelu, HardSwish), which rounds otherwise.

    Options:
        to: the opset, 11 or more; the graph may be of an earlier one.
    """

    name = "convert-opset"
    effect = "rounding"
    after = ("set-input-shape", "inline-functions")
    before = ("fuse-multilevel-roialign", "fuse-multiclass-nms", "set-opset-window")
    to: int = 16

    def run(self, model: passes.LightModel) -> passes.LightModel:
        done = self._convert(model)
        if done is None:
            return model
        if done.refusals:
            first, *others = done.refusals
            more = f" (and {len(others)} more: opt --explain {self.name})" if others else ""
            raise passes.PassError(f"{_label(first)}: {_reason(first)}{more}", hint=self._remedy(first))
        return done.model

    def explain(self, model: passes.LightModel) -> tuple[passes.Finding, ...]:
        """The operators that are written otherwise, then every node that is in the way."""
        done = self._convert(model)
        if done is None:
            return ()
        changed = (
            passes.Finding("matched", op, f"{count} written for opset {self.to}")
            for op, count in done.changed.items()
        )
        refused = (
            passes.Finding("refused", _label(item), f"{_reason(item)}; {self._remedy(item)}")
            for item in done.refusals
        )
        return (*changed, *refused)

    def _convert(self, model: passes.LightModel) -> Conversion | None:
        """The conversion; None where the graph is of that opset."""
        import onnx

        from convertkit_passes.opsets.walk import converted

        highest = onnx.defs.onnx_opset_version()
        if not LOWEST <= self.to <= highest:
            raise passes.UsageError(
                f"to is {self.to}, onnx {onnx.__version__} converts to {LOWEST} to {highest}"
            )
        at = graphs.opsets_of(model.proto).get("")
        if at is None:
            raise passes.PassError("the model does not say which ONNX opset it uses", hint="export it again")
        if at > highest:
            raise passes.PassError(
                f"onnx {onnx.__version__} does not know opset {at}", hint="install a newer onnx"
            )
        if at != self.to and model.proto.functions:
            name = model.proto.functions[0].name
            raise passes.PassError(
                f"function {name!r} has an opset of its own",
                hint="put inline-functions in front of convert-opset",
            )
        return None if at == self.to else converted(model, at, self.to)

    def _remedy(self, item: Refusal) -> str:
        keeps = f"{self.name}{{to={item.keeps}}} keeps it"
        return f"{item.remedy}; {keeps}" if item.remedy else keeps


def _label(item: Refusal) -> str:
    return f"node {item.node.name or item.node.output[0]!r} ({item.node.op_type})"


def _reason(item: Refusal) -> str:
    return f"not in opset {item.opset}: {item.why}"
