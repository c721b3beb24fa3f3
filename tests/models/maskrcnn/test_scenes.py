"""The synthetic scenes: pure functions of (split, index, seed) with valid COCO annotations."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import cv2
import numpy as np
import pytest
from pycocotools import mask as rle
from pycocotools.coco import COCO

# pycocotools 2.0.11 hands numpy an array without the copy keyword.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

MINI = Path(__file__).parents[3] / "models" / "maskrcnn" / "mini"
COUNT = 30


def load(name: str) -> ModuleType:
    """Import a module of ``mini`` by path, as the core loads a model package: under a name of its own."""
    package = "convertkit_test_mini"
    if package not in sys.modules:
        spec = importlib.util.spec_from_file_location(
            package, MINI / "__init__.py", submodule_search_locations=[str(MINI)]
        )
        assert spec is not None and spec.loader is not None
        sys.modules[package] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[package])
    return importlib.import_module(f"{package}.{name}")


scenes = load("scenes")
coco = load("coco")
categories = load("categories")


@pytest.fixture(scope="module")
def some() -> list[Any]:
    return list(scenes.generate("heldout", COUNT))


def digest(scene: Any) -> str:
    content = hashlib.sha256(scene.image.tobytes())
    for instance in scene.instances:
        content.update(bytes([instance.category_id]) + instance.mask.tobytes())
    return content.hexdigest()


@pytest.mark.slow
def test_a_scene_has_the_same_bytes_every_time(some: list[Any]) -> None:
    assert digest(scenes.scene("heldout", 3)) == digest(some[3])


def test_a_scene_does_not_depend_on_how_many_are_made(some: list[Any]) -> None:
    assert [digest(scene) for scene in scenes.generate("heldout", 5)] == [digest(scene) for scene in some[:5]]


def test_no_scene_of_a_split_or_seed_is_in_another(some: list[Any]) -> None:
    digests = [digest(scene) for scene in some]
    for split, seed in (("train", 0), ("train", 1), ("heldout", 1)):
        digests += [digest(scene) for scene in scenes.generate(split, 5, seed)]

    assert len(set(digests)) == len(digests)


def test_an_unknown_split_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="unknown split 'val': known are train, heldout"):
        scenes.scene("val", 0)


def test_images_vary_in_size_and_orientation(some: list[Any]) -> None:
    shapes = [scene.image.shape for scene in some]

    assert all(scene.image.dtype == np.uint8 for scene in some)
    assert all(
        240 <= min(height, width) <= 320 and 300 <= max(height, width) <= 400 for height, width, _ in shapes
    )
    assert any(height > width for height, width, _ in shapes) and any(
        width > height for height, width, _ in shapes
    )


def test_visible_masks_are_disjoint_and_large_enough_to_see(some: list[Any]) -> None:
    for scene in some:
        owners = np.zeros(scene.image.shape[:2], int)
        for instance in scene.instances:
            assert (
                instance.mask.dtype == np.bool_ and np.count_nonzero(instance.mask) >= scenes.VISIBLE_PIXELS
            )
            owners += instance.mask
        assert owners.max(initial=0) <= 1


def test_all_ten_categories_and_all_three_sizes_occur(some: list[Any]) -> None:
    instances = [instance for scene in some for instance in scene.instances]
    areas = np.array([np.count_nonzero(instance.mask) for instance in instances])

    assert {instance.category_id for instance in instances} == {10, 13, 28, 37, 38, 52, 55, 59, 60, 85}
    sizes = [(areas < 32**2).mean(), ((areas >= 32**2) & (areas < 96**2)).mean(), (areas >= 96**2).mean()]
    assert min(sizes) > 0.05


def test_a_written_dataset_is_what_pycocotools_reads(
    some: list[Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = scenes.write_dataset(tmp_path, "heldout", 6)

    truth = COCO(str(path))
    for image_id, scene in zip(truth.getImgIds(), some, strict=False):
        image = cv2.imread(str(tmp_path / "images" / truth.loadImgs(image_id)[0]["file_name"]))
        assert image is not None and np.array_equal(image, scene.image)
        annotations = truth.loadAnns(truth.getAnnIds(image_id))
        assert len(annotations) == len(scene.instances)
        for annotation, instance in zip(annotations, scene.instances, strict=True):
            encoded = truth.annToRLE(annotation)
            assert annotation["category_id"] == instance.category_id
            assert np.array_equal(rle.decode(encoded), instance.mask)
            assert annotation["bbox"] == rle.toBbox(encoded).tolist()
            assert annotation["area"] == rle.area(encoded) and annotation["iscrowd"] == 0


def test_a_written_dataset_is_the_same_bytes_twice(tmp_path: Path) -> None:
    first, second = (scenes.write_dataset(tmp_path / name, "train", 3, seed=7) for name in "ab")

    assert first.read_bytes() == second.read_bytes()
    for image in sorted((first.parent / "images").iterdir()):
        assert image.read_bytes() == (second.parent / "images" / image.name).read_bytes()


def test_the_categories_are_the_official_eighty() -> None:
    assert len(categories.CATEGORIES) == len(categories.NAMES) == 80
    assert [entry["id"] for entry in categories.CATEGORIES] == sorted(
        entry["id"] for entry in categories.CATEGORIES
    )
    assert categories.CATEGORIES[11] == {"id": 13, "name": "stop sign", "supercategory": "outdoor"}
    assert categories.CATEGORIES[79] == {"id": 90, "name": "toothbrush", "supercategory": "indoor"}


@pytest.mark.parametrize("rows", [["10", "11"], ["01", "00"], ["11", "11"], ["10", "01"]])
def test_run_lengths_start_with_the_background(rows: list[str]) -> None:
    mask = np.array([[cell == "1" for cell in row] for row in rows])

    runs = coco.run_lengths(mask)

    assert np.array_equal(rle.decode(rle.frPyObjects(runs, 2, 2)), mask)
    assert json.loads(json.dumps(runs)) == runs
