"""The twelve numbers: the official table, and pycocotools as the oracle on random datasets."""

from __future__ import annotations

import contextlib
import copy
import io
import json
import re

import numpy as np
import pycocotools.mask as mask_utils
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from convertkit.errors import SpecError, UnknownNameError, UsageError
from convertkit.scoring.metrics import TASKS, Metrics, evaluate
from tests import finder
from tests.shared import SHARED, needs_shared

FAKE = SHARED / "data" / "coco_eval_fake100"


@needs_shared
@pytest.mark.parametrize("task", TASKS)
def test_the_official_table_is_reproduced(task):
    table = (FAKE / "val2014_fake_eval_res.txt").read_text()
    block = table.split(f"type={task}")[1].split("type=")[0]
    official = [float(number) for number in re.findall(r"\] = (-?[\d.]+)", block)]

    found = evaluate(
        FAKE / "instances_val2014_100.json", FAKE / f"instances_val2014_fake{task}100_results.json", (task,)
    )

    assert len(official) == 12
    assert [round(number, 3) for number in found[task].as_dict().values()] == official


@needs_shared
def test_the_official_results_have_these_exact_precisions():
    found = {
        task: evaluate(
            FAKE / "instances_val2014_100.json",
            FAKE / f"instances_val2014_fake{task}100_results.json",
            (task,),
        )[task].AP
        for task in TASKS
    }

    assert found == {
        "bbox": pytest.approx(0.5045806987249628, abs=1e-12),
        "segm": pytest.approx(0.3195452758576433, abs=1e-12),
    }


def oracle(dataset, results, task, image_ids):
    """pycocotools on the results of one task: without the other key, so that the area is that of the task."""
    dropped = "segmentation" if task == "bbox" else "bbox"
    rows = [{key: value for key, value in copy.deepcopy(row).items() if key != dropped} for row in results]
    with contextlib.redirect_stdout(io.StringIO()):
        truth, found = COCO(), COCO()
        truth.dataset = copy.deepcopy(dataset)
        truth.createIndex()
        found.dataset = {**truth.dataset, "annotations": []}
        found.createIndex()
        evaluation = COCOeval(truth, truth.loadRes(rows) if rows else found, task)
        if image_ids is not None:
            evaluation.params.imgIds = image_ids
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    curves = evaluation.eval["precision"][:, :, :, 0, -1]
    return evaluation.stats, [
        curves[:, :, k][curves[:, :, k] > -1].mean() if (curves[:, :, k] > -1).any() else -1
        for k in range(curves.shape[2])
    ]


def blob(rng, height, width):
    canvas = np.zeros((height, width), np.uint8, order="F")
    for _ in range(rng.integers(0, 4)):
        y, x = rng.integers(0, height), rng.integers(0, width)
        canvas[y : y + rng.integers(0, height), x : x + rng.integers(0, width)] = 1
    rle = mask_utils.encode(canvas)
    return {"size": [height, width], "counts": rle["counts"].decode()}, mask_utils.toBbox(rle).tolist()


def random_dataset(seed):
    """Crowds, empty images, classes without objects, ties of scores, boxes on the borders of the size classes."""
    rng = np.random.default_rng(seed)
    height, width = rng.integers(8, 160, 2).tolist()
    ids, categories = (
        rng.permutation(1000)[: rng.integers(1, 5)].tolist(),
        rng.permutation(9)[: rng.integers(1, 4)],
    )
    images = [{"id": i, "file_name": f"{i}.jpg", "height": height, "width": width} for i in ids]
    annotations = []
    for number in range(rng.integers(0, 12)):
        mask, box = blob(rng, height, width)
        annotations.append(
            {
                "id": number + 1,
                "image_id": int(rng.choice(ids)),
                "category_id": int(rng.choice(categories)),
                "iscrowd": int(rng.random() < 0.2),
                "area": float(rng.choice([box[2] * box[3], 32**2, 96**2, 1e5, 0])),
                "bbox": box,
                "segmentation": mask
                if rng.random() < 0.7
                else [[1, 1, width - 1.5, 2, width / 2, height - 1]],
            }
        )
    names = [{"id": int(c), "name": f"class {c}"} for c in categories]
    return {"images": images, "annotations": annotations, "categories": names}, random_results(
        rng, annotations, ids, categories, (height, width)
    )


def loosened(rng, dataset):
    """The same dataset as another tool might write it."""
    loose = copy.deepcopy(dataset)
    for entry in [*loose["images"], *loose["annotations"], *loose["categories"]]:
        for key in ("id", "image_id", "category_id", "height", "width"):
            if key in entry:
                entry[key] = (entry[key], float(entry[key]), str(entry[key]), f"0{entry[key]}")[
                    rng.integers(3)
                ]
        entry["score"] = float("nan")
    for annotation in loose["annotations"]:
        annotation["iscrowd"] = (annotation["iscrowd"], bool(annotation["iscrowd"]))[rng.integers(2)]
        annotation["bbox"] = [str(side) for side in annotation["bbox"]]
    return {**loose, "info": "", "licenses": {"none": float("inf")}}


def random_results(rng, annotations, ids, categories, size):
    results = []
    for _ in range(rng.choice([0, 1, 5, 20, 250])):
        mask, box = blob(rng, *size)
        image, category = int(rng.choice(ids)), int(rng.choice(categories))
        if annotations and rng.random() < 0.7:
            truth = annotations[rng.integers(len(annotations))]
            box = (np.array(truth["bbox"]) + rng.choice([0, 0, 1, 0.3], 4)).tolist()
            image, category = truth["image_id"], truth["category_id"]
            if isinstance(truth["segmentation"], dict) and rng.random() < 0.5:
                mask = truth["segmentation"]
        score = float(np.round(rng.random(), rng.choice([1, 3])))
        results.append(
            {"image_id": image, "category_id": category, "score": score, "bbox": box, "segmentation": mask}
        )
    return results


@pytest.mark.slow
@given(st.integers(0, 2**32 - 1), st.data())
@settings(deadline=None, max_examples=40)
def test_random_datasets_score_as_by_pycocotools(tmp_path_factory, seed, data):
    dataset, results = random_dataset(seed)
    ids = [image["id"] for image in dataset["images"]]
    chosen = data.draw(st.none() | st.lists(st.sampled_from(ids), min_size=1))
    path = tmp_path_factory.mktemp("random") / "instances.json"
    path.write_text(json.dumps(loosened(np.random.default_rng(seed), dataset)))

    found = evaluate(path, results, image_ids=chosen)

    for task in TASKS:
        expected, per_class = oracle(dataset, results, task, chosen)
        np.testing.assert_allclose(list(found[task].as_dict().values()), expected, rtol=0, atol=1e-9)
        np.testing.assert_allclose(list(found[task].per_class.values()), per_class, rtol=0, atol=1e-9)


@pytest.mark.slow
@needs_shared
def test_real_annotations_score_as_by_pycocotools():
    path = SHARED / "data" / "coco_val188_instances.json"
    dataset = json.loads(path.read_text())
    rng = np.random.default_rng(0)
    results = []
    images = {image["id"]: image for image in dataset["images"][:30]}
    for truth in dataset["annotations"]:
        image = images.get(truth["image_id"])
        if image is None or isinstance(truth["segmentation"], dict) or rng.random() < 0.2:
            continue
        rles = mask_utils.frPyObjects(truth["segmentation"], image["height"], image["width"])
        mask = mask_utils.merge(rles)
        box = (np.array(truth["bbox"]) + rng.normal(0, 3, 4)).tolist()
        mask = {**mask, "counts": mask["counts"].decode()}
        results.append(
            {**{key: truth[key] for key in ("image_id", "category_id")}, "score": rng.random(), "bbox": box}
            | {"segmentation": mask}
        )

    found = evaluate(path, results, image_ids=images)

    for task in TASKS:
        expected, _ = oracle(dataset, results, task, list(images))
        np.testing.assert_allclose(list(found[task].as_dict().values()), expected, rtol=0, atol=1e-9)


ONE = {
    "images": [{"id": 1, "file_name": "a.jpg", "height": 10, "width": 10}],
    "categories": [{"id": 1, "name": "dog"}],
    "annotations": [
        {
            "id": 1,
            "image_id": 1,
            "category_id": 1,
            "bbox": [0, 0, 5, 5],
            "area": 25,
            "segmentation": [[0, 0, 5, 0, 5, 5, 0, 5]],
        }
    ],
}
HIT = {"image_id": 1, "category_id": 1, "score": 0.5, "bbox": [0, 0, 5, 5]}


@pytest.fixture
def one(tmp_path):
    path = tmp_path / "instances.json"
    path.write_text(json.dumps(ONE))
    return path


def test_nothing_to_find_is_minus_one_and_nothing_found_is_zero(one):
    empty = one.with_name("empty.json")
    empty.write_text(json.dumps({**ONE, "annotations": []}))

    assert set(evaluate(empty, [HIT], ("bbox",))["bbox"].as_dict().values()) == {-1.0}
    missed = evaluate(one, [], ("bbox",))["bbox"]
    assert (missed.AP, missed.APs, missed.APl) == (0.0, 0.0, -1.0)


def test_the_area_of_a_detection_is_that_of_what_is_evaluated(one):
    """A false alarm with a large box and a mask of one pixel spoils only the small masks."""
    path = one.with_name("large.json")
    path.write_text(json.dumps({**ONE, "images": [{**ONE["images"][0], "height": 200, "width": 200}]}))
    hit, alarm = np.zeros((2, 200, 200), np.uint8).transpose(0, 2, 1)
    hit[:5, :5], alarm[99, 99] = 1, 1
    results = [
        {**HIT, "segmentation": mask_utils.encode(hit)},
        {**HIT, "score": 0.9, "bbox": [5, 5, 190, 190], "segmentation": mask_utils.encode(alarm)},
    ]

    found = evaluate(path, results)

    assert found["bbox"].APs == pytest.approx(1.0)
    assert found["segm"].APs == pytest.approx(0.5)
    assert found["bbox"].AP == found["segm"].AP == pytest.approx(0.5)


def test_an_annotation_with_id_zero_can_be_found(one):
    """pycocotools takes id 0 for "no match" and counts the detection as wrong; we do not follow it there."""
    path = one.with_name("zero.json")
    path.write_text(json.dumps({**ONE, "annotations": [{**ONE["annotations"][0], "id": 0}]}))

    found = evaluate(path, [HIT], ("bbox",))["bbox"]

    assert pytest.approx(1.0) == found.AP


def test_only_the_chosen_images_count(one):
    path = one.with_name("two.json")
    second = {**ONE["annotations"][0], "id": 2, "image_id": 2}
    images = [*ONE["images"], {**ONE["images"][0], "id": 2}]
    path.write_text(json.dumps({**ONE, "images": images, "annotations": [*ONE["annotations"], second]}))

    both, first, other = (evaluate(path, [HIT], ("bbox",), ids)["bbox"].AP for ids in (None, [1], [2]))

    assert (first, other) == (pytest.approx(1.0), 0.0)
    assert 0 < both < 1


@pytest.mark.parametrize(
    ("arguments", "error", "complaint"),
    [
        ({"tasks": ("box",)}, UnknownNameError, "unknown task 'box'.*did you mean 'bbox'"),
        ({"image_ids": []}, UsageError, "no image to evaluate"),
        ({"image_ids": [9]}, UsageError, "image 9 is not in it"),
        ({"results": [HIT]}, SpecError, r"results\[0\]: no segmentation"),
        ({"results": [{**HIT, "image_id": 2}], "tasks": ("bbox",)}, SpecError, "image_id 2"),
    ],
)
def test_what_cannot_be_evaluated_is_refused(one, arguments, error, complaint):
    with pytest.raises(error, match=complaint):
        evaluate(one, **{"results": [], **arguments})


def test_nothing_is_printed(one, capfd):
    found = evaluate(one, [HIT], ("bbox",))

    assert isinstance(found["bbox"], Metrics)
    assert capfd.readouterr() == ("", "")


def test_the_evaluator_has_nothing_to_say_of_names(tmp_path, capfd):
    path = tmp_path / "instances.json"
    path.write_text(json.dumps(finder.dataset(["", "", "dog"])))

    found = evaluate(path, [])

    assert found["bbox"].AP == 0
    assert "".join(capfd.readouterr()) == ""
