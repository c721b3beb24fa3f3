from __future__ import annotations

import json
from pathlib import Path

import pytest

from convertkit.errors import ConvertkitError
from convertkit.models.package import ModelPackage
from convertkit.plugins.loading import open_plugins
from convertkit.plugins.packages import open_package
from convertkit.storage.files import home
from convertkit.verification.data import find_source
from tests.conftest import MASKRCNN
from tests.finder import write_finder


@pytest.fixture
def maskrcnn() -> ModelPackage:
    return open_package(MASKRCNN, open_plugins())


DRAWN = 'dataset: {generator: "mini/scenes.py:write_dataset"'


def variant_file(directory: Path, dataset: str) -> str:
    path = directory / "mine.yaml"
    path.write_text(f"size: [64, 64]\nconfig: {{base: none}}\n{dataset}\n")
    return str(path)


def test_a_generator_draws_once_into_the_cache(maskrcnn: ModelPackage, tmp_path: Path) -> None:
    dataset = 'dataset: {generator: "mini/scenes.py:write_dataset", split: heldout, count: 3}'
    variant = maskrcnn.variant(variant_file(tmp_path, dataset))
    notes: list[str] = []

    first = find_source(maskrcnn, variant, note=notes.append)
    stamp = first.annotations.stat().st_mtime_ns
    second = find_source(maskrcnn, variant, note=notes.append)

    assert first == second
    assert second.annotations.stat().st_mtime_ns == stamp
    assert notes == ["drawing 3 heldout scenes, once"]
    assert len(first.open(None).images) == 3
    assert first.own


def test_the_users_dataset_comes_first(maskrcnn: ModelPackage, tmp_path: Path) -> None:
    source = find_source(maskrcnn, maskrcnn.variant("mini"), annotations=tmp_path / "a.json", images=tmp_path)

    assert (source.annotations, source.own) == (tmp_path / "a.json", False)


def test_a_variant_without_data_is_judged_on_any_dataset_of_the_right_size(
    maskrcnn: ModelPackage, tmp_path: Path
) -> None:
    variant = maskrcnn.variant("r50-fpn-1x")

    assert find_source(maskrcnn, variant, annotations=tmp_path / "a.json", images=tmp_path).own


@pytest.mark.parametrize(
    ("dataset", "line"),
    [
        ("", "variant mine has no dataset of its own (give --annotations and --images)"),
        ("dataset: {annotations: a.json}", "dataset needs annotations and images, or a generator"),
        ("dataset: {generator: mini/scenes.py, count: 3}", "expected FILE.py:FUNCTION, and a count"),
        ('dataset: {generator: "../x.py:f", count: 3}', "model.yaml of the package names no such"),
        (
            'dataset: {generator: "mini/scenes.py:Path", count: 3}',
            "known: mini/scenes.py:write_dataset",
        ),
        (f"{DRAWN}, count: 10000000000}}", "dataset.count: Expected `int` <= 10000"),
        (f"{DRAWN}, count: 3, split: validation}}", "ValueError: unknown split 'validation'"),
        (f'{DRAWN}, count: 3, split: "a\\0b"}}', "dataset.split is text with a NUL character"),
        *(
            (f"{DRAWN}, count: 3, split: {json.dumps(split)}}}", "dataset.split: Expected `str` matching")
            for split in ("", "/x", "../../x", "a/../../x", ".hidden", "a\nb", "x" * 99)
        ),
    ],
)
def test_a_wrong_dataset_is_one_line(maskrcnn: ModelPackage, tmp_path: Path, dataset: str, line: str) -> None:
    with pytest.raises(ConvertkitError) as caught:
        find_source(maskrcnn, maskrcnn.variant(variant_file(tmp_path, dataset)))

    assert line in str(caught.value)
    assert not list(home().rglob("*.json"))


@pytest.mark.parametrize(
    ("generator", "line"),
    [
        ("../x.py:f", "no such file in the package"),
        ("plugin.py:nothing", "nothing cannot be loaded: AttributeError"),
        ("plugin.py:Finder", "is no function"),
        ("generators.py:fails", "failed: ZeroDivisionError"),
        ("generators.py:idle", "wrote no instances.json"),
    ],
)
def test_a_wrong_generator_of_the_package_itself_is_one_line(
    tmp_path: Path, generator: str, line: str
) -> None:
    root = write_finder(tmp_path / "finder")
    (root / "generators.py").write_text(
        "def fails(directory, split, count): 1 / 0\ndef idle(directory, split, count): pass\n"
    )
    with (root / "model.yaml").open("a") as stream:
        stream.write(f"    dataset: {{generator: {generator!r}, count: 1}}\n")
    package = open_package(root, open_plugins())

    with pytest.raises(ConvertkitError, match=line):
        find_source(package, package.variant())

    assert not list(home().rglob("*.json"))


@pytest.mark.parametrize(("drawn_by", "own"), [("4.9.0", False), ("4.13.0-dev", False), ("5.0.0", True)])
def test_scenes_that_an_older_opencv_draws_are_not_those_of_the_spec(
    maskrcnn: ModelPackage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, drawn_by: str, own: bool
) -> None:
    """OpenCV 4 turns sprites in steps of 1/32 pixel and fills other borders: masks and AP differ."""
    monkeypatch.setattr("convertkit.verification.data._opencv_version", lambda: drawn_by)
    variant = maskrcnn.variant(variant_file(tmp_path, f'{DRAWN}, count: 1, opencv: "5.0"}}'))
    notes: list[str] = []

    source = find_source(maskrcnn, variant, note=notes.append)

    assert source.own is own
    line = f"note: OpenCV {drawn_by} draws other images than the accuracy spec was written for"
    assert [text.startswith(line) for text in notes] == [False, *([] if own else [True])]


def test_mini_is_judged_on_the_images_of_opencv_5_only(maskrcnn: ModelPackage) -> None:
    dataset = maskrcnn.variant("mini").spec.dataset

    assert dataset is not None
    assert dataset.opencv == "5.0"
