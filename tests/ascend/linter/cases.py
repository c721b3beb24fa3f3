"""For every rule about the file a tiny graph that breaks it alone, and its corrected twin."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import onnx
from convertkit_ascend import ops
from onnx import AttributeProto, TensorProto, helper

from tests.ascend.linter.graphs import named

Edit = Callable[[onnx.ModelProto], None]
InputShape = dict[str, tuple[int, ...]]

RELU = "(float[2] x) => (float[2] y) { y = Relu (x) }"
ADD = "(float[2] x) => (float[2] y) <float[2] w = {1, 2}> { r = Relu (x) y = Add (r, w) }"
SELF = "(float[2] x) => (float[2] y) { y = Add (x, x) }"
NMS = """(float16[1,9,1,4] b, float16[1,9,3] s) => (float16[1,5,4] o)
{ o, q, c, n = BatchMultiClassNMS <iou_threshold = 0.5, score_threshold = 0.1, max_size_per_class = 5,
  max_total_size = 5> (b, s) }"""
ROI = """(float[1,4,8,8] f, float[1,4,4,4] g, float[2,5] r) => (float[2,4,7,7] y)
{ y = RoiExtractor <spatial_scale = [0.25, 0.125]> (f, g, r) }"""


CONV = """(float[1,2,4,4] x) => (float[1,1,4,4] y) <float[1,2,1,1] w = {1, 2}>
{ y = Conv <kernel_shape = [1, 1]> (x, w) }"""
JOIN = NMS.replace("[1,5,4] o)", "[1,5,4] p) <float16 high = {9}>").replace(
    "(b, s) }", "(b, s) p = Clip (o, high, high) }"
)


@dataclass(frozen=True)
class Case:
    """One rule, and how to get from a corrected graph to a broken one.

    Args:
        text: the graph. corrected: another one for the twin, where an edit does not tell the difference.
        spoil: makes the corrected graph a broken one.
        told: ``--input_shape`` of the broken one. mended: of the corrected one.
        opset: of the default domain. node: what the violation names.
    """

    rule: str
    text: str
    node: str
    spoil: Edit = lambda model: None
    corrected: str = ""
    told: InputShape | None = None
    mended: InputShape | None = None
    opset: int = 11

    def broken(self) -> onnx.ModelProto:
        model = named(self.text, opset=self.opset).proto
        self.spoil(model)
        return model

    def twin(self) -> onnx.ModelProto:
        return named(self.corrected or self.text, opset=self.opset).proto


def rename(place: int, name: str) -> Edit:
    return lambda model: setattr(model.graph.node[place], "name", name)


def feed(place: int, number: int, name: str) -> Edit:
    def edit(model: onnx.ModelProto) -> None:
        model.graph.node[place].input[number] = name

    return edit


def write(place: int, number: int, name: str) -> Edit:
    def edit(model: onnx.ModelProto) -> None:
        model.graph.node[place].output[number] = name

    return edit


def attribute(place: int, item: AttributeProto) -> Edit:
    return lambda model: model.graph.node[place].attribute.append(item)


def no_data(name: str) -> Edit:
    """The initializer's data is cut off."""

    def edit(model: onnx.ModelProto) -> None:
        tensor = next(item for item in model.graph.initializer if item.name == name)
        tensor.CopyFrom(TensorProto(name=name, data_type=1, dims=[2], raw_data=b"\0" * 4))

    return edit


def retype(name: str, kind: int) -> Edit:
    def edit(model: onnx.ModelProto) -> None:
        tensor = next(item for item in model.graph.initializer if item.name == name)
        tensor.CopyFrom(TensorProto(name=name, data_type=kind, dims=[2], raw_data=b"\0" * 2))

    return edit


def external(location: str) -> Edit:
    """The first initializer's data lies in that file."""

    def edit(model: onnx.ModelProto) -> None:
        tensor = model.graph.initializer[0]
        tensor.CopyFrom(TensorProto(name=tensor.name, data_type=tensor.data_type, dims=tensor.dims))
        tensor.data_location = TensorProto.EXTERNAL
        tensor.external_data.add(key="location", value=location)

    return edit


def call_function(model: onnx.ModelProto) -> None:
    body = [helper.make_node("Relu", ["a"], ["b"])]
    function = helper.make_function("own", "Twice", ["a"], ["b"], body, [helper.make_opsetid("", 11)])
    model.functions.append(function)
    model.opset_import.append(helper.make_opsetid("own", 1))
    model.graph.node[0].op_type, model.graph.node[0].domain = "Twice", "own"


def into_own_domain(model: onnx.ModelProto) -> None:
    model.graph.node[0].domain = ops.DOMAIN
    model.opset_import.append(helper.make_opsetid(ops.DOMAIN, 1))


def constant_form(model: onnx.ModelProto) -> None:
    node = model.graph.node[0]
    del node.attribute[:]
    node.attribute.append(helper.make_attribute("value_floats", [1.0, 2.0]))


def sparse(model: onnx.ModelProto) -> None:
    del model.graph.initializer[:]
    values = helper.make_tensor("w", TensorProto.FLOAT, [1], [1.0])
    indices = helper.make_tensor("i", TensorProto.INT64, [1], [0])
    model.graph.sparse_initializer.append(helper.make_sparse_tensor(values, indices, [2]))


def no_type(model: onnx.ModelProto) -> None:
    model.graph.input[0].ClearField("type")


def no_shape(model: onnx.ModelProto) -> None:
    model.graph.input[0].type.tensor_type.ClearField("shape")


def sequence(model: onnx.ModelProto) -> None:
    kind = helper.make_sequence_type_proto(helper.make_tensor_type_proto(1, [2]))
    model.graph.input[0].type.CopyFrom(kind)


def element(kind: int) -> Edit:
    return lambda model: setattr(model.graph.input[0].type.tensor_type, "elem_type", kind)


def list_again(model: onnx.ModelProto) -> None:
    model.graph.input.append(model.graph.input[0])


def list_weight(model: onnx.ModelProto) -> None:
    model.graph.input.append(helper.make_tensor_value_info("w", 1, [2]))


def promise(model: onnx.ModelProto) -> None:
    model.graph.output[0].type.tensor_type.elem_type = TensorProto.INT64


def unknown_output(model: onnx.ModelProto) -> None:
    model.graph.output.append(helper.make_tensor_value_info("z", 1, [2]))


def fifth_output(model: onnx.ModelProto) -> None:
    model.graph.node[0].output.append("e")
    model.graph.output.append(helper.make_tensor_value_info("e", 1, [1]))


def utf8(model: onnx.ModelProto) -> None:
    model.doc_string = "here"
    wrong = model.SerializeToString().replace(b"here", b"h\xffre")
    model.ParseFromString(wrong)


def nobody_reads(model: onnx.ModelProto) -> None:
    model.graph.input.append(helper.make_tensor_value_info("spare", 1, [2]))


def unnamed_input(model: onnx.ModelProto) -> None:
    """A graph input has the name that the unnamed Relu gets."""
    model.graph.node[0].name = ""
    called("x", "Relu_0")(model)


def called(old: str, new: str) -> Edit:
    """A graph input is called differently, everywhere."""

    def edit(model: onnx.ModelProto) -> None:
        for value in model.graph.input:
            value.name = new if value.name == old else value.name
        for node in model.graph.node:
            for number, name in enumerate(node.input):
                node.input[number] = new if name == old else name

    return edit


TWICE = helper.make_attribute("axis", 0)
MISSPELT = helper.make_attribute("finest_scal", 28)
IMAGE_SIZE = helper.make_attribute("image_size", [8, 8])
LOW_SCORE = NMS.replace("score_threshold = 0.1", "score_threshold = -1.0")
MISCOUNTED = NMS.replace("max_total_size = 5", "max_total_size = 129").replace("[1,5,4]", "[1,129,4]")

CASES = [
    Case("invalid-utf8", RELU, "", utf8),
    Case(
        "opset-import-twice",
        RELU,
        "",
        lambda model: model.opset_import.append(helper.make_opsetid("ai.onnx", 12)),
    ),
    Case("domain-private", NMS, "n0", into_own_domain),
    Case("function-call", RELU, "n0", call_function),
    Case("node-name-generated", RELU, "<y>", unnamed_input, corrected=RELU),
    Case("input-name", ADD, "w_Initializer_0", called("x", "w_Initializer_0")),
    Case(
        "input-unnamed",
        RELU,
        "",
        lambda model: model.graph.input.append(helper.make_tensor_value_info("", 1, [2])),
    ),
    Case("input-twice", RELU, "x", list_again),
    Case("input-name-syntax", RELU, "x:0", called("x", "x:0")),
    Case(
        "attribute-twice",
        "(float[2] x) => (float[2] y) { y = Concat <axis = 0> (x) }",
        "n0",
        attribute(0, TWICE),
    ),
    Case("input-dangling", SELF, "n0", feed(0, 1, "nowhere")),
    Case("input-required", SELF, "n0", feed(0, 1, "")),
    Case("input-left-out", CONV, "n0", lambda model: model.graph.node[0].input.append("")),
    Case("name-empty", JOIN, "n1", lambda model: (write(0, 2, "")(model), feed(1, 1, "")(model))),
    Case("tensor-shadowed", ADD.replace("{ r", "{ q = Abs (x) r"), "n0", write(0, 0, "w"), corrected=ADD),
    Case("graph-cycle", "(float[2] x) => (float[2] y) { a = Add (x, x) y = Abs (a) }", "n0", feed(0, 1, "y")),
    Case("output-unknown", RELU, "z", unknown_output),
    Case("nms-inputs", NMS, "n0", lambda model: model.graph.node[0].input.extend(["", "", "b"])),
    Case("nms-outputs", NMS, "n0", fifth_output),
    Case(
        "constant-empty",
        "(float[2] x) => (float[2] y) { c = Constant <value = float[2] {1, 2}> () y = Add (x, c) }",
        "n0",
        constant_form,
    ),
    Case("sparse-initializer", ADD, "w", sparse),
    Case("weight-type", ADD, "w", retype("w", TensorProto.FLOAT8E5M2)),
    Case("weight-size", ADD, "w", no_data("w")),
    Case("external-outside", ADD, "w", external("../w.bin")),
    Case("external-missing", ADD, "w", external("w.bin")),
    Case("input-untyped", RELU, "x", no_type),
    Case("input-not-tensor", RELU, "x", sequence),
    Case("input-type-refused", RELU, "x", element(TensorProto.FLOAT8E4M3FNUZ)),
    Case("input-no-shape", RELU, "x", no_shape),
    Case("input-constant", ADD, "w", list_weight),
    Case("input-shape-missing", "(float[n] x) => (float[n] y) { y = Relu (x) }", "x", mended={"x": (2,)}),
    Case("input-shape-unknown", RELU, "image", told={"image": (2,)}, mended={"x": (2,)}),
    Case("input-shape-differs", RELU.replace("[2] y", "[n] y"), "x", told={"x": (3,)}, mended={"x": (2,)}),
    Case(
        "node-dead",
        "(float[2] x) => (float[2] y) { y = Relu (x) z = Abs (x) }",
        "n1",
        corrected=RELU,
    ),
    Case("input-unused", RELU, "spare", nobody_reads),
    Case("initializer-unused", ADD, "w", feed(1, 1, "r")),
    Case("output-declared", RELU, "y", promise),
    Case(
        "output-int64",
        "(float[2] x) => (int64[2] y) { y = Cast <to = 7> (x) }",
        "y",
        corrected="(float[2] x) => (int32[2] y) { y = Cast <to = 6> (x) }",
    ),
    Case("vendor-attribute", ROI, "n0", attribute(0, MISSPELT)),
    Case("nms-image-size", NMS, "n0", attribute(0, IMAGE_SIZE)),
    Case(
        "op-shape-unknown",
        "(float[1,3,8,8] x, float[1,4,4,2] g) => (float[1,3,4,4] y) { y = GridSampleV2 (x, g) }",
        "n0",
        corrected=RELU,
    ),
    Case("vendor-limit", LOW_SCORE, "n0", corrected=NMS),
    Case("vendor-note", MISCOUNTED, "n0", corrected=NMS),
]
