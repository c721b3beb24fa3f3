"""``convertkit new model``: from an ONNX file alone to a package that builds and is verified."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from convertkit.plugins.loading import open_plugins
from convertkit.plugins.packages import open_package
from convertkit.verification.data import find_source
from tests.conftest import MASKRCNN, Cli
from tests.exports import torchvision

MINI = MASKRCNN / "mini" / "mini.onnx"


def test_a_package_of_one_file_is_written_and_says_what_was_guessed(cli: Cli, tmp_path: Path) -> None:
    done = cli("new", "model", "ssd", "--onnx", torchvision.file("ssd"))

    assert done.code == 0, done.err
    assert "751 is boxes, 729 is scores, 730 is labels" in done.out
    assert done.out.splitlines()[-1] == "next: convertkit build ssd --target cpu"
    assert "check preprocess: RGB in 0..1 is assumed" in done.err
    assert [path.name for path in (tmp_path / "ssd").iterdir()] == ["model.yaml"]


def test_it_builds_at_once(cli: Cli) -> None:
    cli("new", "model", "ssd", "--onnx", torchvision.file("ssd"))

    done = cli("build", "ssd")

    assert done.code == 0, done.err
    assert "detections matched: within 0 px" in done.err
    assert done.out.splitlines()[-1] == "next: convertkit detect build/ssd-main-cpu PHOTO --package ssd"
    assert "runs with your rights" not in done.err  # nothing in it is run


def test_as_a_package_that_pip_installs_it_holds_the_file(cli: Cli) -> None:
    done = cli("new", "model", "my-ssd", "--onnx", torchvision.file("ssd"), "--package")

    home = Path("my-ssd", "src", "my_ssd")
    assert done.code == 0, done.err
    assert done.out.splitlines()[-1] == "next: cd my-ssd && python -m pytest"
    files = sorted(
        path.relative_to("my-ssd").as_posix() for path in Path("my-ssd").rglob("*") if path.is_file()
    )
    names = ("__init__.py", "model.yaml", torchvision.file("ssd").name)
    assert files == sorted(
        ["pyproject.toml", *(f"src/my_ssd/{name}" for name in names), "tests/test_my_ssd.py"]
    )
    project = Path("my-ssd", "pyproject.toml").read_text()
    assert '[project.entry-points."convertkit.models"]\nmy-ssd = "my_ssd"\n' in project
    assert cli("build", home, "--output", "made").code == 0


@pytest.mark.slow
def test_the_test_of_a_package_passes_at_once(cli: Cli) -> None:
    cli("new", "model", "my-ssd", "--onnx", torchvision.file("ssd"), "--package")

    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q"], cwd="my-ssd", capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stdout


def test_a_package_needs_a_name_that_a_module_can_have(cli: Cli) -> None:
    done = cli("new", "model", "My_SSD", "--onnx", torchvision.file("ssd"), "--package")

    assert done.code == 2 and "is not kebab-case" in done.err
    assert not Path("My_SSD").exists()


def own_words(package: Path) -> str:
    """The package of a file alone, told what only a person can know: pixels and classes as mmdet's."""
    text = (package / "model.yaml").read_text()
    given = (MASKRCNN / "model.yaml").read_text()
    pixels = given[given.index("preprocess:") : given.index("postprocess:")]
    kept = [
        line for line in text.splitlines() if not line.startswith(("preprocess:", "postprocess:", "classes:"))
    ]
    return "\n".join(
        [
            *kept,
            pixels,
            given[given.index("postprocess:") : given.index("export:")],
            given[given.index("classes:") :],
        ]
    )


@pytest.mark.slow
def test_a_file_alone_is_verified_as_the_package_that_it_came_from(cli: Cli) -> None:
    package = open_package(MASKRCNN, open_plugins())
    source = find_source(package, package.variant("mini"))
    data = (
        "--annotations",
        source.annotations,
        "--images",
        source.images,
        "--limit",
        "8",
        "--runtime",
        "stock",
        "--json",
    )
    cli("new", "model", "mini", "--onnx", MINI)
    Path("mini/model.yaml").write_text(own_words(Path("mini")))

    ours, theirs = cli("verify", MASKRCNN, *data), cli("verify", "mini", *data)

    assert (ours.code, theirs.code) == (0, 0), theirs.err
    scores = [json.loads(done.out)["rungs"][0]["scores"] for done in (ours, theirs)]
    assert scores[0] == scores[1]
    assert scores[0]["segm"]["AP"] > 0.5


def test_what_only_an_export_can_do_is_refused_in_one_line(cli: Cli) -> None:
    cli("new", "model", "ssd", "--onnx", torchvision.file("ssd"))

    for words in ("build ssd --weights random:0", "build ssd --from checkpoint", "env build ssd"):
        done = cli(*words.split())
        assert done.code == 2, words
        assert done.err.splitlines()[-1] == (
            "error: model package ssd exports nothing: it has no `export` "
            "(its graphs are files, the `stock` of its variants)"
        )


def test_a_directory_that_is_there_is_left_alone(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "ssd").mkdir()

    done = cli("new", "model", "ssd", "--onnx", torchvision.file("ssd"))

    assert done.code == 2
    assert done.err == "error: ssd exists already (give another NAME, or --output DIRECTORY)\n"
    assert not any((tmp_path / "ssd").iterdir())
