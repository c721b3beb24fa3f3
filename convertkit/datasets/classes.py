"""The classes of a model and the categories of a dataset: matched by name, and said where they do not match."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from convertkit.datasets.annotations import Category
from convertkit.datasets.faults import few, quoted
from convertkit.datasets.spelling import spelt
from convertkit.errors import SpecError
from convertkit.storage.urls import Where

WAY_OUT = "rename them in the file, or give a copy of the model package its own list: `classes` in model.yaml"


@dataclass(frozen=True)
class ClassMap:
    """From the class indices of a model to the category ids of a dataset.

    ``category_ids[label]`` is ``None`` where the dataset does not know the class: such detections cannot be
    judged and are left out. ``missing_in_model`` are categories that the model cannot find: their objects
    count as missed. ``respelt`` are pairs of class and category that differ only in how they are written.
    """

    category_ids: tuple[int | None, ...]
    missing_in_dataset: tuple[str, ...] = ()
    missing_in_model: tuple[Category, ...] = ()
    respelt: tuple[tuple[str, str], ...] = ()

    def notes(self, counts: Mapping[int, int]) -> Iterator[str]:
        """What a reader of the figures has to know, a line each.

        Args:
            counts: how many annotations each category has.
        """
        if self.respelt:
            pairs = [f"{quoted(theirs)} is {quoted(ours)}" for ours, theirs in self.respelt]
            yield f"{_categories(len(pairs))} matched but for the spelling: {few(pairs)}"
        if self.missing_in_model:
            ordered = sorted(self.missing_in_model, key=lambda category: -counts[category.id])
            total = sum(counts[category.id] for category in ordered)
            names = [
                f"{quoted(category.name)} ({counts[category.id]}{_near(category.name, self.missing_in_dataset)})"
                for category in ordered
            ]
            what = f"{_categories(len(names))} no class of the model, {total} annotations count as missed"
            yield f"{what}: {few(names)}"
        if self.missing_in_dataset:
            theirs = [category.name for category in self.missing_in_model]
            names = sorted(
                (f"{quoted(name)}{_near(name, theirs)}" for name in self.missing_in_dataset),
                key=lambda text: "; " not in text,
            )
            are = "class of the model is" if len(names) == 1 else "classes of the model are"
            yield f"{len(names)} {are} no category of the dataset, detections of them are left out: {few(names)}"


def match_classes(path: Where, categories: Sequence[Category], classes: Sequence[str] = ()) -> ClassMap:
    """Match by name: first those that are equal, then those that are :func:`spelt` alike.

    Without names of the model, by order.

    Raises:
        SpecError: no name matches, or one that matches stands for two on one side.
    """
    if not classes:
        return ClassMap(tuple(category.id for category in categories))
    names = [category.name for category in categories]
    pairs = {name: name for name in classes if name in set(names)}
    _refuse_twice(path, classes, names, pairs)
    left = _by_spelling(classes, pairs), _by_spelling(names, pairs)
    for key in left[0].keys() & left[1].keys():
        for side, owner in zip(left, ("the model", str(path)), strict=True):
            if len(side[key]) > 1:
                both = " and ".join(quoted(name) for name in side[key][:2])
                raise SpecError(f"{owner}: {both} are the same name but for the spelling", hint="rename one")
        pairs[left[0][key][0]] = left[1][key][0]
    if not pairs:
        raise SpecError(
            f"{path}: none of its {len(names)} categories is a class of the model",
            hint=f"the model has {few(_quote(classes), 3)}; the dataset has {few(_quote(names), 3)}; {WAY_OUT}",
        )
    ids = {category.name: category.id for category in categories}
    return ClassMap(
        tuple(ids[pairs[name]] if name in pairs else None for name in classes),
        missing_in_dataset=tuple(name for name in classes if name not in pairs),
        missing_in_model=tuple(item for item in categories if item.name not in set(pairs.values())),
        respelt=tuple((name, pairs[name]) for name in classes if pairs.get(name, name) != name),
    )


def _refuse_twice(
    path: Where, classes: Sequence[str], names: Sequence[str], pairs: Mapping[str, str]
) -> None:
    for side, owner in ((classes, "the model"), (names, str(path))):
        twice = sorted(name for name, count in Counter(side).items() if count > 1 and name in pairs)
        if twice:
            raise SpecError(f"{owner}: class {twice[0]!r} occurs twice")


def _by_spelling(names: Sequence[str], pairs: Mapping[str, str]) -> dict[str, list[str]]:
    """The names that have no equal on the other side, by what is left of them as :func:`spelt`."""
    found: dict[str, list[str]] = {}
    for name in names:
        key = spelt(name)
        if name not in pairs and key:
            found.setdefault(key, []).append(name)
    return found


def _quote(names: Sequence[str]) -> list[str]:
    return [quoted(name) for name in names]


def _categories(count: int) -> str:
    return "1 category of the dataset is" if count == 1 else f"{count} categories of the dataset are"


def _near(name: str, others: Sequence[str]) -> str:
    near = difflib.get_close_matches(name, others, n=1)
    return f"; {quoted(near[0])}?" if near else ""
