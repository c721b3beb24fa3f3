"""Checks have keys of their own: they run when samples come, and say where they did not run."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import pytest

from convertkit.conversion.replay import check
from convertkit.passes.base import Pass
from convertkit.passes.state import GraphState
from tests import graphtext
from tests.conftest import Cli
from tests.tiny import tiny_model

CHANGED = ["fold-constants"]


@pytest.fixture
def without_samples(tiny: Path) -> Path:
    plugin = tiny / "plugin.py"
    code, _, _ = plugin.read_text().partition("        yield np.random")
    code += f"        yield from (np.load(path) for path in Path({str(tiny)!r}).glob('*.npy'))\n"
    register = "\n\n@hookimpl\ndef register_models(register):\n    register(Tiny)\n"
    plugin.write_text(f"from pathlib import Path\n{code}{register}")
    return tiny


def samples_come(package: Path) -> None:
    np.save(package / "photo.npy", np.full((8, 8, 3), 7, np.uint8))


def summaries(directory: str = "build/tiny-small-cpu") -> list[dict[str, object]]:
    steps = json.loads(Path(directory, "manifest.json").read_text())["steps"]
    return [step["summary"] for step in steps if step["kind"] == "pass"]


def test_a_pass_without_samples_is_marked_everywhere(cli: Cli, without_samples: Path) -> None:
    done = cli("build", without_samples)

    assert "exact: not checked: no sample inputs" in done.err
    assert done.out.splitlines()[0] == "not checked: 1 of 6 passes, first fold-constants: no sample inputs"
    assert [summary.get("unchecked") for summary in summaries()].count("no sample inputs") == 1
    assert list(cli("build", without_samples, "--json").json["unchecked"]) == CHANGED
    said = [
        found.what
        for found in check(Path("build/tiny-small-cpu/manifest.json"))
        if "not checked" in found.what
    ]
    assert said == [f"{name} was not checked: no sample inputs" for name in CHANGED]


@pytest.mark.slow
def test_checks_run_when_samples_come_and_passes_do_not(
    cli: Cli, without_samples: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cli("build", without_samples)
    model = Path("build/tiny-small-cpu/model.onnx").read_bytes()
    samples_come(without_samples)
    ran: list[str] = []
    apply = GraphState.apply

    def noted(state: GraphState, step: Pass) -> None:
        ran.append(step.name)
        apply(state, step)

    monkeypatch.setattr(GraphState, "apply", noted)
    preview = cli("build", without_samples, "--dry-run", "--json").json

    done = cli("build", without_samples)

    assert [step["state"] for step in preview["steps"]] == ["cached", *["to check"] * 6, "cached"]
    assert preview["state"] == "to be written"
    assert ran == []
    assert done.out.startswith("built build/tiny-small-cpu")
    assert "exact: bit for bit equal" in done.err
    assert not any("unchecked" in summary for summary in summaries())
    assert Path("build/tiny-small-cpu/model.onnx").read_bytes() == model
    assert cli("build", without_samples).out.startswith("up to date")


def test_other_samples_are_a_reason_to_check_again(cli: Cli, without_samples: Path) -> None:
    samples_come(without_samples)
    cli("build", without_samples)
    first = [summary["check"] for summary in summaries()]
    np.save(without_samples / "photo.npy", np.full((8, 8, 3), 8, np.uint8))

    done = cli("build", without_samples)

    assert done.out.startswith("built ")
    assert not {summary["check"] for summary in summaries()} & set(first)


@pytest.mark.parametrize("place", [".", "day/1"])
def test_samples_in_a_linked_directory_are_a_reason_to_check_again(
    cli: Cli, without_samples: Path, tmp_path: Path, place: str
) -> None:
    samples_come(without_samples)
    photos = tmp_path / "elsewhere" / place
    photos.mkdir(parents=True)
    np.save(photos / "photo.npy", np.full((8, 8, 3), 8, np.uint8))
    (without_samples / "photos").symlink_to(tmp_path / "elsewhere")
    cli("build", without_samples)
    again = cli("build", without_samples)
    np.save(photos / "photo.npy", np.full((8, 9, 3), 9, np.uint8))

    done = cli("build", without_samples)

    assert again.out.startswith("up to date")
    assert done.out.startswith("built ")


def test_a_build_without_checks_is_marked_and_made_up_for(cli: Cli, tiny: Path) -> None:
    cli("build", tiny, "--no-check")
    unchecked = [summary.get("unchecked") for summary in summaries()]

    done = cli("build", tiny)

    assert unchecked.count("--no-check") == 1
    assert done.out.startswith("built ")
    assert not any("unchecked" in summary for summary in summaries())


def test_a_checked_artifact_serves_who_asks_for_no_check(cli: Cli, tiny: Path) -> None:
    cli("build", tiny)

    done = cli("build", tiny, "--no-check")

    assert done.out.startswith("up to date")


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        (
            "{role: image, shape: [1, 3, H, W]}",
            "{role: image, dtype: int64, shape: [1, 3, H, W]}",
            "input image is float32",
        ),
        ("[1, 3, H, W]", "[1, 3, 99, 99]", "input image is [1, 3, 8, 8]"),
        ("[1, 3, H, W]", "[1, H, W]", "input image is [1, 3, 8, 8]"),
        ("size: [8, 8]", "size: [8, 16]", "promises [1, 3, H=8, W=16]"),
        ("[1, N]", "[N, N]", "output features is [1, 400]"),
        ("{role: other, shape: [1, N]}", "{role: other, dtype: int32}", "output features is float32"),
        ("image: {", "photo: {", "has inputs image"),
        ("shape: [1, N]}", "dtype: flaot32}", "'flaot32' is not known (did you mean 'float32'?"),
    ],
)
def test_what_model_yaml_says_of_a_tensor_has_to_be_true(
    cli: Cli, tiny: Path, old: str, new: str, line: str
) -> None:
    yaml = tiny / "model.yaml"
    assert old in yaml.read_text()
    cli("build", tiny)
    yaml.write_text(yaml.read_text().replace(old, new))

    done = cli("build", tiny)

    assert done.code == 2
    assert line in done.err.splitlines()[-1]
    assert "fold-constants" not in done.err


def test_what_is_open_in_the_graph_or_not_said_is_not_compared(cli: Cli, tiny: Path) -> None:
    model = tiny_model()
    model.graph.output[0].type.tensor_type.shape.dim[1].dim_param = "open"
    onnx.save(model, tiny / "small.onnx")
    yaml = tiny / "model.yaml"
    yaml.write_text(
        yaml.read_text().replace("[1, N]", "[1, 99]").replace("shape: [1, 3, H, W]", "dtype: float32")
    )

    assert cli("build", tiny).code == 0


def test_an_invalid_stock_graph_is_refused_before_the_first_pass(cli: Cli, tiny: Path) -> None:
    model = tiny_model()
    model.graph.node[1].op_type = "Rleu"
    onnx.save(model, tiny / "small.onnx")

    done = cli("build", tiny)

    assert done.code == 2
    assert "small.onnx is not a valid graph" in done.err
    assert "Rleu" in done.err


@pytest.mark.parametrize("empty", ["", ",", " "])
def test_an_empty_pipeline_leaves_the_artifact_alone(cli: Cli, tiny: Path, empty: str) -> None:
    cli("build", tiny)
    before = Path("build/tiny-small-cpu/manifest.json").read_bytes()

    done = cli("build", tiny, "-p", empty)

    assert (done.code, done.err.count("\n")) == (2, 1)
    assert "is empty" in done.err
    assert Path("build/tiny-small-cpu/manifest.json").read_bytes() == before


@pytest.mark.parametrize(
    "option", ["--variant", "--target", "-o", "--weights", "--compiler", "--variant=", "-V"]
)
def test_an_empty_value_is_no_default(cli: Cli, tiny: Path, option: str) -> None:
    done = cli("build", tiny, *([option] if option.endswith("=") else [option, ""]))

    assert (done.code, done.err) == (
        2,
        f"error: {option.rstrip('=')} is empty (give a value, or leave it out)\n",
    )
    assert sorted(path.name for path in Path().iterdir()) == ["tiny"]


def test_what_passes_left_alone_in_branches_is_in_the_manifest(cli: Cli, tiny: Path) -> None:
    branches = graphtext.parse("""(float[1,3,8,8] image) => (float[1,192] features) {
        size = ReduceMax <keepdims = 0> (image)
        above = Cast <to = 9> (size)
        signed = If (above) <
            then_branch = one () => (float[1,3,8,8] a) { a = Neg (image) },
            else_branch = two () => (float[1,3,8,8] b) { b = Abs (image) }
        >
        features = Flatten (signed)
    }""")
    onnx.save(branches.proto, tiny / "small.onnx")

    done = cli("build", tiny)

    assert done.code == 0, done.err
    (left,) = {tuple(summary["remarks"]) for summary in summaries() if "remarks" in summary}
    assert left == ("left 2 nodes alone that sit in then_branch of If 'signed' and another body",)
