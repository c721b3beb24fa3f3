"""Several profiles of one model: an ordinary artifact of each, below one directory, and a list."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec
from msgspec import Struct

from convertkit.conversion import manifest
from convertkit.conversion.engine import BuildResult, build
from convertkit.conversion.events import Report, silent
from convertkit.conversion.layout import refuse_no_directory
from convertkit.conversion.request import BuildRequest
from convertkit.detection.profiles import Size, parse_size
from convertkit.errors import SpecError, UsageError
from convertkit.storage.files import atomic_write
from convertkit.storage.reading import read_json

NAME = "profiles.json"
FORMAT = 1


class Profile(Struct, frozen=True, forbid_unknown_fields=True):
    """One of them: height and width in pixels, and its directory."""

    size: Size
    directory: str


class Profiles(Struct, frozen=True, forbid_unknown_fields=True):
    """``profiles.json``: what lies beside it, in the order of the variant, which is that of the choice among equals."""

    format: int
    profiles: tuple[Profile, ...]


def places(requests: Sequence[BuildRequest], output: Path | None = None) -> tuple[Path, ...]:
    """The artifact's directory of each request: ``output`` itself, or below it where there are several."""
    if output is None:
        return tuple(request.directory for request in requests)
    return tuple(output / request.profile for request in requests) if len(requests) > 1 else (output,)


def build_profiles(
    requests: Sequence[BuildRequest], output: Path | None = None, *, report: Report = silent
) -> tuple[BuildResult, ...]:
    """Builds each, as :func:`~convertkit.conversion.engine.build` does, and lists them once all are there.

    Raises:
        UsageError: the directory of several has an artifact of one in it, or the other way round.
    """
    directories = places(requests, output)
    _refuse_other_kind(directories)
    pairs = zip(requests, directories, strict=True)
    results = tuple(build(request, directory, report=report) for request, directory in pairs)
    if len(requests) > 1:
        sizes = [request.variant.spec.size for request in requests]
        listed = (Profile(size, place.name) for size, place in zip(sizes, directories, strict=True))
        text = msgspec.json.format(msgspec.json.encode(Profiles(FORMAT, tuple(listed))), indent=1)
        atomic_write(directories[0].parent / NAME, text + b"\n")
    return results


def listed(directory: Path) -> tuple[Path, ...]:
    """The artifacts' directories where ``directory`` holds several, else none.

    Raises:
        SpecError: its list is damaged, or of a format that this convertkit does not know.
    """
    path = directory / NAME
    if not path.is_file():
        return ()
    found = read_json(path, Profiles, "a list of profiles", error=SpecError)
    names = [profile.directory for profile in found.profiles]
    if found.format != FORMAT or not all(map(parse_size, names)):
        raise SpecError(f"{path}: not a list of profiles that this convertkit knows")
    return tuple(directory / name for name in names)


def _refuse_other_kind(directories: Sequence[Path]) -> None:
    """An artifact of one size and the list of several in one directory would each be taken for the other."""
    several = len(directories) > 1
    root = directories[0].parent if several else directories[0]
    refuse_no_directory(root)
    if (other := root / (manifest.NAME if several else NAME)).is_file():
        what = "one size" if several else "several profiles"
        raise UsageError(
            f"{root} holds an artifact of {what} ({other.name})", hint="remove it, or choose another --output"
        )
