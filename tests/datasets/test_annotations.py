"""Masks in annotation files: whole, or refused."""

from __future__ import annotations

import json

import pytest

from convertkit.datasets.annotations import read_annotations
from convertkit.datasets.shapes import check_shapes
from convertkit.errors import SpecError
from tests.shared import SHARED, needs_shared


def checked(tmp_path, **annotation):
    path = tmp_path / "instances.json"
    whole = {"id": 5, "image_id": 1, "category_id": 1, "bbox": [0, 0, 4, 4], "area": 16, **annotation}
    image = {"id": 1, "file_name": "a.png", "height": 4, "width": 5}
    data = {"images": [image], "categories": [{"id": 1, "name": "dog"}], "annotations": [whole]}
    path.write_text(json.dumps(data))
    check_shapes(read_annotations(path), ("bbox", "segm"))


@pytest.mark.parametrize(
    "segmentation",
    [
        [[0, 0, 4, 0, 4, 4]],
        [[0, 0, 4, 0, 4, 4.5, 1, 1], [0, 0, 1, 0, 1, 1]],
        {"size": [4, 5], "counts": [3, 17]},
        {"size": [4, 5], "counts": "d0"},
    ],
)
def test_polygons_and_run_lengths_of_the_image_are_accepted(tmp_path, segmentation):
    checked(tmp_path, segmentation=segmentation)


@pytest.mark.parametrize(
    ("segmentation", "complaint"),
    [
        ([], "a box and no mask"),
        (None, "a box and no mask"),
        ([[float("nan"), 0, 4, 0, 4, 4]], "a number is not finite"),
        ([[0, 0, 4, 4]], "at least three points"),
        ([[0, 0, 4, 4, 1, 1, 1]], "at least three points"),
        ("polygon", "neither polygons nor run lengths"),
        ([["a", 1, 2, 3, 4, 5]], "neither polygons nor run lengths"),
        ({"size": [4, 5]}, "neither polygons nor run lengths"),
        ({"size": [5, 4], "counts": [20]}, "run lengths for 5 x 4 pixels, but the image has 4 x 5"),
        ({"size": [4, 5], "counts": [19]}, "do not cover exactly"),
        ({"size": [4, 5], "counts": [-1, 21]}, "do not cover exactly"),
        ({"size": [4, 5], "counts": []}, "do not cover exactly"),
        ({"size": [4, 5], "counts": "c0"}, "cover less than 5 x 4"),
        ({"size": [4, 5], "counts": " "}, "not compressed run lengths"),
        ({"size": [4, 5], "counts": "P"}, "in the middle of a number"),
    ],
)
def test_anything_else_names_the_annotation(tmp_path, segmentation, complaint):
    with pytest.raises(SpecError, match=complaint) as caught:
        checked(tmp_path, segmentation=segmentation)

    assert "annotation 5" in str(caught.value)


def test_a_missing_mask_is_named(tmp_path):
    with pytest.raises(SpecError, match=r"annotation 5 has a box and no mask .*--tasks bbox"):
        checked(tmp_path)


@needs_shared
@pytest.mark.parametrize("name", ["coco_val188_instances.json", "coco_train108/instances.json"])
def test_official_annotations_are_whole(name):
    path = SHARED / "data" / name

    found = read_annotations(path)

    check_shapes(found, ("bbox", "segm"))
    assert any(annotation.iscrowd for annotation in found.annotations)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
@pytest.mark.parametrize("blanks", ["\t", "\t\t ", "\n\t", " "])
def test_json_behind_blanks_is_no_table(tmp_path, blanks, encoding):
    path = tmp_path / "instances.json"
    text = json.dumps({"info": "\t,;", "images": [], "categories": [], "annotations": []})
    path.write_bytes((blanks + text).encode(encoding))

    assert read_annotations(path).images == []


@pytest.mark.parametrize("value", [-1, 1 << 53 | 1, 1 << 63, 0.5, "a-hash", None])
@pytest.mark.parametrize("key", ["id", "image_id", "category_id"])
def test_an_id_that_cannot_be_kept_is_named_with_the_way_out(tmp_path, key, value):
    """Results are a table of float64, which would take two large ids for one."""
    with pytest.raises(
        SpecError, match=rf"annotations\[0\].{key}: Expected `int.* \(ids are .*: number them\)"
    ):
        checked(tmp_path, **{key: value})
