"""What lowering does to a graph around the vendor nodes, and what it refuses."""

from __future__ import annotations

from collections import Counter

import numpy as np
import onnx
import pytest
from convertkit_ascend import ops, twin

from convertkit.api.errors import ConvertkitError
from convertkit.api.graphs import detach, open_session
from convertkit.graph.validate import validate
from tests import graphtext
from tests.ascend.twin.graphs import vendor_graph

HEAD = """
    (float[1,2,8,8] high, float[1,2,4,4] low, float[6,5] rois, float[1,6,3] scores)
        => (float[6,2,2,2] pooled, float[1,4,4] boxes, float[1,4] best, float[6,2,2,2] again)
    <int64[1] one = {1}, int64[1] five = {5}, int64[4] dims = {1, 6, 1, 4}>
    {
        pooled = convertkit.ascend.RoiExtractor <finest_scale = 8, spatial_scale = [0.25, 0.125],
            pooled_height = 2, pooled_width = 2> (high, low, rois)
        corners = Slice (rois, one, five, one)
        candidates = Reshape (corners, dims)
        boxes, best = convertkit.ascend.BatchMultiClassNMS <score_threshold = 0.05, iou_threshold = 0.5,
            max_size_per_class = 6, max_total_size = 4> (candidates, scores)
        again = convertkit.ascend.RoiExtractor <finest_scale = 8, spatial_scale = [0.25, 0.125],
            pooled_height = 2, pooled_width = 2> (high, low, rois)
    }
"""


def head():
    return graphtext.parse(HEAD, domains=[ops.DOMAIN])


def values(signature):
    random = np.random.default_rng(0)
    found = {
        item.name: random.uniform(0, 1, [dim.dim_value for dim in item.type.tensor_type.shape.dim]).astype(
            np.float32
        )
        for item in signature
    }
    found["rois"] = np.array(
        [[0, 0, 0, 9, 9], [0, 1, 0, 9, 9], [0, 3, 3, 30, 30], [0, 4, 4, 31, 30], [0, 20, 20, 22, 22], [0, 5, 5, 5, 5]],
        np.float32,
    )  # fmt: skip
    return found


def test_a_graph_without_vendor_nodes_comes_back_as_it_is():
    model = graphtext.parse("(float[2] x) => (float[2] y) { y = Relu(x) }", opset=18)

    assert twin.lower(model) is model


@pytest.mark.parametrize("semantics", twin.SEMANTICS)
def test_several_vendor_nodes_in_one_graph(semantics):
    before = head()
    inputs = values(before.proto.graph.input)

    after = twin.lower(before, semantics)

    validate(after)
    found = open_session(after, optimize=False).run(inputs)
    attributes = {"finest_scale": 8, "spatial_scale": [0.25, 0.125], "pooled_height": 2, "pooled_width": 2}
    features = [inputs["high"], inputs["low"], inputs["rois"]]
    (pooled,) = ops.get("RoiExtractor").compute("ideal", features, attributes)
    np.testing.assert_allclose(found["pooled"], pooled, rtol=1e-5)
    np.testing.assert_array_equal(found["again"], found["pooled"])
    boxes, best, _, _ = ops.get("BatchMultiClassNMS").compute(
        semantics,
        [inputs["rois"][None, :, None, 1:], inputs["scores"]],
        {"score_threshold": 0.05, "iou_threshold": 0.5, "max_size_per_class": 6, "max_total_size": 4},
    )
    np.testing.assert_array_equal(found["boxes"], boxes)
    np.testing.assert_array_equal(found["best"], best)


def test_inputs_outputs_and_imports_afterwards():
    before = head()

    after = twin.lower(before)

    assert list(after.proto.graph.input) == list(before.proto.graph.input)
    assert list(after.proto.graph.output) == list(before.proto.graph.output)
    assert [(item.domain, item.version) for item in after.proto.opset_import] == [("", 11)]
    assert {node.domain for node in after.proto.graph.node} == {""}


def test_shape_inference_finds_the_static_shapes_again():
    after = twin.lower(head())
    del after.proto.graph.value_info[:]
    for value in after.proto.graph.output:
        value.type.tensor_type.ClearField("shape")

    inferred = onnx.shape_inference.infer_shapes(after.proto, strict_mode=True)

    assert list(inferred.graph.output) == list(head().proto.graph.output)


def test_the_model_before_is_not_touched():
    before = head()
    digest = before.digest()

    twin.lower(before)

    assert before.digest() == digest


def test_the_same_graph_gives_the_same_twin():
    assert twin.lower(head()).digest() == twin.lower(head()).digest()


def test_only_outputs_that_are_read_cost_nodes():
    inputs = {"boxes": (np.float32, (1, 5, 1, 4)), "scores": (np.float32, (1, 5, 2))}
    attributes = {
        "score_threshold": 0.05, "iou_threshold": 0.5, "max_size_per_class": 5, "max_total_size": 5,
    }  # fmt: skip

    full, part = (
        twin.lower(vendor_graph("BatchMultiClassNMS", inputs, attributes, outputs=outputs))
        for outputs in (None, ["nmsed_boxes"])
    )

    classes = ["Mul", "Sub", "Cast", "Concat", "Gather"]
    count = ["Greater", "Cast", "ReduceSum"]
    gone = Counter(item.op_type for item in full.proto.graph.node)
    gone.subtract(item.op_type for item in part.proto.graph.node)
    assert +gone == Counter([*classes, *count, "Reshape"])  # of the scores


def test_a_detached_weight_reaches_the_twin():
    model = head()
    (index,) = [i for i, item in enumerate(model.proto.graph.input) if item.name == "high"]
    del model.proto.graph.input[index]
    feature = np.random.default_rng(0).standard_normal((1, 2, 12, 12)).astype(np.float32)
    model.proto.graph.initializer.append(onnx.numpy_helper.from_array(feature, "high"))
    light = detach(model.proto)
    assert light.weights

    after = twin.lower(light)

    validate(after)
    inputs = values(after.proto.graph.input)
    found = open_session(after).run(inputs)["pooled"]
    attributes = {"finest_scale": 8, "spatial_scale": [0.25, 0.125], "pooled_height": 2, "pooled_width": 2}
    (wanted,) = ops.get("RoiExtractor").compute("ideal", [feature, inputs["low"], inputs["rois"]], attributes)
    np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-6)


def refused(model, semantics="ideal"):
    with pytest.raises(ConvertkitError) as caught:
        twin.lower(model, semantics)
    assert "\n" not in str(caught.value)
    return caught.value


def test_unknown_semantics():
    assert "device" in refused(head(), "device").message


@pytest.mark.parametrize("opset", [10, 17])
def test_opset_outside_the_window(opset):
    model = head()
    model.proto.opset_import[0].version = opset

    error = refused(model)

    assert error.exit_code == 3
    assert error.message == f"heads are lowered at opset 11 to 16, the graph has {opset}"


def test_open_channels():
    model = head()
    model.proto.graph.input[0].type.tensor_type.shape.dim[1].dim_param = "c"
    del model.proto.graph.node[1:], model.proto.graph.output[1:]

    error = refused(model)

    assert error.exit_code == 3
    assert "input 0 has shape [1, 'c', 8, 8]" in error.message
    assert error.hint == 'axis 1 (c) of high is open: --input-shape "high:1,N,8,8"'


def test_unknown_operator_of_the_domain():
    model = head()
    model.proto.graph.node[0].op_type = "RoiExtracto"

    assert "did you mean 'RoiExtractor'" in str(refused(model))


def test_wrong_attribute():
    model = head()
    model.proto.graph.node[3].attribute[0].CopyFrom(onnx.helper.make_attribute("score_threshold", -1.0))

    assert "score_threshold" in refused(model).message


def test_shapes_that_do_not_fit():
    model = head()
    model.proto.graph.input[2].type.tensor_type.shape.dim[1].dim_value = 4

    assert "the columns of rois differs" in refused(model).message


def test_a_vendor_node_in_a_subgraph():
    model = head()
    inner = onnx.GraphProto()
    inner.name = "branch"
    node = inner.node.add()
    node.CopyFrom(model.proto.graph.node[0])
    node.name, node.output[0] = "hidden", "inner"
    inner.output.add().CopyFrom(model.proto.graph.output[0])
    inner.output[0].name = "inner"
    condition = onnx.numpy_helper.from_array(np.array(True), "condition")
    model.proto.graph.initializer.append(condition)
    branch = onnx.helper.make_node(
        "If", ["condition"], ["chosen"], "if", then_branch=inner, else_branch=inner
    )
    model.proto.graph.node.append(branch)
    model.proto.graph.output[3].name = "chosen"

    assert "'hidden' is in a subgraph" in refused(model).message
