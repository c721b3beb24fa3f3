"""``convertkit bisect``: the culprit is named, and what is written fails again."""

from __future__ import annotations

import shlex
from pathlib import Path

import numpy as np
import onnx
import pytest

from convertkit.graph.io import save
from convertkit.graph.npz import read_arrays
from tests.bisection.broken import graph, sample
from tests.conftest import MASKRCNN, Cli

BROKEN = Path(__file__).parents[1] / "bisection" / "broken.py"

FOR_TINY = '''
import numpy as np
from convertkit.api.passes import GraphPass, hookimpl


class SwapAxis(GraphPass):
    """Turn Relu into Abs."""

    name = "relu-to-abs"
    effect = "rounding"

    def run(self, graph):
        for node in graph.find("Relu"):
            node.op = "Abs"


class Slip(GraphPass):
    """Add next to nothing to what Conv makes."""

    name = "slip"
    effect = "semantic"

    def run(self, graph):
        for node in graph.find("Relu"):
            x = node.inputs[0]
            node.inputs[0] = graph.add("Add", [x, graph.constant(np.float32(0.5))], dtype=x.dtype, shape=x.shape)


@hookimpl
def register_passes(register):
    register(SwapAxis)
    register(Slip)
'''


CHIP = '''
from convertkit.api.graphs import load, open_session
from convertkit.api.targets import Target, hookimpl


class Chip(Target):
    """A chip that needs no compiler."""

    def open(self, directory):
        return open_session(load(directory / "model.onnx"))


@hookimpl
def register_targets(register):
    register(Chip("chip"))
'''


@pytest.fixture
def onnx_file(tmp_path: Path) -> Path:
    save(graph(), tmp_path / "in.onnx")
    np.savez(tmp_path / "in.npz", **sample())
    return tmp_path / "in.onnx"


@pytest.fixture
def plugin(tmp_path: Path) -> Path:
    (tmp_path / "mine.py").write_text(FOR_TINY)
    return tmp_path / "mine.py"


def rerun(cli: Cli, directory: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[int, str]:
    """What the command in the README gives, run where it says."""
    (line,) = [
        text for text in (directory / "README.md").read_text().splitlines() if text.startswith("    conv")
    ]
    monkeypatch.chdir(directory)
    done = cli(*shlex.split(line)[1:])
    return done.code, done.err + done.out


@pytest.mark.parametrize(
    ("name", "nodes", "files", "line"),
    [
        (
            "swap-sub",
            ["Sub"],
            {"after.onnx", "got.npz"},
            "it declares effect exact but height changes by up to",
        ),
        (
            "swap-before-mul",
            ["Slice", "Slice", "Sub", "Mul"],
            {"after.onnx", "got.npz"},
            "it declares effect rounding but",
        ),
        ("raises", ["Relu"], set(), "KeyError: 'no rule for Relu in a graph of 1'"),
        (
            "add-mask",
            ["Abs"],
            {"after.onnx", "got.npz"},
            "it declares effect exact but root changes by up to",
        ),
        ("invalid", ["Abs"], {"after.onnx"}, "it left a graph that does not hold: the ONNX checker refuses"),
    ],
)
def test_a_broken_pass_is_named_and_its_reproducer_fails_again(
    cli: Cli,
    onnx_file: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    nodes: list[str],
    files: set[str],
    line: str,
) -> None:
    done = cli("bisect", onnx_file, "-p", f"harmless,{name},nudge", "--inputs", "in.npz", "--plugin", BROKEN)

    assert done.code == 1
    assert done.out.startswith(f"{onnx_file}: {name} is the first that does not hold: ")
    assert [text[:4] for text in done.err.splitlines()] == ["ok  ", "BAD ", "shri"]
    found = tmp_path / f"bisect-{name}"
    always = {"README.md", "before.onnx", "inputs.npz", "expected.npz"}
    assert {path.name for path in found.iterdir()} == always | files
    assert [node.op_type for node in onnx.load(found / "before.onnx").graph.node] == nodes
    code, text = rerun(cli, found, monkeypatch)
    assert code == 4
    assert line in text


@pytest.mark.slow
def test_what_only_an_input_at_the_bounds_of_a_pass_shows_is_found_as_opt_finds_it(
    cli: Cli, onnx_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = [onnx_file, "-p", "harmless,only-positive", "--inputs", "in.npz", "--plugin", BROKEN]
    line = "it declares effect exact but area changes by up to"

    checked, done = cli("opt", *words), cli("bisect", *words)

    assert (checked.code, done.code) == (4, 1)
    assert line in checked.err
    assert f"only-positive is the first that does not hold: {line}" in done.out
    assert "on inputs at the bounds of what it assumes" in done.out
    found = tmp_path / "bisect-only-positive"
    assert [node.op_type for node in onnx.load(found / "before.onnx").graph.node] == ["Abs"]
    np.testing.assert_array_equal(read_arrays(found / "inputs.npz")["scores"], -sample()["scores"])
    code, text = rerun(cli, found, monkeypatch)
    assert (code, "it declares effect exact but root changes by up to" in text) == (4, True)


def test_the_files_hold_what_they_say(cli: Cli, onnx_file: Path, tmp_path: Path) -> None:
    cli("bisect", onnx_file, "-p", "swap-sub", "--inputs", "in.npz", "--plugin", BROKEN)

    inputs, expected, got = (
        read_arrays(tmp_path / "bisect-swap-sub" / f"{name}.npz") for name in ("inputs", "expected", "got")
    )
    boxes = sample()["boxes"]
    np.testing.assert_array_equal(inputs["y1"], boxes[:, 1:2])
    np.testing.assert_array_equal(expected["height"], boxes[:, 3:] - boxes[:, 1:2])
    np.testing.assert_array_equal(got["height"], boxes[:, 1:2] - boxes[:, 3:])
    assert "after the passes: none" in (tmp_path / "bisect-swap-sub" / "README.md").read_text()


@pytest.mark.slow
def test_what_fails_again_on_a_targets_own_runtime_loads_its_plugin(
    cli: Cli, onnx_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "chip.py").write_text(CHIP)
    where = ["--target", "chip", "--runtime", "target", "--plugin", "chip.py", "--plugin", BROKEN]

    done = cli("bisect", onnx_file, "-p", "harmless,swap-sub", "--inputs", "in.npz", *where)

    assert done.code == 1, done.err
    code, text = rerun(cli, tmp_path / "bisect-swap-sub", monkeypatch)
    assert (code, "swap-sub" in text) == (1, True), text


def test_where_all_passes_hold_nothing_is_written(cli: Cli, onnx_file: Path, tmp_path: Path) -> None:
    before = sorted(tmp_path.iterdir())

    done = cli("bisect", onnx_file, "-p", "harmless,nudge,fold-constants", "--plugin", BROKEN)

    assert (done.code, done.out) == (0, f"{onnx_file}: 3 passes hold by outputs\n")
    assert sorted(tmp_path.iterdir()) == before


def test_a_bisection_as_json(cli: Cli, onnx_file: Path) -> None:
    done = cli("bisect", onnx_file, "-p", "harmless,swap-sub", "--plugin", BROKEN, "--json", "-o", "here")

    found = done.json
    assert (done.code, found["culprit"], found["failure"]["kind"]) == (1, "swap-sub", "differs")
    assert [verdict["ok"] for verdict in found["verdicts"]] == [True, False]
    assert (found["reproducer"]["directory"], found["reproducer"]["nodes"]) == ("here", 1)
    assert found["reproducer"]["whole"] == 11
    assert cli("bisect", onnx_file, "-p", "harmless", "--plugin", BROKEN, "--json").json["culprit"] is None


def test_a_stricter_effect_finds_what_a_pass_admits(
    cli: Cli, onnx_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = cli("bisect", onnx_file, "-p", "nudge{factor=1.5}", "--effect", "rounding", "--plugin", BROKEN)

    assert done.code == 1
    assert "judged as rounding, area changes by up to" in done.out
    code, text = rerun(cli, tmp_path / "bisect-nudge", monkeypatch)
    assert (code, "nudge{factor=1.5} is the first that does not hold" in text) == (1, True)


@pytest.mark.slow
def test_a_reproducer_is_replaced_only_by_force_and_nothing_else_ever(
    cli: Cli, onnx_file: Path, tmp_path: Path
) -> None:
    words = ["bisect", onnx_file, "-p", "swap-sub", "--plugin", BROKEN]
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "diary.txt").write_text("dear diary")
    cli(*words)
    (tmp_path / "bisect-swap-sub" / "README.md").write_text("my notes")

    again = cli(*words)
    forced = cli(*words, "--force", "--seed", "3")
    foreign = cli(*words, "--force", "-o", "mine")

    assert (again.code, again.err.splitlines()[-1]) == (
        2,
        "error: the culprit is swap-sub, but bisect-swap-sub is there already "
        "(--force replaces it; or choose another --output)",
    )
    assert forced.code == 1
    assert "my notes" not in (tmp_path / "bisect-swap-sub" / "README.md").read_text()
    assert (foreign.code, foreign.err) == (
        2,
        "error: mine is no reproducer, so --force does not replace it (choose another --output)\n",
    )
    assert (tmp_path / "mine" / "diary.txt").read_text() == "dear diary"
    assert not list(tmp_path.glob(".*"))


def test_a_pass_that_fails_only_now_and_then_leaves_no_reproducer(
    cli: Cli, onnx_file: Path, tmp_path: Path
) -> None:
    (tmp_path / "moody.py").write_text(
        "from convertkit.api.passes import GraphPass, hookimpl\n"
        "class Moody(GraphPass):\n"
        '    """Raise the first time only."""\n'
        '    name = "moody"\n'
        '    effect = "exact"\n'
        "    def run(self, graph):\n"
        "        runs.append(1)\n"
        "        if len(runs) == 1:\n"
        "            raise KeyError\n"
        "runs = []\n"
        "@hookimpl\n"
        "def register_passes(register):\n"
        "    register(Moody)\n"
    )

    done = cli("bisect", onnx_file, "-p", "moody", "--plugin", "moody.py")

    assert (done.code, done.out.splitlines()[-1]) == (1, "no reproducer was written")
    assert "moody does not fail on any sample by itself" in done.err
    assert not (tmp_path / "bisect-moody").exists()


def test_a_pass_with_requirements_is_rerun_as_if_they_were_met(
    cli: Cli, onnx_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = BROKEN.read_text().replace('name = "swap-sub"', 'name = "swap-sub"\n    requires = ("harmless",)')
    (tmp_path / "strict.py").write_text(text)

    cli("bisect", onnx_file, "-p", "nudge,harmless,swap-sub", "--plugin", "strict.py")

    code, line = rerun(cli, tmp_path / "bisect-swap-sub", monkeypatch)
    assert (code, "height changes by up to" in line) == (4, True)


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["in.onnx"], "error: --passes is empty"),
        (["in.onnx", "-p", "harmles"], "error: unknown pass 'harmles' (did you mean 'harmless'?"),
        (["in.onnx", "-p", "harmless", "--accuracy"], "error: --accuracy has no meaning for an ONNX file"),
        (["in.onnx", "-p", "harmless", "--variant", "x"], "error: --variant has no meaning for an ONNX file"),
        (
            ["in.onnx", "-p", "harmless", "--effect", "exakt"],
            "error: --effect 'exakt' is not known (did you mean",
        ),
        (
            ["in.onnx", "-p", "harmless", "--runtime", "npu"],
            "error: unknown runtime 'npu' (known: onnxruntime, target",
        ),
        (["in.onnx", "-p", "harmless", "--inputs", "no.npz"], "error: no.npz: no such file"),
        (["in.npz", "-p", "harmless"], "error: in.npz: not an ONNX"),
        (["nowhere", "-p", "harmless"], "error: unknown model package 'nowhere'"),
        (["in.onnx", "-p", "harmless", "-o", "in.npz"], "error: in.npz is there already"),
        (["tiny", "--inputs", "in.npz"], "error: --inputs has no meaning for a model package"),
        (["tiny", "--accuracy"], "error: variant small has no dataset of its own"),
        (
            ["wrong.onnx", "-p", "harmless"],
            "error: wrong.onnx is not a valid graph: the ONNX checker refuses the graph: No Op registered for Nothing",
        ),
    ],
)
def test_a_mistake_is_one_line(cli: Cli, onnx_file: Path, tiny: Path, words: list[str], line: str) -> None:
    wrong = onnx.load(onnx_file)
    wrong.graph.node[0].op_type = "Nothing"
    onnx.save(wrong, "wrong.onnx")

    done = cli("bisect", *words, "--plugin", BROKEN)

    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
    assert done.err.startswith(line)


def test_the_passes_of_a_model_are_judged_on_its_sample_photos(
    cli: Cli, tiny: Path, plugin: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ["--plugin", plugin]
    good = cli("bisect", tiny, *words)
    bad = cli("bisect", tiny, "-p", "fold-constants,relu-to-abs,cast-int64-to-int32", *words)

    assert (good.code, good.out) == (0, "tiny small on cpu: 6 passes hold by outputs\n")
    assert bad.code == 1
    assert "tiny small on cpu: relu-to-abs is the first" in bad.out
    assert "cached" in bad.err
    ops = [node.op_type for node in onnx.load(tmp_path / "bisect-relu-to-abs" / "before.onnx").graph.node]
    assert ops == ["Relu"]
    code, text = rerun(cli, tmp_path / "bisect-relu-to-abs", monkeypatch)
    assert (code, "it declares effect rounding but relu" in text) == (4, True)


def test_graphs_run_on_the_target_where_that_is_asked(cli: Cli, tiny: Path, plugin: Path) -> None:
    done = cli("bisect", tiny, "-p", "relu-to-abs", "--runtime", "target", "--plugin", plugin)

    assert done.code == 1
    assert "--target cpu --runtime target" in done.out


def test_a_checked_build_leaves_graphs_that_bisect_takes(cli: Cli, tiny: Path) -> None:
    cli("build", tiny)

    done = cli("bisect", tiny)

    assert [line.split()[-1] for line in done.err.splitlines() if line.startswith("[")] == ["cached"] * 7


@pytest.mark.slow
def test_mini_is_bisected_by_outputs_and_by_accuracy(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mean.py").write_text(
        "import numpy as np\n"
        "from convertkit.api.passes import GraphPass, hookimpl\n"
        "class Lower(GraphPass):\n"
        '    """Flatten the class scores a little."""\n'
        '    name = "lower"\n'
        '    effect = "semantic"\n'
        "    def run(self, graph):\n"
        '        for node in graph.find("Softmax"):\n'
        "            x = node.inputs[0]\n"
        "            factor = graph.constant(np.float32(0.2))\n"
        '            node.inputs[0] = graph.add("Mul", [x, factor], dtype=x.dtype)\n'
        "class SwapSub(GraphPass):\n"
        '    """Swap the operands of the Sub in the middle."""\n'
        '    name = "swap-sub"\n'
        '    effect = "rounding"\n'
        "    def run(self, graph):\n"
        '        subs = list(graph.find("Sub"))\n'
        "        node = subs[len(subs) // 2] if len(subs) > 8 else subs[-1]\n"
        "        node.inputs[0], node.inputs[1] = node.inputs[1], node.inputs[0]\n"
        "@hookimpl\n"
        "def register_passes(register):\n"
        "    register(Lower)\n"
        "    register(SwapSub)\n"
    )
    words = ["bisect", MASKRCNN, "--variant", "mini", "--plugin", "mean.py"]
    passes = "simplify,{},set-opset-window"

    outputs = cli(*words, "-p", passes.format("swap-sub"))
    unseen = cli(*words, "-p", passes.format("lower"))
    accuracy = cli(*words, "-p", passes.format("lower"), "--accuracy", "--limit", "12", "--json")

    assert (outputs.code, unseen.code, accuracy.code) == (1, 0, 1), outputs.err + accuracy.err
    assert [node.op_type for node in onnx.load("bisect-swap-sub/before.onnx").graph.node] == ["Sub"]
    found = accuracy.json
    assert (found["culprit"], found["failure"]["kind"], found["criterion"]) == (
        "lower",
        "accuracy",
        "accuracy",
    )
    texts = [verdict["text"] for verdict in found["verdicts"]]
    assert texts == ["simplify", "lower", "set-opset-window", "lower-heads"]
    assert [node.op_type for node in onnx.load("bisect-lower/before.onnx").graph.node] == ["Softmax"]
    assert rerun(cli, tmp_path / "bisect-swap-sub", monkeypatch)[0] == 4
    assert rerun(cli, tmp_path / "bisect-lower", monkeypatch)[0] == 1
