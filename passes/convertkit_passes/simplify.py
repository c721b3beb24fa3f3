"""``simplify``: onnxsim, kept at arm's length."""

from __future__ import annotations

import json
import sys
from copy import deepcopy
from typing import TYPE_CHECKING

from convertkit.api import errors, graphs, passes, system

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto

CHILD = [sys.executable, "-m", "convertkit_passes._simplify_child"]
MOST = 2**31 - (1 << 26)
"""Bytes of weights in a file for onnxsim, with 64 MiB left to the graph: protobuf ends at 2 GiB."""

TIME_LIMIT = 900.0
"""Seconds. The graphs this was made for take one or two."""


class Simplify(passes.LightPass):
    """Fold, fuse and prune with onnxsim, in a child process of its own.

    Weights that no fold or fusion can use do not travel: onnxsim sees them as graph inputs of known type and
    shape, and they come back as the initializers they were. Inputs and outputs keep their names, order and types, and
    inputs that have a default their default.

    Options:
        skip: onnxsim's optimizers to leave out, such as ``fuse_bn_into_conv``.
        fold_limit: bytes; Tile, Expand and ConstantOfShape are not folded into constants larger than this.
    """

    name = "simplify"
    effect = "rounding"
    subgraphs = "reads"
    skip: tuple[str, ...] = ()
    fold_limit: int = 64 << 20

    def run(self, model: passes.LightModel) -> passes.LightModel:
        from convertkit_passes.weights import needed_weights, share_equal_weights

        shared = passes.LightModel(deepcopy(model.proto), model.weights)
        share_equal_weights(shared.proto)
        needed = needed_weights(shared)
        size = sum(shared.array(tensor).nbytes for tensor in shared.detached() if tensor.name in needed)
        if size > MOST:
            raise passes.PassError(
                f"onnxsim takes files of at most 2 GiB, and {size} bytes of weights may be folded or fused",
                hint="leave it out; fold-constants takes a graph of any size",
            )
        lean = graphs.weights_as_inputs(shared, embed=needed)
        defaults = {tensor.name for tensor in graphs.take_defaults(lean)}
        result = self._in_child(lean)
        _restore(result, shared, defaults)
        return graphs.detach(result, model.weights)

    def _in_child(self, lean: ModelProto) -> ModelProto:
        """Runs onnxsim on a file; a copy of the file is kept when that fails.

        Raises:
            PassError: onnxsim failed, crashed or ran past its time limit; names the file to try it again with.
        """
        import onnx

        options = json.dumps({"skip": list(self.skip), "fold_limit": self.fold_limit})
        with system.work_directory("simplify") as room:
            source, target = room / "model.onnx", room / "simplified.onnx"
            source.write_bytes(lean.SerializeToString(deterministic=True))
            try:
                system.run_child([*CHILD, source, target, options], timeout=TIME_LIMIT, name="onnxsim")
                return onnx.load_model(target)
            except errors.ProcessError as error:
                kept = system.keep_failure("simplify", source)
                hint = f"the graph it was given: {kept / source.name}" if kept else None
                raise passes.PassError(error.message, hint=hint) from error


def _restore(result: ModelProto, before: passes.LightModel, defaults: set[str]) -> None:
    """Gives the result the interface, the metadata and the idle weights of the model it was made from.

    Raises:
        PassError: onnxsim lost or renamed an output.
    """
    graph, old = result.graph, before.proto.graph
    names = [value.name for value in graph.output]
    if names != [value.name for value in old.output]:
        raise passes.PassError(f"onnxsim returned the outputs {', '.join(names)} in place of the model's own")
    _put_back_weights(graph, before, defaults)
    weights = {tensor.name for tensor in old.initializer} - {tensor.name for tensor in graph.initializer}
    # below IR version 4 weights are inputs: one that is folded now would become a required one
    del graph.input[:]
    graph.input.extend(value for value in old.input if value.name not in weights)
    _keep_types(graph, old)
    del result.metadata_props[:]
    result.metadata_props.extend(before.proto.metadata_props)


def _put_back_weights(graph: GraphProto, before: passes.LightModel, defaults: set[str]) -> None:
    wanted = graphs.names_read(graph) & {tensor.name for tensor in before.detached()}
    wanted = (wanted | defaults) - {tensor.name for tensor in graph.initializer}
    graph.initializer.extend(tensor for tensor in before.proto.graph.initializer if tensor.name in wanted)
    # in the order that they had, so that a graph with nothing left to do stays as it is
    places = {tensor.name: place for place, tensor in enumerate(before.proto.graph.initializer)}
    ordered = sorted(
        map(deepcopy, graph.initializer), key=lambda tensor: places.get(tensor.name, len(places))
    )
    del graph.initializer[:]
    graph.initializer.extend(ordered)


def _keep_types(graph: GraphProto, old: GraphProto) -> None:
    """Outputs may gain static dimensions, never another element type.

    Raises:
        PassError: an output changed its type.
    """
    for new, given in zip(graph.output, old.output, strict=True):
        if new.type.tensor_type.elem_type != given.type.tensor_type.elem_type:
            raise passes.PassError(f"onnxsim changed the type of output {given.name!r}")
