"""Where heads are, and what their schemas take."""

from __future__ import annotations

import onnx
import pytest

from convertkit.api import heads
from convertkit.graph.graph import open_graph
from tests import graphtext

AMONG_OTHERS = """(float[1,6,1,4] boxes, float[1,6,3] scores, float[1,6,3] more)
    => (float[1,5,4] b, float[1,5] s, float[1,5] c, int32[1] n, float[1,6,3] other) {
    other = Add(scores, more)
    third = Relu(boxes)
    b, s, c, n = convertkit.heads.MulticlassNms<score_threshold=0.1, iou_threshold=0.5, max_size_per_class=4,
        max_total_size=5>(boxes, scores)
}"""


def test_sized_gives_every_nms_and_nothing_else():
    graph = open_graph(graphtext.parse(AMONG_OTHERS, domains=[heads.HEADS]))
    with heads.annotated(graph):
        (found,) = list(heads.sized(graph))

    assert (found.batch, found.count, found.shared, found.classes) == (1, 6, 1, 3)
    assert (found.boxes.name, found.scores.name, found.where) == ("boxes", "scores", "b")


def test_a_node_without_a_name_is_named_after_its_output():
    graph = open_graph(graphtext.parse("(float[3] x) => (float[3] y) { y = Relu(x) }"))
    (node,) = graph.nodes

    node.name = ""
    assert heads.name_of(node) == "y"
    node.name = "relu"
    assert heads.name_of(node) == "relu"


@pytest.mark.parametrize(("told", "kind"), [({}, "Finding"), ({"unsized": True}, "OpenSize")])
def test_a_refusal_is_for_an_open_size_only_where_it_says_so(told, kind):
    finding = heads.Refused("it differs", **told).finding("node")

    assert (type(finding).__name__, finding.status, finding.why) == (kind, "refused", "it differs")


@pytest.mark.parametrize(("kind", "fits"), [("int32", True), ("int64", False)])
def test_numbers_of_boxes_are_int32(kind, fits):
    heads.DOMAIN.register_schemas()
    model = graphtext.parse(
        f"""(float[1,6,1,4] boxes, float[1,6,3] scores, float[1,4] window, {kind}[1] used) => (float[1,5,4] b) {{
        b, s, c, n = convertkit.heads.MulticlassNms<score_threshold=0.1, iou_threshold=0.5, max_size_per_class=4,
            max_total_size=5>(boxes, scores, window, used)
    }}""",
        domains=[heads.HEADS],
    )

    if fits:
        onnx.shape_inference.infer_shapes(model.proto, strict_mode=True)
        return
    with pytest.raises(onnx.shape_inference.InferenceError, match="int32"):
        onnx.shape_inference.infer_shapes(model.proto, strict_mode=True)


@pytest.mark.parametrize(("levels", "fits"), [(0, False), (1, True), (3, True)])
def test_a_roi_head_has_one_level_at_least(levels, fits):
    heads.DOMAIN.register_schemas()
    names = [f"f{index}" for index in range(levels)]
    values = [onnx.helper.make_tensor_value_info(name, 1, [1, 2, 8, 8]) for name in names]
    rois = onnx.helper.make_tensor_value_info("rois", 1, [4, 5])
    node = onnx.helper.make_node(
        "MultilevelRoiAlign", [*names, "rois"], ["y"], domain=heads.HEADS, finest_scale=8,
        spatial_scale=[0.25] * max(levels, 1), output_height=2, output_width=2,
    )  # fmt: skip
    made = onnx.helper.make_graph(
        [node], "graph", [*values, rois], [onnx.helper.make_tensor_value_info("y", 1, [4, 2, 2, 2])]
    )
    imports = [onnx.helper.make_opsetid("", 11), onnx.helper.make_opsetid(heads.HEADS, heads.VERSION)]
    model = onnx.helper.make_model(made, opset_imports=imports, ir_version=8)

    if fits:
        onnx.checker.check_model(model)
        return
    with pytest.raises(onnx.checker.ValidationError, match="input size 1 not in range"):
        onnx.checker.check_model(model)


def read(text):
    return open_graph(graphtext.parse(text, domains=[heads.HEADS]))


def test_a_refusal_names_a_tensor_or_none():
    graph = read("(float[3] x) => (float[3] y) { y = Relu(x) }")

    told = [heads.Refused("why", *tensor) for tensor in ((), (graph.inputs[0],), ("z",))]

    assert [item.tensor for item in told] == ["", "x", "z"]
    assert [item.finding("node").tensor for item in told] == ["", "x", "z"]
    assert told[0].finding("node").where == "node" and not told[0].unsized


@pytest.mark.parametrize(
    ("open_one", "names"),
    [("", []), ("boxes", ["boxes"]), ("scores", ["scores"]), ("both", ["boxes"])],
)
def test_an_nms_of_open_size_is_told_once_by_the_first_tensor(open_one, names):
    text = AMONG_OTHERS
    if open_one in ("boxes", "both"):
        text = text.replace("[1,6,1,4] boxes", "[1,n,1,4] boxes")
    if open_one in ("scores", "both"):
        text = text.replace("[1,6,3] scores", "[1,n,3] scores").replace(
            "other = Add(scores, more)", "other = Relu(more)"
        )
    graph = read(text)

    with heads.annotated(graph):
        told, found = list(heads.unsized(graph)), list(heads.sized(graph))

    assert [(item.where, item.why, item.tensor) for item in told] == [
        ("b", f"{name} has no fixed size", name) for name in names
    ]
    assert {type(item).__name__ for item in told} <= {"OpenSize"}
    assert len(found) == (not names)


@pytest.mark.parametrize(
    ("inputs", "size"),
    [
        ("float[1,3,40,60] a", (60, 40)),
        ("float[1,1,40,60] a", (60, 40)),
        (
            "float[1,3,40,60] a, float[2,3,40,60] b, float[1,7] c, float[1,3,h,w] d, float[1,5,2,2] e",
            (60, 40),
        ),
    ],
)
def test_the_canvas_is_the_size_of_the_image_inputs(inputs, size):
    assert heads.canvas(read(f"({inputs}) => (float[1] y) {{ y = Relu(a) }}")) == size


@pytest.mark.parametrize(
    ("inputs", "many", "unsized"),
    [
        ("float[1,3,h,60] a", 0, True),
        ("float[1,5,40,60] a", 0, True),
        ("float[3,40,60] a", 0, True),
        ("float[1,3,40,60] a, float[1,3,60,40] b", 2, False),
    ],
)
def test_a_canvas_is_one_size(inputs, many, unsized):
    with pytest.raises(heads.Refused, match=f"^the graph has {many} image inputs of fixed size; ") as refused:
        heads.canvas(read(f"({inputs}) => (float[1] y) {{ y = Relu(a) }}"))

    assert refused.value.unsized is unsized


def test_an_annotated_graph_says_afterwards_what_it_said_before():
    graph = read(AMONG_OTHERS)
    third = next(node for node in graph.nodes if node.op == "Relu").outputs[0]

    with heads.annotated(graph):
        assert third.shape == [1, 6, 1, 4]

    assert (third.dtype, third.shape) == (None, None)


def test_an_operator_of_others_is_the_head_that_they_say():
    graph = read("(float[3] x) => (float[3] y) { y = Relu(x) }")
    (node,) = graph.nodes

    assert heads.head_of(node) == ""
    node.domain, node.op = heads.HEADS, "MulticlassNms"
    assert heads.head_of(node) == "MulticlassNms"


def test_sizes_are_those_of_boxes_and_scores_whatever_else_comes_in():
    text = AMONG_OTHERS.replace("[1,6,3] more)", "[1,6,3] more, float[n,4] window)")
    graph = read(text.replace("(boxes, scores)\n", "(boxes, scores, window)\n"))

    with heads.annotated(graph):
        (found,), told = list(heads.sized(graph)), list(heads.unsized(graph))

    assert len(found.node.inputs) == 3 and (found.count, told) == (6, [])
