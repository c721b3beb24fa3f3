"""Result files: written as a stream, whole or absent; read with suspicion."""

from __future__ import annotations

import json

import numpy as np
import pycocotools.mask as mask_utils
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools.coco import COCO

from convertkit.detection.types import Detections
from convertkit.errors import ConvertkitError, GraphError, SpecError, StoreError, UsageError
from convertkit.scoring.results import ResultsWriter, read_results
from convertkit.storage.files import TEMPORARY

SIZES = {1: (10, 20), 2: (4, 4)}
CATEGORIES = {18, 1}


def encoded(height, width):
    canvas = np.zeros((height, width), np.uint8, order="F")
    canvas[1:3, 2:4] = 1
    return mask_utils.encode(canvas)


def found(count=1, label=0, masks=True, size=(10, 20)):
    boxes = np.array([[1.5, 2, 4, 8.25]] * count, np.float32).reshape(-1, 4)
    scores = np.linspace(0.9, 0.1, count, dtype=np.float32)
    rles = tuple(encoded(*size) for _ in range(count)) if masks else None
    return Detections(boxes, scores, np.full(count, label, np.int64), rles)


def test_what_is_written_can_be_read(tmp_path):
    path = tmp_path / "deep" / "results.jsonl"
    with ResultsWriter(path, [18, 1]) as writer:
        writer.write(1, found(2))
        writer.write(2, found(1, label=1, masks=False))

    rows = list(read_results(path, SIZES, CATEGORIES))

    assert [(row.image_id, row.category_id, row.bbox) for row in rows] == [
        (1, 18, (1.5, 2.0, 2.5, 6.25)),
        (1, 18, (1.5, 2.0, 2.5, 6.25)),
        (2, 1, (1.5, 2.0, 2.5, 6.25)),
    ]
    assert rows[0].score == float(np.float32(0.9))
    assert rows[0].segmentation.counts.encode() == encoded(10, 20)["counts"]
    assert rows[2].segmentation is None


def test_each_line_is_a_coco_result(tmp_path):
    path = tmp_path / "results.jsonl"
    with ResultsWriter(path, [18]) as writer:
        writer.write(1, found())

    (line,) = path.read_text().splitlines()

    assert set(json.loads(line)) == {"image_id", "category_id", "bbox", "score", "segmentation"}


@pytest.mark.parametrize("name", ["found.json", "found", "found.JSON", "found.txt"])
def test_an_array_is_what_pycocotools_loads(tmp_path, name):
    images = [{"id": id, "height": height, "width": width} for id, (height, width) in SIZES.items()]
    truth = COCO()
    truth.dataset = {"images": images, "categories": [{"id": 18}], "annotations": []}
    truth.createIndex()
    path = tmp_path / name
    with ResultsWriter(path, [18, None]) as writer:
        writer.write(1, found(0))
        writer.write(1, found(2))
        writer.write(2, found(1, label=1))
        writer.write(2, found(1, size=(4, 4)))

    loaded = truth.loadRes(json.loads(path.read_text()))

    assert [row["image_id"] for row in loaded.loadAnns(loaded.getAnnIds())] == [1, 1, 2]
    assert len(list(read_results(path, SIZES, CATEGORIES))) == 3


def test_an_array_of_nothing_is_empty(tmp_path):
    with ResultsWriter(tmp_path / "found.json", [18]) as writer:
        writer.write(1, found(0))

    assert json.loads((tmp_path / "found.json").read_text()) == []


def test_a_class_that_the_dataset_has_not_is_left_out_and_counted(tmp_path):
    with ResultsWriter(tmp_path / "results.jsonl", [None, 1]) as writer:
        writer.write(1, found(3))
        writer.write(1, found(2, label=1))

    assert (writer.written, writer.left_out) == (2, 3)


def test_nothing_found_is_an_empty_file(tmp_path):
    path = tmp_path / "results.jsonl"
    with ResultsWriter(path, [1]) as writer:
        writer.write(1, found(0))

    assert list(read_results(path, SIZES, CATEGORIES)) == []


def test_the_file_appears_only_when_all_went_well(tmp_path):
    path = tmp_path / "results.jsonl"
    path.write_text("old")

    with pytest.raises(RuntimeError), ResultsWriter(path, [1]) as writer:
        writer.write(1, found())
        assert path.read_text() == "old"
        raise RuntimeError

    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["results.jsonl"]


def test_what_a_killed_process_left_is_overwritten(tmp_path):
    (tmp_path / f".results.jsonl.0123456789ab{TEMPORARY}").write_text("half a line" * 100)

    with ResultsWriter(tmp_path / "results.jsonl", [1]) as writer:
        writer.write(1, found())

    assert len(list(read_results(tmp_path / "results.jsonl", SIZES, CATEGORIES))) == 1
    assert [entry.name for entry in tmp_path.iterdir()] == ["results.jsonl"]


def test_two_writers_do_not_mix(tmp_path):
    path = tmp_path / "results.jsonl"

    with ResultsWriter(path, [1]) as writer:
        with ResultsWriter(path, [1]) as other:
            other.write(1, found())
            other.write(1, found())
            writer.write(1, found())
        assert len(list(read_results(path, SIZES, CATEGORIES))) == 2

    assert len(list(read_results(path, SIZES, CATEGORIES))) == 1
    assert [entry.name for entry in tmp_path.iterdir()] == ["results.jsonl"]


def test_a_file_of_somebody_with_a_name_like_ours_is_left(tmp_path):
    (tmp_path / "results.jsonl.part").write_text("somebody's")

    with ResultsWriter(tmp_path / "results.jsonl", [1]) as writer:
        writer.write(1, found())

    assert (tmp_path / "results.jsonl.part").read_text() == "somebody's"


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")

    with pytest.raises(StoreError, match="file"), ResultsWriter(tmp_path / "file" / "results.jsonl", [1]):
        pass
    (tmp_path / "results.jsonl").mkdir()
    with pytest.raises(StoreError, match="cannot be written"), ResultsWriter(tmp_path / "results.jsonl", [1]):
        pass
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["file", "results.jsonl"]


@pytest.mark.parametrize(
    ("detections", "complaint"),
    [
        (found(label=7), "image 1: label 7, but the model has 2 classes"),
        (found(label=-1), "label -1"),
        (
            Detections(np.full((1, 4), np.nan, np.float32), np.ones(1, np.float32), np.zeros(1, np.int64)),
            "finite",
        ),
        (
            Detections(np.ones((1, 4), np.float32), np.full(1, np.inf, np.float32), np.zeros(1, np.int64)),
            "finite",
        ),
    ],
)
def test_numbers_that_mean_nothing_are_not_written(tmp_path, detections, complaint):
    with (
        pytest.raises(GraphError, match=complaint),
        ResultsWriter(tmp_path / "results.jsonl", [1, 2]) as writer,
    ):
        writer.write(1, detections)


GOOD = {"image_id": 2, "category_id": 18, "score": 0.5, "bbox": [0, 0, 2, 2]}
MASK = {"size": [4, 4], "counts": encoded(4, 4)["counts"].decode()}


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"image_id": 3}, "image_id 3 is not in the dataset"),
        ({"image_id": "2"}, "image_id: Expected `int`, got `str`"),
        ({"image_id": None}, "image_id"),
        ({"image_id": -2}, "image_id"),
        ({"category_id": 5}, "category_id 5 is not in the dataset"),
        ({"score": "0.5"}, "score"),
        ({"bbox": [1, 2, 3]}, "bbox"),
        ({"segmentation": {**MASK, "size": [4, 5]}}, "the mask is 5 x 4, image 2 is 4 x 4"),
        ({"segmentation": {**MASK, "counts": [16]}}, "segmentation.counts"),
        ({"segmentation": {**MASK, "counts": MASK["counts"][:-1]}}, "segmentation: "),
        ({"segmentation": {**MASK, "counts": MASK["counts"] + "5"}}, "segmentation: "),
        ({"segmentation": {**MASK, "counts": "\n"}}, "segmentation: not compressed run lengths"),
        ({"segmentation": [[0, 0, 1, 1, 2, 2]]}, "segmentation: Expected `object"),
    ],
)
@pytest.mark.parametrize("form", ["lines", "array", "dictionaries"])
def test_a_malformed_result_names_its_place(tmp_path, form, change, complaint):
    rows = [GOOD, {**GOOD, "segmentation": MASK}, {**GOOD, **change}]
    path = tmp_path / "results.json"
    path.write_text(json.dumps(rows, indent=1) if form == "array" else "\n".join(map(json.dumps, rows)))

    with pytest.raises(SpecError) as caught:
        list(read_results(rows if form == "dictionaries" else path, SIZES, CATEGORIES))

    assert complaint in str(caught.value)
    place = {"lines": f"{path}:3: ", "array": f"{path}: [2]", "dictionaries": "results[2]: "}[form]
    assert str(caught.value).startswith(place)


@pytest.mark.parametrize(
    "text", ["{", "nonsense", "[1, 2", '{"image_id": NaN}', '{"image_id": 1e999}', "\0", "[" * 9999]
)
def test_what_is_no_json_is_named(tmp_path, text):
    path = tmp_path / "results.json"
    path.write_text(text)

    with pytest.raises(SpecError, match=r"results\.json"):
        list(read_results(path, SIZES, CATEGORIES))


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_numbers_that_are_not_finite_are_refused(number):
    for row in ({**GOOD, "score": number}, {**GOOD, "bbox": [0, 0, number, 1]}):
        with pytest.raises(SpecError, match="not finite"):
            list(read_results([row], SIZES, CATEGORIES))


def test_a_missing_file_and_a_missing_key_are_named(tmp_path):
    with pytest.raises(UsageError, match="no such file"):
        list(read_results(tmp_path / "none.jsonl", SIZES, CATEGORIES))
    with pytest.raises(UsageError, match="not a regular file"):
        list(read_results(tmp_path, SIZES, CATEGORIES))
    with pytest.raises(SpecError, match=r"results\[0\]: no segmentation"):
        list(read_results([GOOD], SIZES, CATEGORIES, require=["segmentation"]))


@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
@settings(deadline=None)
def test_no_file_whatever_brings_anything_but_a_clear_error(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("fuzz") / "results.jsonl"
    path.write_bytes(data)

    try:
        rows = list(read_results(path, SIZES, CATEGORIES))
    except ConvertkitError as error:
        assert str(path) in str(error)
    else:
        assert rows == []


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # pycocotools under numpy 2
@given(st.text(st.characters(min_codepoint=32, max_codepoint=127), max_size=12))
@settings(deadline=None)
def test_run_lengths_are_accepted_only_where_they_cover_the_image(counts):
    row = {**GOOD, "segmentation": {"size": [4, 4], "counts": counts}}

    try:
        list(read_results([row], SIZES, CATEGORIES))
    except SpecError:
        return
    canvas = np.asarray(mask_utils.decode(row["segmentation"]))
    assert canvas.shape == (4, 4)
