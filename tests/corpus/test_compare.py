"""The judge of the corpus can tell: whatever a broken pass could do to a graph, it sees."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from tests.conftest import Cli
from tests.corpus.compare import EXACT, compare
from tests.corpus.test_corpus import judge

PLANTED = {
    "a sentinel is narrowed": (
        "(int64[n] x, bool[n] on) => (int64 y) <int64 none = {MOST}> { m = Where (on, x, none)"
        " y = ReduceMin <keepdims = 0> (m) }",
        "(int64[n] x, bool[n] on) => (int64 y) <int64 none = {-1}> { m = Where (on, x, none)"
        " y = ReduceMin <keepdims = 0> (m) }",
    ),
    "a sentinel is narrowed where everything is off": (
        "(int64[4] x, bool[4] on) => (int64[4] y) <int64 none = {MOST}> { y = Where (on, x, none) }",
        "(int64[4] x, bool[4] on) => (int64[4] y) <int64 none = {2147483647}> { y = Where (on, x, none) }",
    ),
    "an integer is off by one, far out": (
        "(int64[4] x) => (int64[4] y) <int64 far = {MOST}> { y = Sub (far, x) }",
        "(int64[4] x) => (int64[4] y) <int64 far = {LESS}> { y = Sub (far, x) }",
    ),
    "a negative value counts as positive": (
        "(int64[4] x) => (int64[4] y) { y = Identity (x) }",
        "(int64[4] x) => (int64[4] y) { y = Abs (x) }",
    ),
    "a default is folded": (
        "(float[4] x, float[1] w = {2.0}) => (float[4] y) { y = Mul (x, w) }",
        "(float[4] x, float[1] w = {2.0}) => (float[4] y) <float[1] two = {2.0}> { y = Mul (x, two) }",
    ),
    "the batch of a sample is burnt in": (
        "(float[n,2,3] x) => (float[n,6] y) <int64[2] s = {0, -1}> { y = Reshape (x, s) }",
        "(float[n,2,3] x) => (float[m,6] y) <int64[2] s = {1, -1}> { y = Reshape (x, s) }",
    ),
    "height and width change places": (
        "(float[1,1,h,w] x) => (int64[2] y) { s = Shape (x) y = Slice <axes = [0], starts = [2], ends = [4]> (s) }",
        "(float[1,1,h,w] x) => (int64[2] y) { t = Transpose <perm = [0,1,3,2]> (x) s = Shape (t)"
        " y = Slice <axes = [0], starts = [2], ends = [4]> (s) }",
    ),
    "nothing at all is not allowed any more": (
        "(float[n,2] x) => (float[m,2] y) { y = Identity (x) }",
        "(float[n,2] x) => (float[m,2] y) <int64[1] first = {0}, float none = {0.0}> {"
        " a = Gather <axis = 0> (x, first) b = Mul (a, none) y = Add (x, b) }",
    ),
    "a branch is taken for the other": (
        "(bool c, float[2] x) => (float[2] y) { y = If (c) <then_branch = t () => (float[2] a) { a = Neg (x) },"
        " else_branch = e () => (float[2] b) { b = Identity (x) }> }",
        "(bool c, float[2] x) => (float[2] y) { y = Neg (x) }",
    ),
    "a factor is off": (
        "(float[4] x) => (float[4] y) <float f = {3.0}> { y = Mul (x, f) }",
        "(float[4] x) => (float[4] y) <float f = {3.001}> { y = Mul (x, f) }",
    ),
    "small values vanish": (
        "(float[4] x) => (float[4] y) { y = Identity (x) }",
        "(float[4] x) => (float[4] y) <float low = {0.05}> { a = Abs (x) b = Less (a, low) c = Cast <to = 1> (b)"
        " d = Mul (c, x) y = Sub (x, d) }",
    ),
    "a float becomes less precise": (
        "(double[4] x) => (double[4] y) { y = Identity (x) }",
        "(double[4] x) => (float[4] y) { y = Cast <to = 1> (x) }",
    ),
    "not a number becomes one": (
        "(float[4] x) => (float[4] y) { y = Sqrt (x) }",
        "(float[4] x) => (float[4] y) { a = Relu (x) y = Sqrt (a) }",
    ),
    "two outputs change places": (
        "(float[2] x) => (float[2] y, float[2] z) { y = Neg (x) z = Identity (x) }",
        "(float[2] x) => (float[2] y, float[2] z) { z = Neg (x) y = Identity (x) }",
    ),
}  # fmt: skip


def save(tmp_path: Path, name: str, text: str) -> Path:
    """The graph of a text; ``float[1] w = {2.0}`` among the inputs has that default."""
    text = text.replace("MOST", str(2**63 - 1)).replace("LESS", str(2**63 - 2))
    header = '<ir_version: 8, opset_import: ["" : 9]> agraph '
    model = onnx.parser.parse_model(header + text.replace("w = {2.0})", "w)"))
    if "w = {2.0})" in text:
        model.graph.initializer.append(numpy_helper.from_array(np.float32([2]), "w"))
    onnx.save(model, tmp_path / f"{name}.onnx")
    return tmp_path / f"{name}.onnx"


@pytest.mark.parametrize("fault", PLANTED)
def test_a_planted_fault_is_seen(tmp_path: Path, fault: str) -> None:
    before, after = (save(tmp_path, name, text) for name, text in zip("ab", PLANTED[fault], strict=True))

    same, other = compare(before, before), compare(before, after)

    assert (same.equal, same.worst) == (True, 0)
    assert (other.equal, bool(other.reason)) == (False, True), other


def test_the_last_bit_counts_where_it_was_promised_and_not_where_it_was_not(tmp_path: Path) -> None:
    text = "(float[4] x) => (float[4] y) <float f = {3.0}> { y = Mul (x, f) }"
    before = save(tmp_path, "a", text)
    after = save(tmp_path, "b", text.replace("3.0", str(np.nextafter(np.float32(3), np.float32(4)))))

    assert compare(before, after).equal
    assert not compare(before, after, tolerance=EXACT).equal


@pytest.mark.parametrize(
    ("text", "silent"),
    [
        (
            "(float[4] x) => (float[4] y) { a = Abs (x) b = Neg (a) c = Log (b) y = Sqrt (b) z = Identity (c) }",
            "y",
        ),
        ("(float[4] x) => (int64[1,n] y) <float f = {0.0}> { a = Mul (x, f) y = NonZero (a) }", "y"),
    ],
)
def test_an_output_that_never_says_anything_is_not_called_equal(
    tmp_path: Path, text: str, silent: str
) -> None:
    file = save(tmp_path, "a", text)

    found = compare(file, file)

    assert (found.equal, found.silent) == (False, (silent,))


def test_what_nobody_can_run_is_not_called_equal(tmp_path: Path) -> None:
    file = save(tmp_path, "a", "(float[n,3] x) => (float[7] y) <int64[1] s = {7}> { y = Reshape (x, s) }")

    assert not compare(file, file).equal


def test_several_sizes_and_seeds_are_run(tmp_path: Path) -> None:
    file = save(tmp_path, "a", "(float[n,3,h,w] x) => (float[n,3,h,w] y) { y = Relu (x) }")

    found = compare(file, file)

    assert found.shapes >= 10
    assert found.runs == 3 * found.shapes


@pytest.mark.slow
def test_the_corpus_goes_red_when_the_cast_believes_everything_fits(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = save(tmp_path, "a", PLANTED["a sentinel is narrowed where everything is off"][0])
    judge(cli, file, "sentinel")

    monkeypatch.setattr("convertkit_passes.int64.interval.Interval.fits", True)
    monkeypatch.setattr("convertkit.passes.check.Checker._compare", _everything_is_fine)

    with pytest.raises(AssertionError, match="y differs by inf"):
        judge(cli, file, "sentinel")


def _everything_is_fine(self: object, step: object, old: object, new: object) -> object:
    from convertkit.passes.check import _Compared

    return _Compared(0.0, "never looked", ("y",), {"y"})
