"""Rules about what connects nodes: the parser does it by tensor name and does not miss an end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import onnx
from onnx.defs import OpSchema

from convertkit.api import graphs
from convertkit_ascend import ops
from convertkit_ascend.domain import plain
from convertkit_ascend.linter.order import in_order
from convertkit_ascend.linter.rule import Spot, rule
from convertkit_ascend.linter.schemas import label, node_schema
from convertkit_ascend.linter.stand_ins import TWINS_OF, VENDOR_DOMAIN
from convertkit_ascend.linter.subject import Subject

_IR_OUTPUTS = 4
"""Of BatchMultiClassNonMaxSuppression (ascend-facts: nms-plugin)."""


@rule(
    "input-dangling",
    fix="connect it to a tensor that exists",
    source="ascend-facts: parser-edges; only a warning in the log; E11019 later [run / read]",
)
def input_dangling(subject: Subject) -> Iterator[Spot]:
    """Every tensor that a node reads is produced somewhere; the parser leaves the input open without refusing."""
    known = subject.constants | set(subject.produced) | {value.name for value in subject.inputs}
    sparse = {item.values.name for item in subject.graph.sparse_initializer}
    for node in subject.graph.node:
        for name in dict.fromkeys(node.input):
            if name and name not in known and name not in sparse:
                yield Spot.at(node, f"nothing produces its input {name}")


@rule(
    "input-required",
    fix="connect it",
    source="ascend-facts: parser-edges; refused in the infer-shape pass [run], E11019 [read]",
    hides=("min-inputs", "shape-dynamic"),
)
def input_required(subject: Subject) -> Iterator[Spot]:
    """Inputs that an operator requires are connected; the parser itself does not ask."""
    for node in subject.graph.node:
        missing = [place for place in _required(node, subject) if not "".join(node.input[place : place + 1])]
        if missing:
            yield Spot.at(node, f"it has no input {', '.join(map(str, missing))}")


COUNTED = frozenset(
    (
        *("Conv", "ConvTranspose", "Gemm", "LayerNormalization", "NonMaxSuppression", "Split"),
        *("ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp", "ReduceMax", "ReduceMean", "ReduceMin"),
        *("ReduceProd", "ReduceSum", "ReduceSumSquare"),
    )
)
"""Operators whose plugin makes as many inputs as the node lists; Clip and Resize look at the names instead."""


@rule(
    "input-left-out",
    fix="list one input less (legalize-ascend does), or give it its default",
    source="ascend-facts: parser-empty-name; Conv, the full parse fails, the pre-check passes [run]; others [read]",
)
def input_left_out(subject: Subject) -> Iterator[Spot]:
    """Operators whose plugin counts the inputs have none left out by an empty name."""
    for node in graphs.every_node(subject.graph):
        missing = {place for place, name in enumerate(node.input) if not name}
        if not missing or plain(node.domain) or node.op_type not in COUNTED:
            continue
        if missing.isdisjoint(_required(node, subject)):  # that is input-required
            places = ", ".join(map(str, sorted(missing)))
            yield Spot.at(node, f"input {places} is left out by an empty name, but counted")


@rule(
    "name-empty",
    fix="give every output a name (legalize-ascend does)",
    source="ascend-facts: parser-empty-name; parsing succeeds [run] (onnx_parser.cc, SetOperatorInputs)",
    hides=("input-left-out",),
)
def name_empty(subject: Subject) -> Iterator[Spot]:
    """No input is left out by an empty name beside an unnamed output: the parser joins them, as any two of one name."""
    for graph in graphs.every_graph(subject.graph):
        places = [(node, place) for node in graph.node for place, name in enumerate(node.output) if not name]
        for node in graph.node if places else ():
            missing = [str(place) for place, name in enumerate(node.input) if not name]
            if missing:
                writer, place = places[-1]  # of several the last one wins
                why = f"input {', '.join(missing)} is left out, the parser joins it to the unnamed output {place} of"
                yield Spot.at(node, f"{why} {label(writer)}")


@rule(
    "tensor-shadowed",
    fix="give the node's output a name of its own",
    source="ascend-facts: parser-names; edges by tensor name, of two producers one silently wins [derived]",
)
def tensor_shadowed(subject: Subject) -> Iterator[Spot]:
    """No node writes a tensor that is a graph input or an initializer too."""
    given = subject.constants | {value.name for value in subject.inputs}
    for node in subject.graph.node:
        for name in node.output:
            if name in given:
                what = "an initializer" if name in subject.constants else "a graph input"
                yield Spot.at(node, f"it writes {name}, which is {what}")


@rule(
    "graph-cycle",
    fix="break the circle",
    source="ONNX: a graph has no cycles; node order itself is free (ascend-facts: parser-names [run])",
    stops="types",
)
def graph_cycle(subject: Subject) -> Iterator[Spot]:
    """No tensor depends on itself."""
    _, rest = in_order(subject.graph.node)
    if rest:
        names = ", ".join(label(node) for node in rest[:3])
        yield Spot.at(rest[0], f"{len(rest)} nodes depend on each other: {names}")


@rule(
    "output-unknown",
    fix="name a tensor that a node writes",
    source='ascend-facts: parser-outputs; E19999 "Cannot find output" [run]',
)
def output_unknown(subject: Subject) -> Iterator[Spot]:
    """Every graph output is a tensor of the graph."""
    known = subject.constants | set(subject.produced) | {value.name for value in subject.graph.input}
    for value in subject.graph.output:
        if value.name not in known:
            yield Spot(value.name, "no node writes this graph output")


@rule(
    "nms-inputs",
    fix="boxes, scores, clip_window and num_valid_boxes are all there are",
    source="ascend-facts: nms-plugin; refused [run]",
)
def nms_inputs(subject: Subject) -> Iterator[Spot]:
    """BatchMultiClassNMS has at most four inputs."""
    for node in _nms(subject):
        if len(node.input) > 4:
            yield Spot.at(node, f"it has {len(node.input)} inputs")


@rule(
    "nms-outputs",
    fix="leave the output out",
    source="ascend-facts: nms-plugin; ignored; as graph output the net output cannot be built, "
    "although the parse says success [run]",
)
def nms_outputs(subject: Subject) -> Iterator[Spot]:
    """Nobody reads a fifth output of BatchMultiClassNMS: there are four."""
    for node in _nms(subject):
        for name in node.output[_IR_OUTPUTS:]:
            if name in subject.read:
                yield Spot.at(node, f"its output {name} does not exist on the chip")


def _nms(subject: Subject) -> list[onnx.NodeProto]:
    found = {"BatchMultiClassNMS", *TWINS_OF}
    return [
        node
        for node in subject.graph.node
        if node.op_type in found and plain(node.domain) in ("", VENDOR_DOMAIN)
    ]


def _required(node: onnx.NodeProto, subject: Subject) -> Sequence[int]:
    """Places of the inputs that a node must have."""
    name = TWINS_OF.get(node.op_type, node.op_type)
    if plain(node.domain) in ("", ops.DOMAIN, VENDOR_DOMAIN) and name in ops.names():
        formals = ops.get(name).inputs
        if formals[-1].option == "variadic":
            return range(max(len(node.input), 2))
        return [place for place, item in enumerate(formals) if item.option == "single"]
    schema = node_schema(node.op_type, node.domain, subject.imports.get(plain(node.domain), 1))
    if schema is None:
        return ()
    single = OpSchema.FormalParameterOption.Single
    needed = [place for place, formal in enumerate(schema.inputs) if formal.option == single]
    if node.op_type != "Resize" or len(needed) < 3:
        return needed
    # at opset 11 and 12 its plugin takes an empty name for roi [run], and for scales where there are sizes [read]
    return [0] if "".join(node.input[3:4]) else [0, 2]
