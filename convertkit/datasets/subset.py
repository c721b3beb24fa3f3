"""So many photos of a dataset that each class is on as many of them as it is on of all, as nearly as can be."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from convertkit.datasets.annotations import AnnotationFile, Image
from convertkit.errors import UsageError
from convertkit.storage.files import canonical_json, sha256_bytes

METHOD = "iterative stratification by class"


class Subset(Struct, frozen=True, forbid_unknown_fields=True):
    """A choice that can be repeated: the same annotations, number and seed give the same photos, on any machine.

    Attributes:
        photos: how many are chosen.
        seed: which of the choices that are as good.
        of: how many there are; 0 where it is asked for but not yet made.
        sha256: of the chosen ids, in ascending order, as a JSON list; empty likewise.
    """

    photos: int
    seed: int = 0
    of: int = 0
    sha256: str = ""
    method: str = METHOD

    def __str__(self) -> str:
        return f"{self.photos} of {self.of} photos by {self.method}, seed {self.seed}, ids {self.sha256[:12]}"


def listed(found: AnnotationFile, limit: int | None, subset: Subset | None) -> list[tuple[int, Image]]:
    """The photos that were asked for, with their places in the file, in its order.

    Raises:
        UsageError: both are given, or more photos are wanted than there are.
    """
    every = [*enumerate(found.images)]
    if subset is None:
        return every[:limit]
    if limit is not None:
        raise UsageError("--limit and --subset exclude each other", hint="give one of them")
    return [every[index] for index in _chosen(found, subset)]


def made(found: AnnotationFile, subset: Subset | None) -> Subset | None:
    """The choice with what makes it known again; errors as :func:`listed`."""
    if subset is None:
        return None
    ids = sorted(image.id for _, image in listed(found, None, subset))
    return Subset(subset.photos, subset.seed, len(found.images), sha256_bytes(canonical_json(ids)))


def _chosen(found: AnnotationFile, subset: Subset) -> list[int]:
    total = len(found.images)
    if not 1 <= subset.photos <= total:
        raise UsageError(
            f"--subset {subset.photos} of {total} photos", hint=f"give a number from 1 to {total}"
        )
    keys = [sha256_bytes(f"{subset.seed}:{image.id}") for image in found.images]
    order = sorted(range(total), key=keys.__getitem__)
    on = _classes_on(found)[order]
    return sorted(order[place] for place in stratified(on, subset.photos))


def _classes_on(found: AnnotationFile) -> NDArray[np.bool_]:
    """Which classes are on which photos, ``(photos, classes + 1)``; the last column: none is."""
    rows = {image.id: row for row, image in enumerate(found.images)}
    columns = {category.id: column for column, category in enumerate(found.categories)}
    on = np.zeros((len(rows), len(columns) + 1), np.bool_)
    for annotation in found.annotations:
        on[rows[annotation.image_id], columns[annotation.category_id]] = True
    on[:, -1] = ~on[:, :-1].any(axis=1)
    return on


def stratified(on: NDArray[np.bool_], number: int) -> Sequence[int]:
    """Which rows are chosen: ``number`` of them.

    Iterative stratification into two sides, chosen or not (Sechidis, Tsoumakas and Vlahavas, "On the Stratification
    of Multi-Label Data", ECML PKDD 2011, algorithm 1): the class with the fewest photos left comes first, for it has
    the least to choose from, and each of its photos goes where more of it are wanted, else where more photos are.
    Counts are whole (of photos, times all photos) and rows come in their order: nothing is rounded, nothing drawn.

    Args:
        on: which classes are on which photos, ``(photos, classes)``; each photo has one.
    """
    total = len(on)
    sides = (number, total - number)
    wanted = np.outer(sides, on.sum(axis=0, dtype=np.int64))
    room = list(sides)
    left, chosen = np.ones(total, np.bool_), []
    while left.any():
        counts = on[left].sum(axis=0)
        label = int(np.where(counts > 0, counts, total + 1).argmin())
        for row in np.flatnonzero(left & on[:, label]).tolist():
            side = _side(wanted[:, label].tolist(), room)
            wanted[side] -= total * on[row]
            room[side] -= 1
            chosen += [row] if side == 0 else []
        left &= ~on[:, label]
    return chosen


def _side(wanted: Sequence[int], room: Sequence[int]) -> int:
    """0 to choose, 1 to leave; a side without room takes none."""
    if not all(room):
        return 0 if room[0] else 1
    return 0 if (wanted[0], room[0]) >= (wanted[1], room[1]) else 1
