"""Where model packages are: the directory that a word of the command line means."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path

from convertkit.errors import UnknownNameError, UsageError
from convertkit.models.known import OURS

GROUP = "convertkit.models"
"""The entry point group in which installed distributions name their packages."""

HERE = Path("models")


@dataclass(frozen=True)
class Place:
    """A model package that a name may mean.

    Attributes:
        name: of its directory, or of its entry point.
        root: its directory; None where an entry point leads to none.
        origin: where it comes from: a directory, a distribution with its version, or ``convertkit``.
        installed: whether an entry point names it.
    """

    name: str
    root: Path | None
    origin: str
    installed: bool = False

    def directory(self) -> Path:
        """Its directory.

        Raises:
            UsageError: its entry point leads to none.
        """
        if self.root is None:
            raise UsageError(
                f"model package {self.name} of {self.origin}: its entry point leads to no model.yaml"
            )
        return self.root


def packages() -> list[Place]:
    """All that have a name, each directory under a name once, in the order in which a name is looked for.

    Those below ``models`` here, those of installed distributions, convertkit's own. None of their code runs.
    """
    known: dict[object, Place] = {}
    for place in (*below(HERE), *_installed(), *below(OURS, "convertkit")):
        known.setdefault((place.name, place.root and place.root.resolve()), place)
    return list(known.values())


def below(directory: Path, origin: str = "") -> list[Place]:
    """The packages in a directory; it is their origin where nothing else is."""
    files = sorted(directory.glob("*/model.yaml"))
    return [Place(file.parent.name, file.parent, origin or str(directory)) for file in files]


def package_named(name: str) -> Path:
    """The directory of the package of that name.

    Raises:
        UnknownNameError: there is none. UsageError: two distributions have it, or one leads nowhere.
    """
    places = packages()
    found = [place for place in places if place.name == name]
    if not found:
        raise UnknownNameError("model package", name, {place.name for place in places})
    first = found[0]
    if first.installed and (others := [place.origin for place in found[1:] if place.installed]):
        raise UsageError(
            f"model package {name} is of {first.origin} and of {', '.join(others)}", hint="give its directory"
        )
    return first.directory()


def locate(word: str) -> Path:
    """The package that ``word`` means: a path, where it holds a separator or a model.yaml, else a name.

    Raises:
        UnknownNameError and UsageError as :func:`package_named`.
    """
    path = Path(word)
    if path.name != word or (path / "model.yaml").is_file():
        return path
    try:
        return package_named(word)
    except UnknownNameError:
        if path.is_dir():  # what opens it says what it lacks
            return path
        raise


def word_for(root: Path) -> str:
    """The shortest word that means a package: the name of one that does not lie here, else its path."""
    mine = next((place for place in packages() if place.root == root), None)
    if mine is None or not root.is_absolute() or locate(mine.name) != root:
        return str(root)
    return mine.name


def _installed() -> Iterator[Place]:
    for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
        origin = f"{point.dist.name} {point.dist.version}" if point.dist else point.value
        yield Place(point.name, _directory(point.value), origin, installed=True)


def _directory(dotted: str) -> Path | None:
    """Where ``lab_models.cats`` lies, by its first part, of which nothing is imported."""
    top, *below = dotted.split(".")
    try:
        spec = importlib.util.find_spec(top)
    except (ImportError, ValueError):  # no name of a module
        return None
    places = [Path(place, *below) for place in (spec and spec.submodule_search_locations) or ()]
    return next((place for place in places if (place / "model.yaml").is_file()), None)
