"""The places that a command is given: paths, names of model packages, URLs."""

from __future__ import annotations

from pathlib import Path
from typing import TypeAlias

from convertkit.errors import UnknownNameError, UsageError
from convertkit.storage.urls import Url, Where, local, where

Place: TypeAlias = str | Path
"""A path, or where a model package is meant also its name."""


def located(word: str) -> Path:
    """The directory of the model package that a word means.

    Raises:
        UsageError: it is a URL.
    """
    from convertkit.models.places import locate

    if "://" in word:
        raise UsageError(
            f"{word}: no place of a model package, whose code runs", hint="copy it to this machine"
        )
    return locate(word)


def word_for(root: Path) -> str:
    """The shortest word that means a package on a command line."""
    from convertkit.models import places

    return places.word_for(root)


def located_built(word: str) -> Path:
    """An artifact's directory, or a model package's."""
    from convertkit.conversion.manifest import NAME

    built = copy_of(word)
    return built if (built / NAME).is_file() else located(word)


def located_subject(word: str) -> Path:
    """A model package's directory, or a graph's file: one that is there, or that looks like one by its suffix."""
    path = Path(word)
    if path.is_file():
        return path
    try:
        return located(word)
    except UnknownNameError:
        if path.suffix:
            return path
        raise


def path_of(place: Place | None) -> Path | None:
    """A path of this machine; UsageError for a URL."""
    return None if place is None else local(where(place), "this option")


def copy_of(place: Place | Url) -> Path:
    """A path; of an artifact that has a URL a copy."""
    from convertkit.storage.copies import here

    return here(where(place))


def where_of(place: Place | Url | None) -> Where | None:
    """A place that may have a URL."""
    return None if place is None else where(place)


def local_of(place: Place | None, what: str) -> Path | None:
    """A path of this machine; UsageError for a URL, which ``what`` cannot use."""
    return None if place is None else local(where(place), what)
