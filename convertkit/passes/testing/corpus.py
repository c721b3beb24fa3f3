"""Small graphs of every kind that a pass meets, whatever it is for."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import onnx

from convertkit.graph.io import load
from convertkit.graph.light import LightModel, attach
from convertkit.graph.session import Arrays
from convertkit.passes.testing.text import parse, show


@dataclass(frozen=True)
class Sample:
    """A graph to put a pass through.

    Attributes:
        name: what is particular about it.
        model: the graph.
        inputs: of runs; random ones where there are none.
    """

    name: str
    model: LightModel
    inputs: tuple[Arrays, ...] = ()

    def __repr__(self) -> str:
        return f"{self.name}\n{show(self.model)}\n{self.inputs or ''}"


_TEXTS = {
    "empty graph": "(float[2,3] x) => (float[2,3] x) { }",
    "no inputs": "() => (float[2] y) <float[2] w = {1, -2}> { y = Relu (w) }",
    "output is an initializer": """(float[2] x) => (float[2] y, float[2] w) <float[2] w = {1, 2}> {
        y = Mul (x, w)
    }""",
    "output is used inside": """(float[2,3] x) => (float[2,3] kept, float[2,3] y) {
        kept = Relu (x)
        y = Neg (kept)
    }""",
    "outputs that nothing is done to": """(float[2,3] x) => (float[2,3] a, float[2,3] b) {
        a = Identity (x)
        b = Dropout (x)
    }""",
    "shared initializer": """(float[2,3] x) => (float[2,3] y, float[2,3] z) <float[3] w = {1, 2, 3}> {
        y = Mul (x, w)
        v = Add (x, w)
        z = Dropout (v)
    }""",
    "equal initializers": """(float[2,3] x) => (float[2,3] y) <float[3] v = {1, 2, 3}, float[3] w = {1, 2, 3}> {
        u = Mul (x, v)
        y = Add (u, w)
    }""",
    "default input": """(float[2,3] x, float[3] w) => (float[2,3] y) <float[3] w = {1, 2, 3}> {
        y = Mul (x, w)
    }""",
    "branches": """(float[2,3] x, bool b) => (float[2,3] y) <float[3] w = {1, 2, 3}> {
        m = Mul (x, w)
        d = Dropout (m)
        y = If (b) <
            then_branch = one () => (float[2,3] p) { q = Dropout (d) p = Add (q, w) },
            else_branch = two () => (float[2,3] r) { s = Identity (d) r = Neg (s) }
        >
    }""",
    "branch of a constant": """(float[2,3] x) => (float[2,3] y) <bool b = {1}> {
        y = If (b) <
            then_branch = one () => (float[2,3] p) { p = Relu (x) },
            else_branch = two () => (float[2,3] q) { q = Neg (x) }
        >
    }""",
    "loop": """(float[3] x) => (float[3] y) <int64 times = {3}, bool go = {1}> {
        d = Dropout (x)
        y = Loop (times, go, d) <body = step (int64 i, bool c, float[3] a) => (bool e, float[3] b) {
            e = Identity (c)
            b = Add (a, d)
        }>
    }""",
    "scan": """(float[4,3] x) => (float[3] y, float[4,3] z) <float[3] zero = {0, 0, 0}> {
        y, z = Scan (zero, x) <num_scan_inputs = 1, body = step (float[3] s, float[3] a) => (float[3] t, float[3] o) {
            t = Add (s, a)
            o = Identity (t)
        }>
    }""",
    "names inside a branch that the graph has as well": """(float[3] x, bool b) => (float[3] y) {
        v = Relu (x)
        u = If (b) <
            then_branch = one () => (float[3] p) { w = Neg (v) p = Abs (w) },
            else_branch = two () => (float[3] q) { q = Identity (v) }
        >
        y = Neg (u)
    }""",
    "sizes are computed": """(float[N,3] x) => (float[M] y) <int64[1] one = {-1}> {
        s = Shape (x)
        n = ReduceProd <keepdims = 1> (s)
        y = Reshape (x, n)
    }""",
    "positions": """(float[2,5] x) => (float[2,3] y, int64[2,3] k) <int64[1] three = {3}> {
        y, k = TopK (x, three)
    }""",
    "outputs that nobody takes": """(float[2,6] x) => (float[2,3] y) <int64[2] parts = {3, 3}> {
        y, unused = Split <axis = 1> (x, parts)
    }""",
    "inputs left out": """(float[1,2,4,4] x, float[2,3] v) => (float[1,2,8,8] y, float[2,3] c) <
        float[4] scale = {1, 1, 2, 2}, float top = {1}> {
        y = Resize <mode = "nearest"> (x, , scale)
        c = Clip (v, , top)
    }""",
    "float16": """(float16[2,3] x) => (float[2,3] y) {
        h = Relu (x)
        y = Cast <to = 1> (h)
    }""",
    "constants as nodes": """(float[2,3] x) => (float[2,3] y) {
        w = Constant <value = float[3] {1, 2, 3}> ()
        v = Neg (w)
        u = Add (x, v)
        y = Mul (u, w)
    }""",
    "function": """(float[2,3] x) => (float[2,3] y) { y = lab.Twice (x) }
    <domain: "lab", opset_import: ["" : 17]> Twice (a) => (c) { b = Dropout (a) c = Add (b, b) }""",
    "mask of a Dropout": """(float[2,3] x) => (float[2,3] y, bool[2,3] m) {
        y, m = Dropout (x)
    }""",
    "names that passes give as well": """(float[2,3] x) => (float[2,3] constant, float[2,3] Relu) <
        float[3] constant_1 = {1, 2, 3}> {
        Mul_output = Mul (x, constant_1)
        Relu = Relu (Mul_output)
        constant = Neg (Mul_output)
    }""",
    "input that nobody takes": """(float[2,3] x, int64[2] n) => (float[2,3] y) <float[2] idle = {1, 2}> {
        y = Relu (x)
    }""",
    "no values": """(float[3] x) => (float[3] y) <float[0] e = {}> {
        y = Concat <axis = 0> (x, e)
    }""",
    "numbers without axes": """(float x, int64 n) => (float y) <float w = {2}> {
        f = Cast <to = 1> (n)
        u = Mul (x, w)
        y = Add (u, f)
    }""",
    "whole numbers of every width": """(int64[3] a, int32[3] b, uint8[3] c) => (int64[3] s, int32[3] t, uint8[3] u) <
        int64[3] big = {9223372036854775807, -9223372036854775808, 5000000000}> {
        d = Cast <to = 7> (b)
        e = Add (a, d)
        s = Max (e, big)
        t = Add (b, b)
        u = Identity (c)
    }""",
    "weights inside of a body": """(float[3] x, bool b) => (float[3] y) <float[3] w = {1, 2, 3}> {
        y = If (b) <
            then_branch = one () => (float[3] p) <float[3] v = {3, 2, 1}> { p = Add (x, v) },
            else_branch = two () => (float[3] r) {
                z = Loop (, b, x) <body = step (int64 i, bool c, float[3] a) => (bool e, float[3] o) {
                    o = Mul (a, w)
                    e = Less (i, i)
                }>
                r = Identity (z)
            }
        >
    }""",
    "constants to fold": """(float[2,3] x) => (float[2,3] y, float[3] z) <float[3] w = {1, 2, 3}> {
        v = Add (w, w)
        z = Neg (v)
        u = Mul (x, v)
        y = Add (u, z)
    }""",
    "a cast there and back": """(int64[3] x) => (int64[3] y) {
        n = Cast <to = 6> (x)
        y = Cast <to = 7> (n)
    }""",
    "texts": """(float[2] x) => (string[4] y, float[2] z) <string[2] w = {"a", "b"}> {
        y = Concat <axis = 0> (w, w)
        z = Relu (x)
    }""",
    "convolution": """(float[1,1,6,6] x) => (float[1,1,4,4] y) <
        float[1,1,3,3] w = {1, 0, -1, 2, 0, -2, 1, 0, -1}, float[1] s = {2}, float[1] b = {1}, float[1] m = {0.5},
        float[1] v = {4}> {
        c = Conv (x, w)
        n = BatchNormalization (c, s, b, m, v)
        y = Relu (n)
    }""",
}

_LARGE = """(float[2,24] x) => (float[2,24] y) <float[24,24] w = {WEIGHTS}, float[24] b = {BIAS}> {
    d = Dropout (x)
    m = MatMul (d, w)
    y = Add (m, b)
}"""


@cache
def corpus() -> tuple[Sample, ...]:
    """Graphs of opset 17, and two of them at 11 and 21 as well; one has its weights in a file beside it."""
    found = [
        Sample(name, parse(text, domains=["lab"] if name == "function" else []))
        for name, text in _TEXTS.items()
    ]
    found += [
        Sample(f"{name}, opset {opset}", parse(_TEXTS[name], opset=opset))
        for name in ("convolution", "positions")
        for opset in (11, 21)
    ]
    return (*found, Sample("large weights", _large()), Sample("external data", _beside(_large())))


def _large() -> LightModel:
    """2304 bytes of weights, which travel beside the graph."""
    texts = [", ".join(f"{(7 * i) % 23 - 11}" for i in range(count)) for count in (576, 24)]
    return parse(_LARGE.replace("WEIGHTS", texts[0]).replace("BIAS", texts[1]))


def _beside(model: LightModel) -> LightModel:
    """The model as read back from a file whose initializers all lie in another."""
    with tempfile.TemporaryDirectory() as room:
        path = Path(room) / "model.onnx"
        onnx.save_model(attach(model), path, save_as_external_data=True, location="weights", size_threshold=0)
        return load(path)
