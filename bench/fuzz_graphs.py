"""Small graphs of many kinds, each whole, for ``bench.fuzz``: heads, control flow, functions, strings, quantised."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

GRAPHS = {
    "loop": """(float[2] x) => (float[2] y) <int64 trips = {3}, bool go = {1}>
        { y = Loop (trips, go, x) <body = b (int64 i, bool on, float[2] v) => (bool again, float[2] w)
          { again = Identity (on) w = Neg (v) }> }""",
    "branch": """(float[2] x, bool c) => (float[2] y)
        { y = If (c) <then_branch = t () => (float[2] a) { a = Neg (x) }, else_branch = e () => (float[2] b)
          { b = Abs (x) }> }""",
    "scan": """(float[3,2] x, float[2] s) => (float[2] t, float[3,2] y)
        { t, y = Scan <num_scan_inputs = 1, body = b (float[2] a, float[2] v) => (float[2] c, float[2] w)
          { c = Add (a, v) w = Identity (c) }> (s, x) }""",
    "nms": """(float[1,6,4] b, float[1,2,6] s) => (int64[n,3] y)
        <int64[1] most = {5}, float[1] iou = {0.5}, float[1] low = {0.1}>
        { y = NonMaxSuppression (b, s, most, iou, low) }""",
    "shapes": """(float[2,3] x) => (float[6] y)
        <int64 zero = {0}, int64 end = {4}, int64 one = {1}, int64[1] rest = {-1}>
        { size = Shape (x) r = Range (zero, end, one) big = Concat <axis = 0> (r, size)
          some = Cast <to = 1> (big) z = ReduceSum <keepdims = 0> (some) k = Reshape (x, rest) y = Add (k, z) }""",
    "open": """(float[N,3,H,W] x) => (float[M,3] y) <int64[2] to = {-1, 3}, float[3,3,1,1] w = {1,0,0,0,1,0,0,0,1}>
        { c = Conv (x, w) t = Transpose <perm = [0,2,3,1]> (c) y = Reshape (t, to) }""",
    "roi": """(float[1,4,8,8] f, float[3,4] r, int64[3] i) => (float[3,4,2,2] y)
        { y = RoiAlign <output_height = 2, output_width = 2, sampling_ratio = 2> (f, r, i) }""",
    "resize": """(float[1,2,4,4] x) => (float[1,2,8,8] y) <float[0] roi = {}, float[4] s = {1, 1, 2, 2}>
        { y = Resize <mode = "nearest"> (x, roi, s) }""",
    "topk": """(float[2,8] x) => (float[2,3] v, int64[2,3] i) <int64[1] k = {3}> { v, i = TopK (x, k) }""",
    "masked": """(int64[4] x, bool[4] m) => (int64[1] y, int64[1] z)
        <int64 big = {9223372036854775807}>
        { p = Where (m, x, big) y = ReduceMin <axes = [0]> (p) z = ArgMin <axis = 0> (p) }""",
    "quantised": """(float[1,1,4,4] x) => (float[1,1,4,4] y)
        <float s = {0.1}, uint8 z = {3}, float ws = {0.2}, int8 wz = {0}, int8[1,1,1,1] w = {2}>
        { q = QuantizeLinear (x, s, z) d = DequantizeLinear (q, s, z) f = DequantizeLinear (w, ws, wz)
          y = Conv (d, f) }""",
    "strings": """(float[2] x) => (float[2] y) <string[2] a = {"é", ""}, string[2] b = {"x", "y"}>
        { same = Equal (a, b) f = Cast <to = 1> (same) y = Add (x, f) }""",
    "lengths": """(float[2,4] x) => (float[2,4] y) <int64[2] axes = {0, 1}>
        { s = SequenceConstruct (x, x) n = SequenceLength (s) f = Cast <to = 1> (n) y = Mul (x, f) }""",
    "many": """(float[1,4,2] x) => (float[1,2] y)
        <int64[1] d = {1}, int64[2] sh = {1, 2}, float[2,2] w = {1, 2, 3, 4}, float[2] g = {1, 2}>
        { a = Softmax <axis = -1> (x) b = LayerNormalization (a, g) h = ReduceMax (b, d) e = Reshape (h, sh)
          t = Tanh (e) k = Gemm (t, w) y = Clip (k) }""",
}  # fmt: skip
"""By name, as the text that onnx reads; opset 13, or that of ``OPSETS``."""

OPSETS = {"strings": 19, "many": 21, "lengths": 17}


def write(place: Path) -> None:
    """All of them, those that have no text too, and the small ones that onnx itself brings."""
    place.mkdir()
    for name, text in GRAPHS.items():
        opset = OPSETS.get(name, 13)
        model = onnx.parser.parse_model(f'<ir_version: 8, opset_import: ["" : {opset}]> {name} {text}')
        onnx.checker.check_model(model, full_check=True)
        onnx.save(model, place / f"{name}.onnx")
    onnx.save(_function(), place / "function.onnx")
    onnx.save(_sparse(), place / "sparse.onnx")


def brought() -> list[Path]:
    """Those of onnx's own tests below 100 kB."""
    found = (Path(onnx.__file__).parent / "backend" / "test" / "data").rglob("*.onnx")
    return sorted(path for path in found if path.stat().st_size < 100_000)


def of_nodes() -> list[bytes]:
    """The models of onnx's tests of single operators; 12 s of work."""
    from onnx.backend.test.case.node import collect_testcases

    with np.errstate(all="ignore"):
        models = [case.model.SerializeToString() for case in collect_testcases(None) if case.model]
    return [model for model in models if len(model) < 20_000]


def external(path: Path) -> None:
    """Beside ``path`` the file that holds a tensor of its graph."""
    weight = numpy_helper.from_array(np.ones((64, 4), np.float32), "w")
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["y"], name="product")],
        "external",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 64])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 4])],
        [weight],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.save(model, path, save_as_external_data=True, location="weights.bin", size_threshold=0)


def _function() -> onnx.ModelProto:
    text = """<ir_version: 8, opset_import: ["" : 13, "own" : 1]>
        calls (float[2] x) => (float[2] y) { a = own.twice (x) y = own.twice (a) }
        <domain: "own", opset_import: ["" : 13]> twice (v) => (w) { w = Add (v, v) }"""
    return onnx.parser.parse_model(text)


def _sparse() -> onnx.ModelProto:
    values = helper.make_tensor("w", TensorProto.FLOAT, [2], [1.0, 2.0])
    places = helper.make_tensor("w_places", TensorProto.INT64, [2], [0, 3])
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["y"], name="product")],
        "sparse",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 2])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 2])],
        sparse_initializer=[helper.make_sparse_tensor(values, places, [2, 2])],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
