"""A word of the command line is a path, or a name that is looked for here, among installed packages, among ours."""

from __future__ import annotations

from pathlib import Path

import pytest

from convertkit.errors import UnknownNameError, UsageError
from convertkit.models import places
from convertkit.models.known import OURS, first_time
from convertkit.models.places import locate, package_named, packages, word_for
from tests.conftest import Cli
from tests.tiny import write_package


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory."""
    directory = tmp_path / "here"
    directory.mkdir()
    monkeypatch.chdir(directory)
    return directory


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The package ``lab_models.cats`` of an installed distribution; whoever imports ``lab_models`` fails."""
    monkeypatch.syspath_prepend(tmp_path / "site")
    root = write_package(tmp_path / "site" / "lab_models" / "cats")
    (root.parent / "__init__.py").write_text("raise SystemExit('imported')")
    distribution(tmp_path / "site", "lab-models", "cats = lab_models.cats")
    return root


def distribution(site: Path, name: str, *lines: str) -> None:
    """What an installer leaves of a distribution, as far as entry points go."""
    info = site / f"{name.replace('-', '_')}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("\n".join([f"[{places.GROUP}]", *lines]))


def test_ours_are_found_from_anywhere(here: Path) -> None:
    assert locate("maskrcnn") == OURS / "maskrcnn"
    assert {place.name for place in packages()} >= {
        "maskrcnn",
        "faster_rcnn",
        "retinanet",
        "cascade_mask_rcnn",
        "yolox",
    }


def test_a_name_means_the_nearest(here: Path, lab: Path) -> None:
    ours = locate("maskrcnn")
    distribution(lab.parents[1], "rival", "maskrcnn = lab_models.cats")
    installed = locate("maskrcnn")
    mine = write_package(here / "models" / "maskrcnn")

    assert (ours, installed) == (OURS / "maskrcnn", lab)
    assert locate("maskrcnn").resolve() == mine
    write_package(here / "maskrcnn")
    assert locate("maskrcnn") == Path("maskrcnn")


def test_a_separator_makes_a_path(here: Path) -> None:
    assert locate("./maskrcnn") == Path("maskrcnn")
    assert locate("maskrcnn/") == Path("maskrcnn")


def test_a_directory_of_that_name_without_model_yaml_is_no_package(here: Path) -> None:
    (here / "maskrcnn").mkdir()
    (here / "photos").mkdir()

    assert locate("maskrcnn") == OURS / "maskrcnn"
    assert locate("photos") == Path("photos")  # what opens it says what it lacks
    assert locate(".") == Path()


def test_an_artifacts_name_leads_nowhere_but_to_packages(here: Path) -> None:
    write_package(here / "evil")

    for name in ("../evil", "evil", ".", str(here / "evil")):
        with pytest.raises(UnknownNameError):
            package_named(name)


def test_an_installed_package_is_found_without_being_imported(here: Path, lab: Path) -> None:
    assert locate("cats") == lab
    assert [place.origin for place in packages() if place.name == "cats"] == ["lab-models 1.0"]
    assert word_for(lab) == "cats"


def test_an_installed_package_is_a_strangers(here: Path, lab: Path) -> None:
    assert [first_time(locate("cats")), first_time(locate("maskrcnn"))] == [True, False]


def test_two_distributions_with_one_name(here: Path, lab: Path) -> None:
    site = lab.parents[1]
    write_package(site / "other")
    distribution(site, "other-models", "cats = other")

    with pytest.raises(UsageError, match=r"cats is of (lab|other)-models 1.0 and of (lab|other)-models 1.0"):
        locate("cats")


@pytest.mark.parametrize("value", ["lab_models.dogs", "nowhere.at.all", "", ".relative", "os"])
def test_an_entry_point_that_leads_nowhere(cli: Cli, lab: Path, value: str) -> None:
    distribution(lab.parents[1], "broken", f"dogs = {value}")

    done, listed = cli("build", "dogs"), cli("list", "models")

    line = "model package dogs of broken 1.0: its entry point leads to no model.yaml"
    assert (done.code, done.err) == (2, f"error: {line}\n")
    assert listed.code == 0 and f"note: {line}" in listed.err and "cats" in listed.out


def test_the_list_gives_the_words(cli: Cli, lab: Path) -> None:
    write_package(Path("models/cats").absolute())

    rows = cli("list", "models", "--json").json

    assert [(row["model"], row["from"]) for row in rows if row["variant"] == "small"] == [
        ("cats", "models"),
        (str(lab), "lab-models 1.0"),
    ]
    assert ("maskrcnn", "mini", "convertkit") in [(row["model"], row["variant"], row["from"]) for row in rows]


@pytest.mark.parametrize("command", [["build"], ["show", "model"], ["estimate"], ["fetch"], ["env", "build"]])
def test_a_wrong_name_gets_the_nearest(cli: Cli, command: list[str]) -> None:
    done = cli(*command, "maskrcn")

    assert done.code == 2
    assert done.err.startswith(
        "error: unknown model package 'maskrcn' (did you mean 'maskrcnn'? known: cascade_"
    )


def test_a_graph_stays_a_graph(cli: Cli) -> None:
    Path("maskrcnn").write_text("no graph")

    assert "nowhere.onnx: no such file" in cli("bisect", "nowhere.onnx", "-p", "simplify").err
    assert "maskrcnn: not an ONNX file" in cli("bisect", "maskrcnn", "-p", "simplify").err


def test_what_comes_next_is_said_by_name_only_of_what_does_not_lie_here(here: Path) -> None:
    mine = write_package(here / "models" / "mine")

    assert word_for(OURS / "maskrcnn") == "maskrcnn"
    assert word_for(locate("mine")) == "models/mine"
    assert word_for(mine) == str(mine)
    write_package(here / "models" / "maskrcnn")
    assert word_for(OURS / "maskrcnn") == str(OURS / "maskrcnn")
