"""``convertkit lint``: the table, JSON, SARIF, exit codes, and one line for every mistake."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest

from tests.ascend.linter.graphs import named
from tests.conftest import Cli

CLEAN = "(float[2] x) => (float[2] y) { y = Relu (x) }"
TARGET = ("--target", "ascend310p3")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file with one error (an input of no known size) and one warning (a dead node)."""
    model = named("(float[n] x) => (float[n] y) { y = Relu (x) z = Abs (x) }").proto
    onnx.save(model, tmp_path / "model.onnx")
    return Path("model.onnx")


@pytest.mark.slow
def test_a_clean_file_gives_0(cli: Cli, tmp_path: Path) -> None:
    onnx.save(named(CLEAN).proto, tmp_path / "clean.onnx")

    done = cli("lint", "clean.onnx", *TARGET)

    assert done.code == 0
    assert done.out.splitlines()[-1] == "clean.onnx for ascend310p3: 0 errors, 0 warnings"
    assert done.out.startswith("kernels: the table of this package")


@pytest.mark.slow
def test_an_error_gives_1_and_a_table(cli: Cli, file: Path) -> None:
    done = cli("lint", file, *TARGET)

    assert done.code == 1
    header, _, first, second, *rest = done.out.splitlines()
    assert header.split() == ["node", "op", "rule", "why", "fix"]
    assert first.split()[:4] == ["error", "x", "-", "input-shape-missing"]
    assert second.split()[:4] == ["warning", "n1", "Abs", "node-dead"]
    assert rest[-1] == "model.onnx for ascend310p3: 1 error, 1 warning"
    assert done.err.startswith("error: model.onnx is not fit for ascend310p3: 1 error, 1 warning, first: x:")
    assert done.err.count("\n") == 1


@pytest.mark.slow
def test_what_repeats_is_one_row_and_json_has_each(cli: Cli, tmp_path: Path) -> None:
    dead = " ".join(f"z{number} = Abs (x)" for number in range(40)) + " q = Neg (x) p = Neg (x)"
    onnx.save(named(f"(float[2] x) => (float[2] y) {{ y = Relu (x) {dead} }}").proto, tmp_path / "dead.onnx")

    done = cli("lint", "dead.onnx", *TARGET)

    rows = [line.split("  ") for line in done.out.splitlines() if line.startswith("warning")]
    assert [[cell.strip() for cell in row if cell][1:4] for row in rows] == [
        ["n1, n2, n3 and 37 more", "Abs", "node-dead"],
        ["n41", "Neg", "node-dead"],
        ["n42", "Neg", "node-dead"],
    ]
    assert "42 findings in 3 rows; --json and --sarif have each of them" in done.out
    assert len(cli("lint", "dead.onnx", *TARGET, "--json").json["findings"]) == 42
    assert len(cli("lint", "dead.onnx", *TARGET, "--sarif").json["runs"][0]["results"]) == 42


@pytest.mark.slow
def test_branches_and_tensors_are_not_printed(cli: Cli, tmp_path: Path) -> None:
    """One If with a weight in its branch gave 140 kB."""
    text = """(bool c, float[2000] x) => (float[2000] y) { y = If (c) <
        then_branch = t () => (float[2000] p) { p = Neg (x) },
        else_branch = e () => (float[2000] q) { q = Add (x, w) } > }"""
    model = named(text, opset=13).proto
    weight = onnx.numpy_helper.from_array(np.arange(2000, dtype=np.float32), "w")
    model.graph.node[0].attribute[1].g.initializer.append(weight)
    model.graph.node[0].attribute.append(onnx.helper.make_attribute("note", weight))
    onnx.save(model, tmp_path / "if.onnx")

    done = cli("lint", "if.onnx", *TARGET)

    assert "If  subgraph" in done.out
    assert "note = a tensor of float32 [2000]" in done.out
    assert len(done.out) < 2000
    assert len(cli("lint", "if.onnx", *TARGET, "--json").out) < 3000


@pytest.mark.slow
@pytest.mark.parametrize("letter", ["n", "ä", "\u202e", "\x1b"])
def test_long_names_are_cut(cli: Cli, tmp_path: Path, letter: str) -> None:
    name = letter * 20000
    model = named("(float[2] x) => (float[2] y) { y = Relu (x) z = Abs (x) }").proto
    model.graph.node[0].name = model.graph.node[1].name = name
    model.graph.node[0].input[0] = name
    onnx.save(model, tmp_path / "long.onnx")

    done = cli("lint", "long.onnx", *TARGET)

    assert done.code == 1
    assert max(map(len, done.out.splitlines())) < 900 and len(done.err) < 900
    assert cli("lint", "long.onnx", *TARGET, "--json").json["errors"]


@pytest.mark.slow
def test_warnings_alone_give_0(cli: Cli, file: Path) -> None:
    done = cli("lint", file, *TARGET, "--input-shape", "x:2")

    assert done.code == 0
    assert "0 errors, 1 warning" in done.out


@pytest.mark.slow
def test_a_rule_can_be_allowed(cli: Cli, file: Path) -> None:
    done = cli("lint", file, *TARGET, "--allow", "input-shape-missing", "--allow", "node-dead", "--json")

    assert done.json["findings"] == [
        item for item in done.json["findings"] if item["rule"] == "shape-dynamic"
    ]
    assert {item["rule"] for item in done.json["allowed"]} == {"input-shape-missing", "node-dead"}


@pytest.mark.slow
def test_json_has_everything(cli: Cli, file: Path) -> None:
    done = cli("lint", file, *TARGET, "--json")

    assert done.code == 1
    assert (done.json["file"], done.json["target"]) == ("model.onnx", "ascend310p3")
    assert (done.json["errors"], done.json["warnings"]) == (1, 1)
    assert set(done.json["findings"][0]) == {"node", "op", "rule", "severity", "why", "fix"}


@pytest.mark.slow
def test_sarif_is_of_the_structure_of_2_1_0(cli: Cli, file: Path) -> None:
    done = cli("lint", file, *TARGET, "--sarif", "--allow", "node-dead")

    assert done.code == 1
    assert done.json["version"] == "2.1.0"
    (run,) = done.json["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert len({rule["id"] for rule in rules}) == len(rules) > 50
    for rule in rules:
        assert rule["defaultConfiguration"]["level"] in ("error", "warning")
        assert rule["shortDescription"]["text"] and rule["help"]["text"]
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["level"] in ("error", "warning") and result["message"]["text"]
        (place,) = result["locations"]
        uri = place["physicalLocation"]["artifactLocation"]["uri"]
        assert (
            run["artifacts"][place["physicalLocation"]["artifactLocation"]["index"]]["location"]["uri"] == uri
        )
        assert place["logicalLocations"][0]["name"] in ("x", "n1")
    assert [bool(result.get("suppressions")) for result in run["results"]] == [False, True]


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["lint", "model.onnx"], "error: Missing option '--target'"),
        (["lint", "nowhere.onnx", *TARGET], "error: nowhere.onnx: no such file"),
        (["lint", "model.onnx", "-t", "ascend310p"], "error: unknown target 'ascend310p' (did you mean"),
        (["lint", "model.onnx", "-t", "cpu"], "error: target cpu has no linter"),
        (
            ["lint", "model.onnx", *TARGET, "--allow", "node-ded"],
            "error: unknown rule 'node-ded' (did you mean 'node-dead'?",
        ),
        (
            ["lint", "model.onnx", *TARGET, "--json", "--sarif"],
            "error: --json and --sarif exclude each other",
        ),
        (["lint", "model.onnx", *TARGET, "--input-shape", "x"], "error: --input-shape 'x' is not NAME:SIZE"),
        (["list", "rules", "-t", "gpu"], "error: unknown target 'gpu'"),
        (["list", "passes", "-t", "cpu"], "error: --target has no use with list passes"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(cli: Cli, file: Path, words: list[str], line: str) -> None:
    done = cli(*words)

    assert done.code == 2
    assert (list(done.json) == ["error"]) if "--json" in words else (done.out == "")
    assert done.err.startswith(line) and done.err.count("\n") == 1


@pytest.mark.slow
def test_a_file_that_is_no_model_is_one_line(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "text.onnx").write_text("no model")

    done = cli("lint", "text.onnx", *TARGET)

    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("error: text.onnx: not an ONNX")


def test_the_rules_are_listed(cli: Cli) -> None:
    done = cli("list", "rules", *TARGET, "--json")

    assert {"rule", "severity", "targets", "summary"} == set(done.json[0])
    assert any(row["rule"] == "input-dangling" and row["targets"] == ["ascend310p3"] for row in done.json)


@pytest.mark.slow
def test_a_rule_is_listed_once_however_many_targets_have_it(cli: Cli) -> None:
    everywhere = cli("list", "rules", "--json").json
    shown = cli("list", "rules").out

    names = [row["rule"] for row in everywhere]
    assert len(names) == len(set(names)) == len(cli("list", "rules", *TARGET, "--json").json)
    assert all("ascend310p3" in row["targets"] for row in everywhere)
    assert shown.count("input-dangling") == 1
    assert f"all {len(everywhere[0]['targets'])}" in shown
