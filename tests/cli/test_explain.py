"""``--explain`` and ``--dry-run``: what would be done, said, and nothing written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from convertkit.graph.io import save
from convertkit.plugins.loading import open_plugins
from tests.conftest import Cli
from tests.graphtext import parse
from tests.tiny import tiny_model

PLUGIN = '''
import onnx

from convertkit.api.passes import Finding, GraphPass, LightPass, ModelPass, hookimpl


class CountRelu(GraphPass):
    """Count Relu nodes."""

    name = "count-relu"
    effect = "exact"
    most: int = 9

    def run(self, graph):
        raise KeyError("never run here")

    def explain(self, graph):
        found = tuple(
            Finding("matched", node.name, "is a Relu", node.outputs[0].name)
            for node in graph.find("Relu")
        )
        for node in list(graph.find()):
            graph.bypass(node)  # the graph given is its own
        return found


class CountWeights(LightPass):
    """Count detached weights."""

    name = "count-weights"
    effect = "exact"

    def run(self, model):
        return model

    def explain(self, model):
        return tuple(Finding("refused", item.name, "large") for item in model.detached())


class CountNodes(ModelPass):
    """Count nodes."""

    name = "count-nodes"
    effect = "semantic"
    after = ("drop-relu",)

    def run(self, model):
        return model

    def explain(self, model):
        assert isinstance(model, onnx.ModelProto)
        count = len(model.graph.node)
        del model.graph.node[:]
        return (Finding("matched", "graph", f"{count} nodes"),)


class DropRelu(GraphPass):
    """Remove Relu."""

    name = "drop-relu"
    effect = "semantic"

    def run(self, graph):
        for node in graph.find("Relu"):
            graph.bypass(node)


class Talks(GraphPass):
    """Say something that is no finding."""

    name = "talks"
    effect = "exact"

    def run(self, graph):
        pass

    def explain(self, graph):
        return ["all fine"]


class Stumbles(Talks):
    """Fail to say anything."""

    name = "stumbles"

    def explain(self, graph):
        raise KeyError("oops")


@hookimpl
def register_passes(register):
    for cls in (CountRelu, CountWeights, CountNodes, DropRelu, Talks, Stumbles):
        register(cls)
'''


@pytest.fixture
def graph(tmp_path: Path) -> Path:
    onnx.save(tiny_model(), tmp_path / "in.onnx")
    (tmp_path / "mine.py").write_text(PLUGIN)
    return tmp_path / "in.onnx"


def test_a_pass_says_where_it_looked_and_what_it_found(cli: Cli, graph: Path) -> None:
    done = cli("opt", graph, "--explain", "count-relu", "--plugin", "mine.py")

    assert (done.code, done.err) == (0, "")
    assert done.out == "count-relu: 1 matched, 0 refused\n  matched  relu: is a Relu, at 'relu'\n"


def test_every_form_of_pass_is_given_its_form_and_asked_in_its_place(cli: Cli, graph: Path) -> None:
    words = ["--explain", "count-nodes", "--explain", "count-weights", "--explain", "count-relu"]

    found = cli(
        "opt", graph, "-p", "count-weights,drop-relu,count-nodes", *words, "--plugin", "mine.py", "--json"
    )

    answers = found.json["explained"]
    assert [(item["pass"], item["after"]) for item in answers] == [
        ("count-weights", []),
        ("count-nodes", ["count-weights", "drop-relu"]),
        ("count-relu", ["count-weights", "drop-relu", "count-nodes"]),
    ]
    assert answers[0]["findings"] == [{"status": "refused", "where": "weights", "why": "large", "tensor": ""}]
    assert answers[1]["findings"][0]["why"] == "5 nodes"
    assert answers[2]["findings"] == []


def test_passes_behind_the_last_question_do_not_run(cli: Cli, graph: Path) -> None:
    done = cli("opt", graph, "-p", "count-relu", "--explain", "count-weights", "--plugin", "mine.py")

    assert (done.code, done.err) == (
        4,
        "error: pass count-relu: KeyError: 'never run here' (a defect in the pass)\n",
    )
    assert cli("opt", graph, "-p", "count-relu", "--explain", "count-relu", "--plugin", "mine.py").code == 0


def test_options_make_it_another_pass(cli: Cli, graph: Path) -> None:
    words = ["-p", "drop-relu,count-relu{most=3}", "--plugin", "mine.py"]

    bare = cli("opt", graph, *words, "--explain", "count-relu")
    same = cli("opt", graph, *words, "--explain", "count-relu{most=3}")

    assert bare.out == same.out == "count-relu{most=3} (after drop-relu): found no candidate\n"


def test_int64_tensors_are_explained(cli: Cli, graph: Path) -> None:
    done = cli("opt", graph, "--explain", "cast-int64-to-int32")

    assert "refused  output 0 (shape) of Shape: ONNX fixes it to int64, at 'shape'" in done.out


@pytest.mark.parametrize(
    ("words", "code", "line"),
    [
        (
            ["--explain", "drop-relu"],
            2,
            "error: pass drop-relu has no explain (these have: absorb-score-filters, ",
        ),
        (["--explain", "count-rellu"], 2, "error: unknown pass 'count-rellu' (did you mean 'count-relu'?"),
        (["--explain", "talks"], 4, "error: pass talks: explain gives 'all fine' (return Finding"),
        (
            ["--explain", "stumbles"],
            4,
            "error: pass stumbles: explain: KeyError: 'oops' (a defect in the pass)",
        ),
        (
            ["--explain", "count-relu", "-o", "x.onnx"],
            2,
            "error: --explain writes nothing, so --output has no use",
        ),
        (["--explain", "count-relu", "--dry-run"], 2, "error: --explain and --dry-run exclude each other"),
        (["--dry-run"], 2, "error: --passes is empty"),
        (["-p", "drop-relu", "--inputs", "in.onnx"], 2, "error: in.onnx: not an .npz file of plain arrays"),
    ],
)
def test_what_cannot_be_explained_is_one_line(
    cli: Cli, graph: Path, words: list[str], code: int, line: str
) -> None:
    done = cli("opt", graph, *words, "--plugin", "mine.py")

    assert (done.code, done.out, done.err.count("\n")) == (code, "", 1)
    assert done.err.startswith(line)


def test_a_dry_run_shows_order_effects_and_what_would_be_found(cli: Cli, graph: Path, tmp_path: Path) -> None:
    before = sorted(tmp_path.iterdir())

    done = cli(
        "opt", graph, "-p", "drop-relu,count-nodes,simplify{skip=[a]}", "--plugin", "mine.py", "--dry-run"
    )

    rows = [line.split("  ") for line in done.out.splitlines()[2:5]]
    assert [[cell.strip() for cell in row if cell] for row in rows] == [
        ["1", "drop-relu", "semantic", "-", "-"],
        ["2", "count-nodes", "semantic", "after drop-relu", "1 matched, 0 refused"],
        ["3", "simplify{skip=[a]}", "rounding", "-", "-"],
    ]
    assert sorted(tmp_path.iterdir()) == before


def test_a_dry_run_as_json(cli: Cli, graph: Path) -> None:
    rows = cli(
        "opt", graph, "-p", "drop-relu,count-nodes", "--plugin", "mine.py", "--dry-run", "--json"
    ).json["passes"]

    assert [row["findings"] is None for row in rows] == [True, False]
    assert rows[1]["after"] == ["drop-relu"]


def test_inputs_from_a_file_decide_the_check(cli: Cli, graph: Path) -> None:
    np.savez("dark.npz", image=np.zeros((1, 3, 8, 8), np.float32))
    np.savez("wrong.npz", photo=np.zeros(3))

    dark = cli("opt", graph, "-p", "drop-relu", "--plugin", "mine.py", "--inputs", "dark.npz")
    wrong = cli("opt", graph, "-p", "drop-relu", "--plugin", "mine.py", "--inputs", "wrong.npz")

    assert "semantic: bit for bit equal" in dark.err  # a convolution of nothing has nothing to cut off
    assert (wrong.code, wrong.err) == (
        2,
        "error: wrong.npz: input 'image' is missing; the graph needs image (the file has photo)\n",
    )


@pytest.mark.parametrize("command", [("opt",), ("bisect",)])
@pytest.mark.parametrize(
    ("given", "why"),
    [
        (np.zeros((1, 3), np.float64), "input 'image': it is float64, the graph takes float32"),
        (np.zeros((1, 3), np.int64), "input 'image': it is int64, the graph takes float32"),
        (np.zeros((1, 4), np.float32), "input 'image': it is float32 1x4, the graph takes 1x3"),
    ],
)
def test_a_sample_that_the_graph_does_not_take_is_the_files_mistake(
    cli: Cli, tmp_path: Path, command: tuple[str, ...], given: Any, why: str
) -> None:
    save(parse("(float[1,3] image) => (float[1,3] y) { y = Neg (image) }"), tmp_path / "in.onnx")
    np.savez("wrong.npz", image=given)

    outcome = cli(*command, "in.onnx", "-p", "fold-constants", "--inputs", "wrong.npz")

    assert (outcome.code, outcome.err) == (2, f"error: wrong.npz: {why} (the file has image)\n")


def test_a_pass_that_requires_another_runs_where_that_is_done(cli: Cli, graph: Path, tmp_path: Path) -> None:
    text = (tmp_path / "mine.py").read_text()
    (tmp_path / "mine.py").write_text(text.replace('after = ("drop-relu",)', 'requires = ("drop-relu",)'))

    refused = cli("opt", graph, "-p", "count-nodes", "--plugin", "mine.py")
    done = cli("opt", graph, "-p", "count-nodes", "--done", "drop-relu", "--plugin", "mine.py")

    assert (refused.code, done.code) == (2, 0)
    assert "drop-relu" not in done.err


@pytest.mark.slow
def test_the_dry_run_of_a_build_knows_what_is_there(cli: Cli, tiny: Path, own_home: Path) -> None:
    first = cli("build", tiny, "--dry-run", "--json").json
    assert not list(own_home.iterdir())
    cli("build", tiny)
    second = cli("build", tiny, "--dry-run", "--json").json
    other = cli("build", tiny, "--dry-run", "-p", "fold-constants,set-opset-window", "--json").json

    assert [step["state"] for step in first["steps"]] == ["to do"] * 8
    assert (first["state"], second["state"], other["state"]) == (
        "to be written",
        "up to date",
        "to be written",
    )
    assert [step["state"] for step in second["steps"]] == ["cached"] * 8
    assert [step["state"] for step in other["steps"]] == ["cached", "cached", *["to do"] * 5]
    assert [step["key"] for step in first["steps"]] == [step["key"] for step in second["steps"]]
    assert second["steps"][2]["after"] == ["simplify", "fold-constants"]


def test_the_dry_run_of_a_build_is_a_table(cli: Cli, tiny: Path) -> None:
    done = cli("build", tiny, "--dry-run")

    rows = [line.split() for line in done.out.splitlines()[2:10]]
    assert [(row[1], row[-2], row[-1]) for row in rows] == [
        (kind, "to", "do") for kind in ("stock", *["pass"] * 6, "compile")
    ]
    assert done.out.endswith("build/tiny-small-cpu: to be written; nothing was run or written\n")
    assert not Path("build").exists()


def test_a_pass_of_a_build_is_explained_on_the_graph_it_gets(cli: Cli, tiny: Path) -> None:
    done = cli("build", tiny, "--explain", "cast-int64-to-int32")

    assert done.out.startswith("cast-int64-to-int32 (after fold-constants): ")
    assert not Path("build").exists()


def test_a_build_resumes_from_what_explaining_left(cli: Cli, tiny: Path) -> None:
    cli("build", tiny, "--explain", "cast-int64-to-int32")

    done = cli("build", tiny, "--no-check", "--dry-run", "--json").json

    assert [step["state"] for step in done["steps"][:2]] == ["cached", "cached"]


def test_the_passes_that_explain_themselves_are_findable() -> None:
    from convertkit.passes.explain import explains

    assert "cast-int64-to-int32" in [entry.name for entry in open_plugins().passes if explains(entry.item)]
