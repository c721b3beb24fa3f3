from __future__ import annotations

import os
import re
from pathlib import Path

import onnx
import pytest

from tests.conftest import Cli
from tests.tiny import tiny_model


@pytest.fixture
def graph(tmp_path: Path) -> Path:
    path = tmp_path / "in.onnx"
    onnx.save(tiny_model(), path)
    return path


def test_build_says_what_it_did_and_where(cli: Cli, tiny: Path) -> None:
    done = cli("build", tiny)

    assert done.code == 0
    built, sample, hint = done.out.splitlines()
    assert re.fullmatch(r"built build/tiny-small-cpu \(model.onnx 3 kB, manifest.json\)", built)
    assert sample.startswith("no sample: ")
    assert hint.startswith("next: convertkit detect build/tiny-small-cpu PHOTO --package ")
    lines = done.err.splitlines()
    assert [line.split(" ")[0] for line in lines] == [f"[{step}/8]" for step in range(1, 9)]
    assert "exact: bit for bit equal" in done.err


def test_build_again_says_that_nothing_was_to_do(cli: Cli, tiny: Path) -> None:
    cli("build", tiny)

    again = cli("build", tiny)

    assert again.out.startswith("up to date: build/tiny-small-cpu")
    assert again.err == ""


def test_a_package_in_a_directory_whose_name_is_no_text_builds(cli: Cli, tiny: Path, tmp_path: Path) -> None:
    place = tmp_path / os.fsdecode(b"caf\xe9")
    place.mkdir()
    tiny.rename(place / "tiny")

    done = cli("build", place / "tiny", "-o", place / "built", "--json")

    assert done.code == 0, done.err
    assert done.json["passes"][0]["name"] == "fold-constants"
    assert (place / "built" / "model.onnx").is_file()


def test_build_as_json(cli: Cli, tiny: Path) -> None:
    data = cli("build", tiny, "--json").json

    assert data["fresh"] is True
    assert data["manifest"]["target"] == "cpu"
    assert [record["name"] for record in data["passes"]][:1] == ["fold-constants"]


def test_opt_rewrites_a_file(cli: Cli, graph: Path) -> None:
    done = cli("opt", graph, "-p", "fold-constants,cast-int64-to-int32", "-o", "out.onnx")

    assert (done.code, done.out.split(" (")[0]) == (0, "wrote out.onnx")
    onnx.checker.check_model(onnx.load("out.onnx"), full_check=True)


def test_opt_without_output_writes_nothing(cli: Cli, graph: Path, tmp_path: Path) -> None:
    before = sorted(tmp_path.iterdir())

    done = cli("opt", graph, "-p", "fold-constants")

    assert "nothing written" in done.out
    assert sorted(tmp_path.iterdir()) == before


def test_opt_takes_a_plugin_file(cli: Cli, graph: Path, tmp_path: Path) -> None:
    plugin = tmp_path / "mine.py"
    plugin.write_text(
        "from convertkit.api.passes import GraphPass, hookimpl\n"
        "class DropRelu(GraphPass):\n"
        '    """Remove Relu."""\n'
        '    name = "drop-relu"\n'
        '    effect = "semantic"\n'
        "    def run(self, graph):\n"
        '        for node in graph.find(op="Relu"):\n'
        "            graph.bypass(node)\n"
        "@hookimpl\n"
        "def register_passes(register):\n"
        "    register(DropRelu)\n"
    )

    done = cli("opt", graph, "-p", "drop-relu", "--plugin", plugin, "-o", "out.onnx")

    assert done.code == 0
    assert "Relu" not in [node.op_type for node in onnx.load("out.onnx").graph.node]


def test_list_and_show_passes(cli: Cli) -> None:
    listed = cli("list", "passes").out
    shown = cli("show", "pass", "set-opset-window").out

    assert "cast-int64-to-int32" in listed
    assert "min: int = 11" in shown


@pytest.mark.slow
def test_list_targets_models_plugins(cli: Cli) -> None:
    repository = Path(__file__).parents[2]

    assert "cpu" in cli("list", "targets").out
    assert "r50-fpn-1x" in cli("list", "models", "--models", repository / "models").out
    assert "builtin_passes" in cli("list", "plugins").out


def test_list_as_json(cli: Cli) -> None:
    assert {row["pass"] for row in cli("list", "passes", "--json").json} >= {"simplify", "rename-io"}


def test_replay_tells_good_from_bad(cli: Cli, tiny: Path) -> None:
    cli("build", tiny)
    manifest = Path("build/tiny-small-cpu/manifest.json")

    good = cli("replay", manifest, "--model", tiny)
    (manifest.parent / "model.onnx").write_bytes(b"oops")
    bad = cli("replay", manifest)

    assert (good.code, "BAD" in good.out) == (0, False)
    assert (bad.code, "BAD  model.onnx does not match its sha256" in bad.out) == (1, True)


def test_doctor_looks_around(cli: Cli) -> None:
    done = cli("doctor")

    assert done.code == 0
    assert "onnxruntime" in done.out


def test_export_writes_the_stock_graph(cli: Cli, tiny: Path) -> None:
    done = cli("export", tiny, "-o", "stock.onnx")

    assert done.code == 0
    assert len(onnx.load("stock.onnx").graph.node) == 6


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["buidl"], "error: No such command 'buidl'. Did you mean 'build'?"),
        (["build"], "error: Missing argument 'MODEL'."),
        (
            ["build", "nowhere"],
            "error: unknown model package 'nowhere' (known: cascade_mask_rcnn, ",
        ),
        (["build", "tiny", "--target", "gpu"], "error: unknown target 'gpu' (did you mean 'cpu'?"),
        (
            ["build", "tiny", "--variant", "smal"],
            "error: unknown variant 'smal' (did you mean 'small'? known: small)",
        ),
        (["build", "tiny", "--from", "stok"], "error: --from 'stok' is not known (did you mean 'stock'?"),
        (["build", "tiny", "-p", "simplfy"], "error: unknown pass 'simplfy' (did you mean 'simplify'?"),
        (["opt", "nowhere.onnx", "-p", "simplify"], "error: nowhere.onnx: no such file"),
        (["opt", "tiny/plugin.py", "-p", "simplify"], "error: tiny/plugin.py: not an ONNX file"),
        (["opt", "tiny/small.onnx", "-p", ""], "error: -p is empty"),
        (["list", "pass"], "error: list 'pass' is not known (did you mean 'passes'?"),
        (["show", "pass", "nothing"], "error: unknown pass 'nothing'"),
        (
            ["verify", "tiny"],
            "error: variant small has no dataset of its own (give --annotations and --images)",
        ),
        (["verify", "tiny", "--images", "."], "error: --images needs --annotations as well"),
        (["replay", "tiny/model.yaml"], "error: tiny/model.yaml: not a convertkit manifest"),
        (["fetch", "tiny"], "error: variant small has nothing to download"),
        (["env", "remove", "nothing"], "error: "),
        (["build", "tiny", "--plugin", "nowhere.py"], "error: plugin"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(cli: Cli, tiny: Path, words: list[str], line: str) -> None:
    done = cli(*words)

    assert done.code == 2
    assert done.err.count("\n") == 1
    assert done.err.startswith(line)
    assert done.out == ""
    assert not Path("build").exists()


@pytest.mark.parametrize("place", ["taken", "taken/below", "/proc/none", "x" * 300])
def test_a_place_that_cannot_be_written_is_one_line(cli: Cli, tiny: Path, tmp_path: Path, place: str) -> None:
    (tmp_path / "taken").write_text("mine")

    done = cli("build", tiny, "-o", place)

    assert done.code == 2
    assert done.out == ""
    assert done.err.splitlines()[-1].startswith("error: ")
    assert "defect" not in done.err


def test_an_interruption_says_so(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "slow.py").write_text("raise KeyboardInterrupt")

    done = cli("list", "passes", "--plugin", "slow.py")

    assert (done.code, done.out, done.err) == (130, "", "error: interrupted; finished steps are kept\n")


def test_fetch_knows_variant_files_too(cli: Cli, tiny: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("size: [8, 8]\nconfig: {base: none}\n")

    assert "variant mine has nothing to download" in cli("fetch", tiny, "--variant", "mine.yaml").err


def test_debug_adds_the_traceback(cli: Cli) -> None:
    done = cli("--debug", "build", "nowhere")

    assert done.code == 2
    assert "Traceback" in done.err
