"""Passes made of other libraries' tools: the real ones where they are installed, one line where they are not."""

from __future__ import annotations

import sys
from pathlib import Path

import onnx
import pytest

from convertkit.api.adapters import pass_of_function, pass_of_rules
from convertkit.api.testing import apply, assert_conforms, assert_equivalent, parse, rewritten
from convertkit.graph.light import attach
from convertkit.passes.options import build, parse_step
from convertkit.plugins.loading import open_plugins
from tests.conftest import Cli

FOLDS = """(float[2,3] x) => (float[2,3] y) <float[3] w = {1, 2, 3}> {
    v = Add (w, w)
    y = Mul (x, v)
}"""
NEGATED = "(float[2] x) => (float[2] y) { a = Neg (x) b = Neg (a) y = Relu (b) }"
DEFAULT = """(float[3] x, float[3] w) => (float[3] y) <float[3] w = {1, 2, 3}> {
    v = Add (w, w)
    y = Mul (x, v)
}"""


def ops(model) -> list[str]:
    return [node.op_type for node in model.proto.graph.node]


def step(text: str):
    name, options = parse_step(text)
    return build(open_plugins().passes.get(name), options)


def fold(model: onnx.ModelProto) -> onnx.ModelProto:
    from polygraphy.backend.onnx import fold_constants

    return fold_constants(model)


def negations():
    from onnxscript.rewriter import pattern

    return [pattern.RewriteRule(lambda op, x: op.Neg(op.Neg(x)), lambda op, x: op.Identity(x))]


PolygraphyFold = pass_of_function(fold, name="polygraphy-fold", summary="Fold constants with Polygraphy.")
DropDoubleNeg = pass_of_rules(
    negations, name="drop-double-neg", summary="Take two negations for none.", effect="exact"
)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["onnxslim", "onnxoptimizer"])
def test_a_tool_rewrites_and_is_checked(cli: Cli, name: str) -> None:
    pytest.importorskip(name)
    onnx.save(attach(parse(NEGATED.replace("Neg", "Identity"))), "a.onnx")

    done = cli("opt", "a.onnx", "-p", name, "-o", "b.onnx")

    assert done.code == 0, done.err
    assert "rounding: bit for bit equal" in done.err
    assert "Relu" in [node.op_type for node in onnx.load("b.onnx").graph.node]
    assert len(onnx.load("b.onnx").graph.node) == 1


@pytest.mark.slow
@pytest.mark.parametrize("name", ["onnxslim", "onnxoptimizer"])
def test_an_input_with_a_default_keeps_it(name: str) -> None:
    pytest.importorskip(name)
    before = parse(DEFAULT)

    after = apply(step(name), before)

    assert [item.name for item in after.proto.graph.initializer] == ["w"]
    assert_equivalent(before, after, "rounding")


@pytest.mark.slow
def test_a_pass_that_onnxoptimizer_does_not_have_is_one_line(cli: Cli) -> None:
    pytest.importorskip("onnxoptimizer")
    onnx.save(attach(parse(FOLDS)), "a.onnx")

    done = cli("opt", "a.onnx", "-p", "onnxoptimizer{only=[fuse_all]}")

    assert (done.code, done.err.count("\n")) == (4, 1)
    assert "it has no pass 'fuse_all'" in done.err


@pytest.mark.parametrize("name", ["onnxslim", "onnxoptimizer"])
def test_a_tool_that_is_not_installed_is_one_line(
    cli: Cli, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setattr("convertkit_passes.onnxoptimizer_pass.find_spec", lambda name: None)
    onnx.save(attach(parse(FOLDS)), "a.onnx")

    done = cli("opt", "a.onnx", "-p", name, "-o", "b.onnx")

    assert done.err == (
        f"error: pass {name}: it needs the tool of that name, which is not installed (pip install {name})\n"
    )
    assert not Path("b.onnx").exists()


@pytest.mark.slow
def test_a_function_of_polygraphy_conforms() -> None:
    pytest.importorskip("polygraphy")

    assert ops(apply(PolygraphyFold(), FOLDS)) == ["Mul"]
    assert_conforms(PolygraphyFold, examples=5)


@pytest.mark.slow
def test_rules_of_onnxscript_conform() -> None:
    pytest.importorskip("onnxscript")

    assert "Neg" not in rewritten(DropDoubleNeg(), NEGATED)
    assert_conforms(DropDoubleNeg, [NEGATED], examples=5)


def test_rules_without_onnxscript_are_one_line(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxscript.rewriter", None)

    with pytest.raises(Exception, match="rewrite rules need onnxscript, which is not installed") as caught:
        DropDoubleNeg().run(None)

    assert caught.value.hint == "pip install onnxscript"


@pytest.mark.parametrize(
    ("function", "line"),
    [
        (lambda model: 3, "its function returned int, not a ModelProto"),
        (lambda model: {}["key"], "what it calls fails: KeyError: 'key'"),
    ],
)
def test_a_function_that_fails_is_one_line(function, line: str) -> None:
    cls = pass_of_function(function, name="odd", summary="Do something odd.")

    with pytest.raises(Exception) as caught:
        apply(cls(), FOLDS)

    assert caught.value.message == line


def test_what_a_function_breaks_is_found() -> None:
    def spoil(model: onnx.ModelProto) -> onnx.ModelProto:
        model.graph.node[-1].op_type = "Add"
        return model

    cls = pass_of_function(spoil, name="spoil", summary="Take a product for a sum.")

    with pytest.raises(
        AssertionError, match=r"fails     effect: on .* it declares effect rounding but y changes"
    ):
        assert_conforms(cls, [FOLDS], examples=0)


def test_what_a_function_prints_is_no_answer(capsys: pytest.CaptureFixture[str]) -> None:
    def talk(model: onnx.ModelProto) -> onnx.ModelProto:
        print("[I] folding")
        return model

    apply(pass_of_function(talk, name="talk", summary="Say something.")(), FOLDS)

    assert capsys.readouterr() == ("", "[I] folding\n")
