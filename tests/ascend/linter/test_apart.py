"""Linting somebody's file: the same findings as in our process, and no crash of onnx reaches us."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path

import onnx
import pytest
from convertkit_ascend.linter import apart
from convertkit_ascend.linter.apart import lint_apart
from convertkit_ascend.linter.examination import examine
from onnx import TensorProto, helper

from convertkit.children.limits import Limits
from convertkit.errors import GraphError, ProcessError
from tests.ascend.linter.cases import CASES
from tests.ascend.linter.graphs import named
from tests.conftest import Cli

pytestmark = pytest.mark.slow

SOC = "ascend310p3"
CLEAN = "(float[2] x) => (float[2] y) { y = Relu (x) }"
DEAD = "(float[2] x) => (float[2] y) { y = Relu (x) z = Abs (x) }"
OPEN = "(float[n] x) => (float[n] y) { y = Relu (x) }"

SPOILT = """
import ctypes, os, signal, sys
import onnx
from convertkit_ascend.linter import _child
ends = {{
    "abort": os.abort,
    "segfault": lambda: ctypes.string_at(0),
    "kill": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "hang": signal.pause,
}}
def end(*_, **__):
    os.write(2, b"terminate called after throwing an instance of 'std::length_error'\\n")
    ends["{end}"]()
{where} = end
_child.main(sys.argv[1:])
"""


@pytest.fixture
def spoil(monkeypatch: pytest.MonkeyPatch):
    """The child ends as said where onnx's inference, or another function, would be called."""

    def spoil(end: str, where: str = "onnx.shape_inference.infer_shapes") -> None:
        code = SPOILT.format(end=end, where=where)
        monkeypatch.setattr(apart, "CHILD", (sys.executable, "-c", code))
        if end == "hang":
            monkeypatch.setattr(apart, "LIMITS", Limits(seconds=2.25))

    return spoil


def saved(text: str, path: Path) -> Path:
    onnx.save(named(text).proto, path)
    return path


@pytest.mark.parametrize("case", CASES[:: len(CASES) // 8], ids=lambda case: case.rule)
def test_it_finds_what_the_examination_finds(case, tmp_path: Path) -> None:
    (tmp_path / "m.onnx").write_bytes(case.twin().SerializeToString())

    found, wanted = lint_apart(tmp_path / "m.onnx", SOC, None), examine(tmp_path / "m.onnx", SOC)

    assert [asdict(item) for item in found.findings] == [asdict(item) for item in wanted.findings]
    assert found.basis == wanted.basis


def test_sizes_travel_too(tmp_path: Path) -> None:
    path = saved(OPEN, tmp_path / "m.onnx")

    assert lint_apart(path, SOC, None).errors
    assert not lint_apart(path, SOC, {"x": (2,)}).errors


@pytest.mark.parametrize(
    ("end", "words"),
    [
        ("abort", "was killed by SIGABRT"),
        ("segfault", "was killed by SIGSEGV"),
        ("kill", "was killed by SIGKILL (out of memory?)"),
        ("hang", "was killed after its time limit of 9 s"),
    ],
)
def test_a_graph_that_inference_does_not_survive_is_a_finding(
    tmp_path: Path, spoil, end: str, words: str
) -> None:
    spoil(end)
    path = saved(DEAD, tmp_path / "m.onnx")

    report = lint_apart(path, SOC, None)

    why = (
        f"onnx's shape inference {words}: terminate called after throwing an instance of 'std::length_error'"
    )
    assert [(item.rule, item.severity) for item in report.findings] == [
        ("valid-graph", "error"),
        ("node-dead", "warning"),
    ]
    assert report.findings[0].why == why
    assert report.basis[-1] == f"types, shapes and operators were not looked at: {why}"


def test_errors_of_the_raw_file_come_first(tmp_path: Path, spoil) -> None:
    spoil("abort")

    report = lint_apart(saved(OPEN, tmp_path / "m.onnx"), SOC, None)

    assert [item.rule for item in report.findings] == ["input-shape-missing"]
    assert "killed by SIGABRT" in report.basis[-1]


def test_the_command_says_it_in_one_line(cli: Cli, tmp_path: Path, spoil) -> None:
    spoil("segfault")
    saved(CLEAN, tmp_path / "m.onnx")

    done = cli("lint", "m.onnx", "-t", SOC)

    assert done.code == 1
    assert done.err.startswith(
        "error: m.onnx is not fit for ascend310p3: 1 error, 0 warnings, first: onnx's shape inference was killed"
    )
    assert done.err.count("\n") == 1


def test_a_death_before_inference_is_one_line(tmp_path: Path, spoil, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    saved(CLEAN, tmp_path / "m.onnx")
    spoil("abort", "_child.begin")

    with pytest.raises(ProcessError, match=r"^m\.onnx: its examination was killed by SIGABRT: terminate"):
        lint_apart(Path("m.onnx"), SOC, None)


def test_data_that_is_only_claimed_raises_no_limit(tmp_path: Path) -> None:
    tensor = onnx.TensorProto(name="w", data_type=1, dims=[4], data_location=1)
    tensor.external_data.add(key="location", value="weights.bin")
    tensor.external_data.add(key="length", value=40 * "9")
    model = named(CLEAN).proto
    model.graph.initializer.append(tensor)
    (tmp_path / "claims.onnx").write_bytes(model.SerializeToString())

    found = lint_apart(tmp_path / "claims.onnx", "ascend310p3", None)

    assert "external-missing" in [item.rule for item in found.findings]


def test_a_size_that_fills_the_memory_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that has onnx's own inference ask for tens of GB."""
    monkeypatch.setattr(apart, "LIMITS", Limits(memory=1 << 30))
    monkeypatch.chdir(tmp_path)
    sides = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [size])
        for name, size in (("x", 2**31 - 1), ("y", 2))
    ]
    graph = helper.make_graph(
        [helper.make_node("Concat", ["x"], ["y"], "c", axis=0)], "g", sides[:1], sides[1:]
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 2**31 - 1)], ir_version=8)
    Path("m.onnx").write_bytes(model.SerializeToString())

    with pytest.raises(
        GraphError, match=r"^m\.onnx: shape inference runs out of memory: some size is absurd"
    ):
        lint_apart(Path("m.onnx"), SOC, None)
