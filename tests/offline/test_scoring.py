"""What is said of files that were run elsewhere: of which photos, and what is not judged."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from convertkit.errors import SpecError
from convertkit.models.spec import AccuracySpec
from convertkit.offline.scoring import _ids, _verdict

SCORES = {"bbox": {"AP": 0.4, "AP50": 0.6}}


def image(number: int, name: str) -> Any:
    return SimpleNamespace(id=number, file_name=name, height=8, width=8)


def listed(*names: str) -> Any:
    return SimpleNamespace(images=[image(number, name) for number, name in enumerate(names, 1)])


def photo(name: str) -> Any:
    return SimpleNamespace(name=name, placement=None)


def verdict(spec: AccuracySpec, photos: int, known: int) -> Any:
    answers = SimpleNamespace(
        own=True,
        record=SimpleNamespace(photos=range(photos)),
        variant=SimpleNamespace(spec=SimpleNamespace(accuracy=spec)),
    )
    truth = SimpleNamespace(annotations=listed(*(f"{number}.jpg" for number in range(known))))
    return _verdict(answers, truth, SCORES, photos)  # type: ignore[arg-type]


def test_two_images_of_one_name_are_refused() -> None:
    found = listed("a.jpg", "./a.jpg", "b.jpg")

    assert _ids(Path("f.json"), found, [photo("b.jpg")]) == (3,)
    with pytest.raises(SpecError, match=r"several of its images are called a\.jpg"):
        _ids(Path("f.json"), found, [photo("a.jpg")])


@pytest.mark.parametrize(("known", "judged"), [(10, True), (11, False)])
def test_recorded_figures_are_for_all_photos_of_the_file(known: int, judged: bool) -> None:
    found = verdict(AccuracySpec(bbox={"AP": 0.5}), 10, known)

    assert (found.judged, found.ok) == (judged, not judged)
    assert judged or found.reason == "only 10 images of the dataset were measured"


def test_floors_and_drops_are_said_not_to_be_judged_here() -> None:
    spec = AccuracySpec(floor={"bbox": {"AP50": 0.9}}, drop={"stock": {"bbox": {"AP": 0.01}}})

    found = verdict(spec, 10, 10)

    assert found.reason == "the accuracy spec has floors and drops only"
    assert found.gates_left_out == (
        "bbox AP50: verify judges it",
        "bbox AP drop against stock: verify judges it",
    )
