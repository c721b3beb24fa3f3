"""``freeze-defaults``: inputs that nobody means to override."""

from __future__ import annotations

from copy import deepcopy

from convertkit.api import graphs, passes


class FreezeDefaults(passes.LightPass):
    """Make graph inputs that have a default constant; a caller can no longer override them.

    ``torch.onnx.export(keep_initializers_as_inputs=True)``, which mmdet's own tools use, lists every weight as such an
    input. What a caller may override is folded, fused or matched by no other pass.
    """

    name = "freeze-defaults"
    effect = "semantic"
    subgraphs = "reads"
    before = ("simplify", "fold-constants", "cast-int64-to-int32")

    def run(self, model: passes.LightModel) -> passes.LightModel:
        frozen = {tensor.name for tensor in graphs.take_defaults(deepcopy(model.proto))}
        proto = deepcopy(model.proto)
        del proto.graph.input[:]
        proto.graph.input.extend(value for value in model.proto.graph.input if value.name not in frozen)
        return passes.LightModel(proto, model.weights)
