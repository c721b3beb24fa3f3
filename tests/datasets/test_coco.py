"""A COCO dataset from a stranger: opened, matched to the classes of a model, and read."""

from __future__ import annotations

import json
import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from convertkit.datasets.annotations import Category
from convertkit.datasets.classes import match_classes
from convertkit.datasets.coco import CocoDataset
from convertkit.errors import SpecError, UsageError
from tests.shared import SHARED, needs_shared


def content(**changes):
    data = {
        "images": [
            {"id": 7, "file_name": "a.png", "height": 6, "width": 9},
            {"id": 3, "file_name": "b.png", "height": 4, "width": 4},
        ],
        "categories": [{"id": 18, "name": "dog"}, {"id": 1, "name": "person"}],
        "annotations": [
            {"id": 1, "image_id": 7, "category_id": 18, "bbox": [1, 1, 4, 4], "area": 16, "iscrowd": 0},
        ],
    }
    return {**data, **changes}


@pytest.fixture
def photos(tmp_path):
    directory = tmp_path / "photos"
    directory.mkdir()
    for name, size in (("a.png", (6, 9)), ("b.png", (4, 4))):
        cv2.imwrite(str(directory / name), np.full((*size, 3), (255, 0, 0), np.uint8))
    return directory


@pytest.fixture
def save(tmp_path):
    def write(data):
        path = tmp_path / "instances.json"
        path.write_text(data if isinstance(data, str) else json.dumps(data))
        return path

    return write


def test_images_and_categories_come_in_the_order_of_the_file(photos, save):
    dataset = CocoDataset.open(save(content()), photos)

    assert [(image.id, image.height, image.width) for image in dataset.images] == [(7, 6, 9), (3, 4, 4)]
    assert [str(image) for image in dataset.images] == ["a.png", "b.png"]
    assert [(category.id, category.name) for category in dataset.found.categories] == [
        (18, "dog"),
        (1, "person"),
    ]


def test_a_photo_is_read_as_bgr(photos, save):
    dataset = CocoDataset.open(save(content()), photos)

    pixels = dataset.read(dataset.images[0])

    assert (pixels.shape, pixels.dtype) == ((6, 9, 3), np.uint8)
    assert (pixels == (255, 0, 0)).all()


def test_the_limit_takes_the_first_images_and_looks_for_no_others(photos, save):
    (photos / "b.png").unlink()

    dataset = CocoDataset.open(save(content()), photos, limit=1)

    assert [image.id for image in dataset.images] == [7]


def test_classes_match_by_name_and_what_is_missing_is_told(photos, save):
    dataset = CocoDataset.open(save(content()), photos)

    found = dataset.class_map(["person", "unicorn"])

    assert found.category_ids == (1, None)
    assert found.missing_in_dataset == ("unicorn",)
    assert [category.name for category in found.missing_in_model] == ["dog"]


def test_without_names_classes_match_by_order(photos, save):
    assert CocoDataset.open(save(content()), photos).class_map().category_ids == (18, 1)


def test_classes_that_share_nothing_with_the_dataset_are_refused(photos, save):
    dataset = CocoDataset.open(save(content()), photos)

    with pytest.raises(SpecError, match=r"none of its 2 categories.*the model has 'unicorn'"):
        dataset.class_map(["unicorn"])


def test_an_ambiguous_class_name_is_refused(photos, save):
    twice = [{"id": 18, "name": "dog"}, {"id": 1, "name": "dog"}]
    objects = [{**OBJECT, "id": number, "category_id": number} for number in (1, 18)]
    dataset = CocoDataset.open(save(content(categories=twice, annotations=objects)), photos)

    with pytest.raises(SpecError, match="class 'dog' occurs twice"):
        dataset.class_map(["dog"])


IMAGE = {"id": 7, "file_name": "a.png", "height": 6, "width": 9}
OBJECT = {"id": 1, "image_id": 7, "category_id": 18, "bbox": [1, 1, 4, 4], "area": 16}


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        ("{", "not a JSON file"),
        ("\ufeff[]", "Expected `object`.*are these results"),
        ("[]", "Expected `object`"),
        ({"images": {}, "categories": [], "annotations": []}, "images: Expected `array`"),
        ('{"deep": ' + "[" * 100_000, "not a JSON file"),
        ({"images": [], "categories": []}, "missing required field `annotations`"),
        (content(images=[{**IMAGE, "id": "IMG_7"}]), r"images\[0\].id: Expected `int`.*number them"),
        (content(images=[{**IMAGE, "id": 7.5}]), r"images\[0\].id: Expected `int`"),
        (content(images=[{**IMAGE, "id": True}]), r"images\[0\].id: Expected `int`, got `bool`"),
        (content(images=[{**IMAGE, "height": 0}]), r"images\[0\].height"),
        (content(images=[{**IMAGE, "width": 10**9}]), r"images\[0\].width"),
        (content(images=[{**IMAGE, "file_name": None}]), r"images\[0\].file_name"),
        (content(images=[IMAGE, IMAGE]), r"images\[1\]: id 7 occurs twice"),
        (
            content(categories=[{"id": 18, "name": "a"}, {"id": 18, "name": "b"}]),
            "categories.*id 18 occurs twice",
        ),
        (content(annotations=[OBJECT, OBJECT]), r"annotations\[1\]: id 1 occurs twice"),
        (content(annotations=[{**OBJECT, "image_id": 8}]), r"annotations\[0\]: image_id 8 is not among"),
        (
            content(annotations=[{**OBJECT, "category_id": 8}]),
            r"annotations\[0\]: category_id 8 is no category",
        ),
        (content(annotations=[{**OBJECT, "bbox": [1, 2, 3]}]), r"annotations\[0\].bbox"),
        (
            content(annotations=[{**OBJECT, "bbox": [1, 2, -3, 4]}]),
            r"annotations\[0\].bbox: a size is negative",
        ),
        (content(annotations=[{**OBJECT, "bbox": [1, 2, 3, float("nan")]}]), r"bbox: a number is not finite"),
        (content(annotations=[{**OBJECT, "area": float("nan")}]), r"annotations\[0\].area: not finite"),
        (content(annotations=[{**OBJECT, "iscrowd": 2}]), r"annotations\[0\].iscrowd"),
    ],
)
def test_a_wrong_annotation_file_is_one_line_that_names_the_place(photos, save, data, complaint):
    path = save(data)

    with pytest.raises(SpecError, match=complaint) as caught:
        CocoDataset.open(path, photos)

    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "name", ["../a.png", "x/../../a.png", "", ".", "..", "a\0.png", "..\\a.png", "x\\..\\..\\a.png"]
)
def test_a_file_name_may_not_leave_the_directory(photos, save, name):
    with pytest.raises(SpecError, match=r"images\[0\]: file_name .* does not stay"):
        CocoDataset.open(save(content(images=[{**IMAGE, "file_name": name}], annotations=[])), photos)


def test_a_file_name_may_go_into_a_subdirectory(photos, save):
    (photos / "sub").mkdir()
    (photos / "a.png").rename(photos / "sub" / "a.png")
    images = [{**IMAGE, "file_name": "x/../sub/a.png"}]

    dataset = CocoDataset.open(save(content(images=images)), photos)

    assert dataset.images[0].path == photos / "sub" / "a.png"


@pytest.mark.parametrize(
    ("prepare", "complaint"),
    [
        (lambda photos, path: path.unlink(), "no such annotation file"),
        (lambda photos, path: photos.rename(photos.parent / "moved"), "no such directory of images"),
    ],
)
def test_what_is_missing_is_named(photos, save, prepare, complaint):
    path = save(content())
    prepare(photos, path)

    with pytest.raises(UsageError, match=complaint):
        CocoDataset.open(path, photos)


def test_masks_are_looked_at_before_anything_runs(photos, save):
    path = save(content())

    assert CocoDataset.open(path, photos).images
    with pytest.raises(SpecError, match="annotation 1 has a box and no mask"):
        CocoDataset.open(path, photos, tasks=("segm",))


def test_a_limit_below_one_is_refused(photos, save):
    with pytest.raises(UsageError, match="limit of 0"):
        CocoDataset.open(save(content()), photos, limit=0)


@pytest.mark.parametrize("data", [b"", b"no image at all", b"\xff\xd8\xff\xe0 half a JPEG"])
def test_a_file_that_is_no_image_is_named(photos, save, data):
    dataset = CocoDataset.open(save(content()), photos)
    (photos / "a.png").write_bytes(data)

    with pytest.raises(UsageError, match=r"a.png: not an image"):
        dataset.read(dataset.images[0])


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_file_that_may_not_be_read_is_named(photos, save):
    dataset = CocoDataset.open(save(content()), photos)
    (photos / "a.png").chmod(0)

    with pytest.raises(UsageError, match=r"a.png: cannot be read"):
        dataset.read(dataset.images[0])


def test_a_photo_changed_after_opening_is_named(photos, save):
    dataset = CocoDataset.open(save(content()), photos)
    image = dataset.images[0]
    pixels = dataset.read(image)
    cv2.imwrite(str(image.path), 255 - pixels)

    with pytest.raises(SpecError, match=r"a.png: the photo has changed since it was examined"):
        dataset.read(image)


def test_a_photo_deleted_after_opening_is_named(photos, save):
    dataset = CocoDataset.open(save(content()), photos)
    (photos / "a.png").unlink()

    with pytest.raises(UsageError, match=r"a.png: no such file"):
        dataset.read(dataset.images[0])


def test_another_size_than_annotated_names_both(photos, save):
    dataset = CocoDataset.open(save(content()), photos)
    cv2.imwrite(str(photos / "a.png"), np.zeros((5, 5, 3), np.uint8))

    with pytest.raises(SpecError, match=r"a.png: the image is 5 x 5, the annotations say 9 x 6"):
        dataset.read(dataset.images[0])


def test_a_photo_turned_by_exif_is_explained_before_anything_runs(photos, save):
    path = save(content(images=[{**IMAGE, "file_name": "a.jpg"}]))

    with pytest.raises(SpecError, match=r"6 x 9.*EXIF orientation"):
        CocoDataset.open(path, photos_with_exif(photos))


def photos_with_exif(photos):
    """``a.jpg``: 9 x 6 pixels as stored, with an EXIF tag that turns it by 90 degrees."""
    data = cv2.imencode(".jpg", np.zeros((6, 9, 3), np.uint8))[1].tobytes()
    tiff = b"MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"
    segment = b"Exif\0\0" + tiff
    exif = b"\xff\xe1" + (len(segment) + 2).to_bytes(2, "big") + segment
    (photos / "a.jpg").write_bytes(data[:2] + exif + data[2:])
    return photos


@needs_shared
@pytest.mark.parametrize(
    ("annotations", "count"), [("coco_train108/mini48.json", 48), ("coco_val57/instances.json", 57)]
)
def test_real_photos_have_the_sizes_of_their_annotations(annotations, count):
    path = SHARED / "data" / annotations

    dataset = CocoDataset.open(path, path.parent / "images")

    assert len(dataset.images) == count
    assert len(dataset.found.categories) == 80


def test_an_accent_of_its_own_is_the_same_spelling() -> None:
    """macOS writes a letter and its accent apart."""
    category = Category(7, "cafe\u0301")

    found = match_classes(Path("i.json"), [category], ["caf\u00e9"])

    assert found.category_ids == (7,)
    assert found.respelt == (("caf\u00e9", "cafe\u0301"),)
