"""What every command prints with ``--json`` is what its published schema says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import onnx
import pytest
import typer
import yaml

from convertkit.api.commands.schemas import RESULTS, schema_of
from convertkit.cli.app import app
from convertkit.exporting.inventory import environments_directory
from tests.conftest import MASKRCNN, Cli
from tests.finder import dataset, write_finder, write_photos
from tests.tiny import tiny_model

jsonschema = pytest.importorskip("jsonschema")

REPOSITORY = Path(__file__).parents[2]
FILES = {"model.yaml", "variant.yaml", "errors", "version"}
"""What is printed by no command of that name."""


def commands(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    for name, inner in getattr(command, "commands", {}).items():
        yield " ".join((*path, name)), inner
        yield from commands(inner, (*path, name))


def test_every_command_that_prints_json_has_a_schema() -> None:
    printing = {
        name
        for name, command in commands(typer.main.get_command(app))
        if any("--json" in parameter.opts for parameter in command.params)
    }

    assert printing == set(RESULTS) - FILES


def test_the_page_lists_every_schema() -> None:
    page = (REPOSITORY / "docs" / "command-line.md").read_text()

    assert [name for name in RESULTS if f"`{name}`" not in page] == []


@pytest.mark.parametrize("name", RESULTS)
def test_a_schema_is_one(name: str) -> None:
    jsonschema.Draft202012Validator.check_schema(schema_of(name))


def check(cli: Cli, name: str, *words: object, code: int = 0) -> Any:
    """Runs a command, and holds what it prints against its schema as ``convertkit schema`` prints it."""
    done = cli(*(words or name.split()), "--json")
    assert done.code == code, done.err
    data = done.json
    jsonschema.validate(data, json.loads(cli("schema", *name.split()).out))
    return data


@pytest.fixture
def graph(tmp_path: Path) -> Path:
    onnx.save(tiny_model(), tmp_path / "in.onnx")
    return Path("in.onnx")


def test_versions(cli: Cli) -> None:
    data = check(cli, "version", "--version")

    assert data["convertkit"] in cli("--version").out
    assert data["python"].split()[-1].startswith("3.")
    assert {"numpy", "onnxruntime", "opencv-python-headless", "openvino"} <= set(data["tools"])
    assert "-" not in (data["tools"]["numpy"], data["tools"]["onnx"])
    assert data["plugins"]["cpu"] == f"convertkit-compiler {data['convertkit']}"


def test_json_without_a_command_or_version_is_a_mistake(cli: Cli) -> None:
    done = cli("--json", "doctor")

    assert done.code == 2
    assert done.json["error"]["message"] == "--json goes with --version, or behind a command"


@pytest.mark.parametrize("kind", ["passes", "targets", "models", "plugins", "rules"])
def test_lists(cli: Cli, kind: str) -> None:
    check(cli, "list", "list", kind, "--models", MASKRCNN.parent) if kind == "models" else check(
        cli, "list", "list", kind
    )


def test_what_is_shown(cli: Cli) -> None:
    check(cli, "show", "show", "pass", "simplify")
    check(cli, "show", "show", "target", "cpu")
    check(cli, "show", "show", "model", MASKRCNN)


@pytest.mark.parametrize("name", ["env list", "cache list", "cache size", "cache prune", "schema"])
def test_what_is_on_this_machine(cli: Cli, name: str) -> None:
    check(cli, name)


def test_an_environment_that_goes(cli: Cli) -> None:
    unfinished = environments_directory() / "maskrcnn-0123456789ab"
    unfinished.mkdir(parents=True)

    gone = check(cli, "env remove", "env", "remove", unfinished.name)

    assert gone == {"directory": str(unfinished)} and not unfinished.exists()


def test_a_list_of_photos(cli: Cli, tmp_path: Path) -> None:
    found = check(cli, "info", "info", write_photos(tmp_path / "photos"), "-o", "photos.info")

    assert found == {"file": "photos.info", "lines": len(Path("photos.info").read_text().splitlines())}


def test_errors(cli: Cli) -> None:
    check(cli, "errors", "list", "nonsense", code=2)


def test_opt(cli: Cli, graph: Path) -> None:
    check(cli, "opt", "opt", graph, "-p", "fold-constants", "-o", "out.onnx")
    check(cli, "opt", "opt", graph, "-p", "fold-constants", "--dry-run")
    check(cli, "opt", "opt", graph, graph, "-p", "fold-constants")
    several = check(cli, "opt", "opt", graph, "absent.onnx", "-p", "fold-constants", code=2)
    assert "error" in several[1]


def test_differences(cli: Cli, graph: Path) -> None:
    check(cli, "diff", "diff", graph, graph)
    differing = tiny_model()
    differing.graph.node[-1].op_type = "Sigmoid"
    onnx.save(differing, "other.onnx")
    check(cli, "diff", "diff", graph, "other.onnx", code=1)


def test_explanations(cli: Cli, graph: Path) -> None:
    check(cli, "opt", "opt", graph, "--explain", "fuse-multiclass-nms")


def test_estimate(cli: Cli, graph: Path) -> None:
    check(cli, "estimate", "estimate", graph, "--target", "ascend310p3")


@pytest.mark.slow
def test_lint(cli: Cli, graph: Path) -> None:
    check(cli, "lint", "lint", graph, "--target", "ascend310p3", code=1)
    check(cli, "lint", "lint", graph, "absent.onnx", "--target", "ascend310p3", code=2)


@pytest.mark.slow
def test_build_and_what_follows(cli: Cli, tiny: Path) -> None:
    check(cli, "build", "build", tiny, "--dry-run")
    check(cli, "build", "build", tiny, "-o", "made")
    check(cli, "replay", "replay", "made")
    check(cli, "bench", "bench", tiny, "--output", "made", "--loops", 1, "--photos", 0)
    check(cli, "export", "export", tiny, "-o", "stock.onnx")
    check(cli, "bisect", "bisect", tiny)


@pytest.mark.slow
def test_doctor(cli: Cli) -> None:
    check(cli, "doctor")


@pytest.mark.slow
def test_ranges_plan_and_tune(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "instances.json").write_text(json.dumps(dataset()))
    photos = write_photos(tmp_path / "photos")
    words = ("--annotations", tmp_path / "instances.json", "--images", photos)

    check(cli, "ranges", "ranges", write_finder(tmp_path / "finder"), *words)
    check(cli, "plan", "plan", tmp_path / "finder", "--target", "ascend310p3", *words)
    masks = ("--lever", "masks")
    check(cli, "tune", "tune", tmp_path / "finder", "--target", "ascend310p3", *masks, *words)


@pytest.mark.slow
def test_tensors(cli: Cli, tmp_path: Path) -> None:
    photo = min(write_photos(tmp_path / "photos").iterdir())
    words = (write_finder(tmp_path / "finder"), photo, "--target", "ascend310p3", "-o", "tensors")

    check(cli, "dump", "dump", *words)
    node = json.loads(Path("tensors/index.json").read_text())["tensors"][0]["node"]
    columns = "GroundTruth,TensorIndex,CosineSimilarity,MaxAbsoluteError,RelativeEuclideanDistance"
    Path("result.csv").write_text(f"{columns}\n{node},{node}:output:0,1.0,0.0,0.0\n")
    check(cli, "compare", "compare", "result.csv", "tensors")


@pytest.mark.slow
def test_detect(cli: Cli, boxes: Path) -> None:
    import cv2
    import numpy as np

    cv2.imwrite("photo.png", np.zeros((200, 300, 3), np.uint8))

    check(cli, "detect", "detect", boxes, "photo.png")


@pytest.mark.slow
def test_new(cli: Cli) -> None:
    check(cli, "new model", "new", "model", "own", "--onnx", MASKRCNN / "mini" / "mini.onnx", code=0)


@pytest.mark.parametrize(
    "path", sorted(MASKRCNN.parent.glob("*/model.yaml")), ids=lambda path: path.parent.name
)
def test_our_own_packages_hold_to_the_schema_for_editors(path: Path) -> None:
    jsonschema.validate(yaml.safe_load(path.read_text()), schema_of("model.yaml"))


def test_an_editor_finds_a_wrong_key(tmp_path: Path) -> None:
    data = yaml.safe_load((MASKRCNN / "model.yaml").read_text())

    with pytest.raises(jsonschema.ValidationError, match="sumary"):
        jsonschema.validate({**data, "sumary": "x"}, schema_of("model.yaml"))


def test_a_schema_that_is_not_there_is_one_line(cli: Cli) -> None:
    done = cli("schema", "buidl")

    assert done.code == 2
    assert done.err.startswith("error: unknown schema 'buidl' (did you mean 'build'?")
