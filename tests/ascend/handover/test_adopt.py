"""Files in which vendor operators stand where ATC wants them, through the commands that take any ONNX file."""

from __future__ import annotations

import pytest
from convertkit_ascend import ops
from convertkit_ascend.handover import adopt, for_atc

from convertkit.graph.io import load, save
from convertkit.plugins.loading import open_plugins
from tests.ascend.linter.graphs import named

NMS = """(float[1,9,1,4] b, float[1,9,3] s) => (float[1,5,4] o, int64[1,5] label)
{ r = Relu (s) o, q, c, n = OP <iou_threshold = 0.5, score_threshold = 0.1,
  max_size_per_class = 5, max_total_size = 5ODD> (b, r) label = Cast <to = 7> (c) }"""

FORMS = {
    "patched": ("BatchMultiClassNMS", "", ""),
    "bundle": ("BatchMultiClassNMS", "", ""),
    "torch_npu": ("NPUBatchNms", "npu", ", change_coordinate_frame = 0, transpose_box = 0"),
    "ours": ("BatchMultiClassNMS", ops.DOMAIN, ""),
}


def written(form, tmp_path):
    """``in.onnx`` with the operator as such an exporter writes it, and the model."""
    open_plugins()
    name, domain, odd = FORMS[form]
    model = named(NMS.replace("OP", name).replace("ODD", odd), domains=(domain,) if domain else ())
    model.proto.graph.node[1].domain = domain
    if form == "bundle":
        model = for_atc(model)
    save(model, tmp_path / "in.onnx")
    return model


def vendor_nodes(model):
    return [
        (node.op_type, node.domain, sorted(item.name for item in node.attribute))
        for node in model.proto.graph.node
        if node.op_type not in ("Relu", "Cast")
    ]


@pytest.mark.parametrize("form", FORMS)
def test_opt_takes_them_and_the_file_it_writes_keeps_their_domain(cli, form, tmp_path):
    model = written(form, tmp_path)

    done = cli("opt", "in.onnx", "-p", "cast-int64-to-int32", "-o", "out.onnx")

    assert done.code == 0, done.err
    assert "exact: bit for bit equal" in done.err
    found = load(tmp_path / "out.onnx")
    assert vendor_nodes(found) == vendor_nodes(model)
    assert [value.type.tensor_type.elem_type for value in found.proto.graph.output] == [1, 6]
    imports = {item.domain for item in found.proto.opset_import}
    assert imports == {item.domain for item in model.proto.opset_import}


def test_classes_in_float16_are_known_to_fit(cli, tmp_path):
    """As the ModelZoo patch has them: boxes and scores are cast to float16 in front of the NMS."""
    open_plugins()
    half = NMS.replace("(b, r)", "(h, r)").replace(
        "r = Relu (s)", "h = Cast <to = 10> (b) r = Cast <to = 10> (s)"
    )
    model = named(
        half.replace("OP", "BatchMultiClassNMS").replace("ODD", "").replace("float[1,5,4]", "float16[1,5,4]")
    )
    model.proto.graph.node[2].domain = ""
    save(model, tmp_path / "in.onnx")

    done = cli("opt", "in.onnx", "-p", "cast-int64-to-int32", "-o", "out.onnx")

    assert done.code == 0, done.err
    assert load(tmp_path / "out.onnx").proto.graph.output[1].type.tensor_type.elem_type == 6


@pytest.mark.slow
@pytest.mark.parametrize("form", ["patched", "torch_npu"])
def test_the_other_commands_take_them_too(cli, form, tmp_path):
    written(form, tmp_path)

    assert cli("opt", "in.onnx", "-p", "cast-int64-to-int32", "--explain", "cast-int64-to-int32").code == 0
    assert cli("opt", "in.onnx", "-p", "cast-int64-to-int32", "--dry-run").code == 0
    assert "holds by outputs" in cli("bisect", "in.onnx", "-p", "cast-int64-to-int32").out
    estimated = cli("estimate", "in.onnx", "--target", "ascend310p3")
    assert (estimated.code, "incomplete" in estimated.out) == (0, False), estimated.err


def test_an_attribute_that_the_parser_does_not_read_does_not_count_and_is_kept():
    model = named(NMS.replace("OP", "BatchMultiClassNMS").replace("ODD", "").replace("= 0.5", "= 1"))
    was = vendor_nodes(model)

    inside, back = adopt(model)

    assert "iou_threshold" not in vendor_nodes(inside)[0][2]
    assert vendor_nodes(back(inside)) == was == vendor_nodes(model)


def test_a_file_without_them_comes_back_as_it_is():
    model = named("(float[2] x) => (float[2] y) { y = Relu (x) }")

    inside, back = adopt(model)

    assert inside is model
    assert back(model) is model
