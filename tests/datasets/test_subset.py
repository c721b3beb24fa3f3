"""A subset has every class in its share, the number that was asked for, and is the same wherever it is made."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some
from msgspec import structs

from convertkit.datasets.annotations import Annotation, AnnotationFile, Category, Image
from convertkit.datasets.subset import Subset, listed, made, stratified
from convertkit.errors import UsageError


def annotated(classes: dict[int, list[int]], photos: int = 100) -> AnnotationFile:
    """Photos 0..., and for each class those that it is on."""
    pairs = [(image, name) for name, images in classes.items() for image in images]
    return AnnotationFile(
        Path("instances.json"),
        [Image(number, f"{number}.jpg", 8, 8) for number in range(photos)],
        [Category(number, str(number)) for number in classes],
        [Annotation(number, image, name) for number, (image, name) in enumerate(pairs)],
    )


COMMON = annotated({1: [*range(50)], 2: [*range(40, 60)], 3: [7, 70]})


def ids(found: AnnotationFile, subset: Subset) -> list[int]:
    return [image.id for _, image in listed(found, None, subset)]


def test_every_class_keeps_its_share() -> None:
    chosen = ids(COMMON, Subset(50))

    assert chosen == sorted(chosen)  # as the file has them
    on = {1: set(range(50)), 2: set(range(40, 60)), 3: {7, 70}, 0: set(range(60, 100)) - {70}}
    counts = {name: len(set(chosen) & photos) for name, photos in on.items()}
    assert len(chosen) == 50
    assert counts[2] == 10
    assert counts[3] == 1
    assert counts[1] in (24, 25, 26)
    assert counts[0] in (19, 20)


def test_a_choice_is_known_by_its_record() -> None:
    first = made(COMMON, Subset(10, seed=3))
    assert first is not None

    assert ids(COMMON, first) == ids(COMMON, Subset(10, seed=3)) != ids(COMMON, Subset(10, seed=4))
    assert (first.photos, first.of, len(first.sha256)) == (10, 100, 64)
    assert str(first).startswith("10 of 100 photos by iterative stratification by class, seed 3, ids ")
    assert made(COMMON, None) is None


def test_the_order_of_the_file_decides_nothing() -> None:
    turned = structs.replace(COMMON, images=COMMON.images[::-1], annotations=COMMON.annotations[::-1])

    assert sorted(ids(turned, Subset(10))) == ids(COMMON, Subset(10))


def test_it_is_the_same_choice_on_every_machine() -> None:
    """A golden one: nothing in it may depend on numpy's generators, on hashes of this process, or on rounding."""
    assert ids(annotated({1: [0, 1, 2, 3], 2: [3, 4, 5]}, photos=8), Subset(4, seed=1)) == [0, 3, 4, 7]


def test_a_number_that_cannot_be_is_one_line() -> None:
    assert ids(COMMON, Subset(100)) == [*range(100)]
    for number in (0, 101):
        with pytest.raises(
            UsageError, match=rf"--subset {number} of 100 photos \(give a number from 1 to 100\)"
        ):
            ids(COMMON, Subset(number))
    with pytest.raises(UsageError, match="--limit and --subset exclude each other"):
        listed(COMMON, 5, Subset(5))
    assert len(listed(COMMON, 5, None)) == 5


@given(some.lists(some.integers(1, 4), min_size=1, max_size=6), some.integers(1, 5))
def test_shares_that_are_whole_are_exact(shares: list[int], every: int) -> None:
    sizes = np.array(shares) * every
    on = np.repeat(np.eye(len(sizes), dtype=np.bool_), sizes, axis=0)

    chosen = stratified(on, sum(shares))

    assert on[chosen].sum(axis=0).tolist() == shares


@given(some.data())
def test_any_photos_give_the_number_that_was_asked_for(data: Any) -> None:
    rows = data.draw(some.lists(some.lists(some.booleans(), min_size=3, max_size=3), min_size=1, max_size=30))
    on = np.array([[*row, not any(row)] for row in rows], np.bool_)
    number = data.draw(some.integers(1, len(on)))

    assert len(set(stratified(on, number))) == number
