"""``opt`` on files of other people: invalid ones, outputs without a shape, heads where no pass looks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from tests.conftest import Cli
from tests.graphtext import parse
from tests.tiny import tiny_model

UNCHANGED = "cast-int64-to-int32"


def invalid(kind: str) -> onnx.ModelProto:
    model = parse("(float[4] x) => (float[4] y) { y = Relu (x) }", opset=13).proto
    if kind == "operator":
        model.graph.node[0].op_type = "Rleu"
    elif kind == "input":
        model.graph.node[0].input[0] = "nobody"
    elif kind == "shape":
        model.graph.output[0].type.tensor_type.shape.dim[0].dim_value = 5
    elif kind == "no type there is":  # of which C++ makes an error of its own
        text = "(float[2] x, float s, uint8 z) => (uint8[2] y) { y = QuantizeLinear (x, s, z) }"
        model = parse(text, opset=13).proto
        model.graph.input[0].type.tensor_type.elem_type = -1
    else:
        model.graph.output[0].type.tensor_type.elem_type = TensorProto.INT64
    return model


@pytest.mark.parametrize("kind", ["operator", "input", "shape", "type", "no type there is"])
@pytest.mark.parametrize("words", [(), ("--no-check",), ("--dry-run",)])
def test_an_invalid_file_is_refused_though_the_pass_changes_nothing(
    cli: Cli, tmp_path: Path, kind: str, words: tuple[str, ...]
) -> None:
    onnx.save(invalid(kind), tmp_path / "bad.onnx")

    done = cli("opt", "bad.onnx", "-p", UNCHANGED, *words)

    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
    assert done.err.startswith("error: bad.onnx is not a valid graph: ")


def shapeless(value: onnx.ValueInfoProto) -> onnx.ModelProto:
    model = tiny_model()
    model.graph.output[0].CopyFrom(value)
    return model


@pytest.mark.slow
@pytest.mark.parametrize(
    "value",
    [
        helper.make_tensor_value_info("features", TensorProto.FLOAT, None),
        helper.make_tensor_value_info("features", TensorProto.FLOAT, []),  # written for "not known"
        helper.make_tensor_value_info("features", TensorProto.UNDEFINED, [1, 400]),
        onnx.ValueInfoProto(name="features"),
    ],
)
def test_an_output_without_shape_or_type_gets_what_follows_from_the_graph(
    cli: Cli, tmp_path: Path, value: onnx.ValueInfoProto
) -> None:
    onnx.save(shapeless(value), tmp_path / "in.onnx")

    done = cli("opt", "in.onnx", "-p", "simplify,fold-constants,cast-int64-to-int32", "-o", "out.onnx")

    assert done.code == 0
    kind = onnx.load("out.onnx").graph.output[0].type.tensor_type
    assert (kind.elem_type, [dim.dim_value for dim in kind.shape.dim]) == (TensorProto.FLOAT, [1, 400])


def test_an_output_that_calls_itself_one_number_and_is_none_gets_its_rank(cli: Cli, tmp_path: Path) -> None:
    text = "(float[4] x, int64[2] s) => (float y, float z) { y = Reshape (x, s) z = ReduceMax <keepdims = 0> (x) }"
    onnx.save(parse(text, opset=13).proto, tmp_path / "in.onnx")
    np.savez(tmp_path / "in.npz", x=np.ones(4, np.float32), s=np.array([2, 2]))

    done = cli("opt", "in.onnx", "-p", "fold-constants", "--inputs", "in.npz", "-o", "out.onnx")

    assert done.code == 0
    ranks = [len(value.type.tensor_type.shape.dim) for value in onnx.load("out.onnx").graph.output]
    assert ranks == [2, 0]


def test_an_output_whose_shape_nobody_can_tell_is_named(cli: Cli, tmp_path: Path) -> None:
    model = parse(
        "(float[4] x, float[2, 3] z, int64[n] s) => (float[4] y) { m = MatMul (x, z) y = Reshape (m, s) }",
        opset=13,
    ).proto
    model.graph.output[0].type.tensor_type.ClearField("shape")
    onnx.save(model, tmp_path / "in.onnx")

    done = cli("opt", "in.onnx", "-p", "simplify")

    assert (done.code, done.err.count("\n")) == (2, 1)
    assert "in.onnx is not a valid graph: 'y' has no shape, and none can be inferred" in done.err


NMS = """NonMaxSuppression (boxes, scores, most, iou)"""
HEAD = "(float[1, 6, 4] boxes, float[1, 2, 6] scores, bool empty) => (int64[k, 3] y)"
CONSTANTS = "<int64[1] most = {3}, float[1] iou = {0.5}, int64[0, 3] none = {}>"


def in_branch() -> onnx.ModelProto:
    return parse(
        f"""{HEAD} {CONSTANTS} {{
          [guard] y = If (empty) <
            then_branch = then () => (int64[a, 3] t) {{ t = Identity (none) }},
            else_branch = other () => (int64[b, 3] inner) {{ [nms] inner = {NMS} }}
          >
        }}""",
        opset=13,
    ).proto


def in_loop() -> onnx.ModelProto:
    return parse(
        f"""{HEAD.replace("k, 3", "j, k, 3")} <int64[1] most = {{3}}, float[1] iou = {{0.5}}, int64 times = {{2}}> {{
          [often] y = Loop (times, empty) <
            body = body (int64 i, bool go) => (bool on, int64[b, 3] inner)
              {{ on = Identity (go) [nms] inner = {NMS} }}
          >
        }}""",
        opset=13,
    ).proto


def in_function() -> onnx.ModelProto:
    return onnx.parser.parse_model(
        f"""<ir_version: 8, opset_import: ["" : 13, "local" : 1]>
        graph (float[1, 6, 4] boxes, float[1, 2, 6] scores) => (int64[k, 3] y)
        <int64[1] most = {{3}}, float[1] iou = {{0.5}}> {{ y = local.Suppress (boxes, scores, most, iou) }}
        <domain: "local", opset_import: ["" : 13]>
        Suppress (boxes, scores, most, iou) => (inner) {{ [nms] inner = {NMS} }}"""
    )


def on_top() -> onnx.ModelProto:
    return parse(f"{HEAD} {CONSTANTS} {{ [nms] y = {NMS} }}", opset=13).proto


PLACES = {
    "branch": (
        in_branch,
        "its NonMaxSuppression sits in else_branch of If 'guard', where no pass looks; "
        "resolve-if before it may take it out",
    ),
    "loop": (in_loop, "its NonMaxSuppression sits in body of Loop 'often', where no pass looks"),
    "function": (
        in_function,
        "its NonMaxSuppression sits in function Suppress, where no pass looks; "
        "inline-functions before it may take it out",
    ),
    "top": (on_top, ""),
}


@pytest.mark.parametrize("place", PLACES)
def test_a_head_that_stays_is_counted_and_the_reason_given(cli: Cli, tmp_path: Path, place: str) -> None:
    make, why = PLACES[place]
    onnx.save(make(), tmp_path / "head.onnx")
    words = ("opt", "head.onnx", "-p", "fuse-multiclass-nms", "--no-check")

    done = cli(*words)
    (record,) = cli(*words, "--json").json["passes"]
    (explained,) = cli("opt", "head.onnx", "--explain", "fuse-multiclass-nms", "--json").json["explained"]

    assert done.code == 0
    assert record["missed"].startswith("0 of 1 NonMaxSuppression matched; first nms: ")
    assert record["missed"] in done.err
    assert why in record["missed"]
    assert [finding["status"] for finding in explained["findings"]] == ["refused"]
    assert explained["findings"][0]["why"] in record["missed"]


def test_a_graph_without_a_head_misses_nothing(cli: Cli, tmp_path: Path) -> None:
    onnx.save(tiny_model(), tmp_path / "plain.onnx")

    done = cli("opt", "plain.onnx", "-p", "fuse-multilevel-roialign,fuse-multiclass-nms", "--json")

    assert [record["missed"] for record in done.json["passes"]] == ["", ""]


def test_passes_that_work_on_fused_heads_say_that_there_are_none(cli: Cli, tmp_path: Path) -> None:
    onnx.save(on_top(), tmp_path / "head.onnx")
    after = ("drop-offset-rounding", "restore-rpn-levels", "clip-to-picture", "center-nms-boxes")

    done = cli(
        "opt", "head.onnx", "-p", ",".join(after), "--done", "fuse-multiclass-nms", "--no-check", "--json"
    )

    for record in done.json["passes"]:
        why = "0 of 1 NonMaxSuppression matched; first nms: it was left by fuse-multiclass-nms"
        assert record["missed"] == why


def test_a_loop_of_links_is_named(cli: Cli, tiny: Path) -> None:
    for name in ("small.onnx", "requirements.txt"):
        (tiny / name).unlink()
        (tiny / name).symlink_to(name)

    for words in (["opt", tiny / "small.onnx", "-p", UNCHANGED, "--dry-run"], ["build", tiny, "-o", "built"]):
        done = cli(*words)

        assert (done.code, done.err.splitlines()[-1][:7]) == (2, "error: ")
        assert f"{tiny / 'small.onnx'}: " in done.err
