"""AP from per-photo matches: hotcoco's figures on the photos themselves, pycocotools' on photos drawn twice."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convertkit.scoring.matches import AREAS, METRICS
from convertkit.scoring.metrics import TASKS, evaluate
from tests.shared import SHARED, needs_shared

SIZES = (8, 40, 120)
NAMES = {1: "cat", 2: "dog"}


def scene(seed: int, photos: int) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Objects of all three sizes, some of them crowds; detections near them, of any class, scores in ten steps."""
    rng = np.random.default_rng(seed)
    truth: list[dict[str, Any]] = []
    found = []
    for image in range(1, photos + 1):
        for _ in range(rng.integers(0, 5)):
            side, kind = int(rng.choice(SIZES)), int(rng.integers(1, 3))
            box = [*map(int, rng.integers(0, 100, 2)), side, side]
            truth.append(
                {
                    "id": len(truth) + 1, "image_id": image, "category_id": kind, "bbox": box,
                    "area": side * side, "iscrowd": int(rng.random() < 0.1),
                    "segmentation": {"size": [300, 300], "counts": [90000]},
                }
            )  # fmt: skip
            for _ in range(rng.integers(0, 3)):
                near = [value + int(rng.integers(-side // 6 - 1, side // 6 + 2)) for value in box[:2]]
                label = kind if rng.random() < 0.8 else 3 - kind
                score = int(rng.integers(1, 10)) / 10
                found.append(
                    {"image_id": image, "category_id": label, "bbox": [*near, side, side], "score": score}
                )
    images = [{"id": i, "file_name": f"{i}.jpg", "height": 300, "width": 300} for i in range(1, photos + 1)]
    categories = [{"id": key, "name": name} for key, name in NAMES.items()]
    return {"images": images, "categories": categories, "annotations": truth}, found


def score(data: dict[str, Any], found: list[dict[str, Any]], tmp: Any) -> Any:
    import msgspec

    path = tmp / "instances.json"
    path.write_bytes(msgspec.json.encode(data))
    return evaluate(path, found, ("bbox",), matched=True)["bbox"]


def drawn_twice(
    data: dict[str, Any], found: list[dict[str, Any]], counts: list[int]
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The dataset in which photo i stands ``counts[i]`` times, copies side by side."""
    data, more = copy.deepcopy(data), []
    images, truth = data["images"], data["annotations"]
    data["images"], data["annotations"] = [], []
    for image, count in zip(images, counts, strict=True):
        for turn in range(count):
            new = image["id"] * 100 + turn
            data["images"].append({**image, "id": new, "file_name": f"{new}.jpg"})
            own = [item for item in truth if item["image_id"] == image["id"]]
            first = len(data["annotations"]) + 1
            data["annotations"] += [{**item, "id": first + i, "image_id": new} for i, item in enumerate(own)]
            more += [{**item, "image_id": new} for item in found if item["image_id"] == image["id"]]
    return data, more


@pytest.mark.slow
@given(st.integers(0, 10**6), st.lists(st.integers(0, 3), min_size=1, max_size=6).filter(any))
@settings(max_examples=25)
def test_a_photo_drawn_twice_counts_as_two(
    tmp_path_factory: pytest.TempPathFactory, seed: int, counts: list[int]
) -> None:
    tmp = tmp_path_factory.mktemp("scene")
    data, found = scene(seed, len(counts))
    matches = score(data, found, tmp).matches
    official = score(*drawn_twice(data, spread(found), counts), tmp)

    sample = score(data, spread(found), tmp).matches.resampled(np.array([counts], np.int32))

    assert matches.photos == len(counts)
    for metric in METRICS:
        assert np.nan_to_num(sample[metric][0], nan=-1) == pytest.approx(getattr(official, metric), abs=1e-12)
    for name in NAMES.values():
        assert np.nan_to_num(sample[f"AP {name}"][0], nan=-1) == pytest.approx(
            official.per_class[name], abs=1e-12
        )


def spread(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """No two scores alike: between equal scores of different photos the order of copies matters."""
    return [{**item, "score": item["score"] + index * 1e-6} for index, item in enumerate(found)]


def test_a_sample_without_a_class_leaves_it_out(tmp_path: Any) -> None:
    data, found = scene(3, 2)
    data["annotations"] = [
        {**item, "category_id": item["image_id"], "iscrowd": 0} for item in data["annotations"]
    ]
    matches = score(data, found, tmp_path).matches

    sample = matches.resampled(np.array([[2, 0], [0, 2]], np.int32), ("AP", "AP cat", "AP dog"))

    assert np.isnan(sample["AP dog"][0]) and np.isnan(sample["AP cat"][1])
    assert sample["AP"].tolist() == [sample["AP cat"][0], sample["AP dog"][1]]


@pytest.mark.parametrize("photos", [1, 5, 12])
def test_matches_are_the_same_however_many_photos_are_read_at_once(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch, photos: int
) -> None:
    data, found = scene(3, 12)
    whole = score(data, found, tmp_path).matches

    monkeypatch.setattr("convertkit.scoring.parts.PHOTOS", photos)
    parts = score(data, found, tmp_path).matches

    for area in AREAS:
        for own, other in zip(parts.curves(area), whole.curves(area), strict=True):
            for name in ("photos", "hits", "misses", "objects"):
                one, two = getattr(own, name), getattr(other, name)
                assert one.dtype == two.dtype
                np.testing.assert_array_equal(one, two)


@pytest.mark.slow
@given(st.integers(0, 10**6), st.integers(2, 12))
@settings(max_examples=25)
def test_the_numbers_of_many_photos_are_those_of_hotcoco(
    tmp_path_factory: pytest.TempPathFactory, seed: int, photos: int
) -> None:
    tmp = tmp_path_factory.mktemp("scene")
    data, found = scene(seed, photos)
    whole = score(data, found, tmp)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("convertkit.scoring.parts.PHOTOS", 1)
        patch.setattr("convertkit.scoring.metrics.WHOLE", 1)
        parts = score(data, found, tmp)

    assert parts.as_dict() == whole.as_dict()
    assert parts.per_class == whole.per_class


@needs_shared
@pytest.mark.slow
@pytest.mark.parametrize("task", TASKS)
def test_the_numbers_of_many_real_photos_are_those_of_hotcoco(
    monkeypatch: pytest.MonkeyPatch, task: str
) -> None:
    place = SHARED / "data" / "coco_eval_fake100"
    given = (
        place / "instances_val2014_100.json",
        place / f"instances_val2014_fake{task}100_results.json",
        (task,),
    )
    whole = evaluate(*given)[task]

    monkeypatch.setattr("convertkit.scoring.parts.PHOTOS", 20)
    monkeypatch.setattr("convertkit.scoring.metrics.WHOLE", 40)
    parts = evaluate(*given)[task]

    assert parts.as_dict() == whole.as_dict()
    assert parts.per_class == whole.per_class
    assert parts.mistakes != whole.mistakes
