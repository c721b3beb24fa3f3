"""What a bundle from elsewhere can have ATC do here.

ATC is given nothing but files of the bundle, in a directory of its own, and leaves its model there. By a few options it
writes elsewhere too; and what an option does that convertkit does not know, nobody knows.
"""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from convertkit.api import targets
from convertkit_ascend import socs
from convertkit_ascend.bundle import atc_json
from convertkit_ascend.bundle.names import OPTIONS

PATHS = ("op_compiler_cache_dir", "debug_dir")


def reaching(directory: Path, target: str) -> tuple[str, ...]:
    """The options that reach out of the directory ATC works in, as a command line has them.

    Raises:
        UsageError: ``atc.json`` cannot be read, is for another chip, or asks for what is no bundle any more.
    """
    options = atc_json.read(directory).options
    chip = socs.get(target).soc_version
    if options.soc_version != chip:
        raise targets.UsageError(
            f"{directory / OPTIONS} is for {options.soc_version}, the artifact for {chip}",
            hint="build it again",
        )
    if options.external_weight:
        raise targets.UsageError(
            f"{directory / OPTIONS}: external_weight leaves weights beside the model",
            hint="build it again",
        )
    named = {name: getattr(options, name) for name in PATHS}
    outside = [f"--{name}={place}" for name, place in named.items() if place and _leaves(place)]
    return (*outside, *(f"--{name.removeprefix('--')}={value}" for name, value in options.extra.items()))


def _leaves(place: str) -> bool:
    path = PurePosixPath(place)
    return path.is_absolute() or ".." in path.parts or "~" in place or "$" in place
