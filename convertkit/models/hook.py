"""The export hook of a package: its own, or that of another package which it names."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from convertkit.errors import SpecError, UnknownNameError, UsageError
from convertkit.models.known import OURS
from convertkit.models.package import read_spec

if TYPE_CHECKING:
    from convertkit.models.spec import EnvironmentSpec, ModelSpec


@dataclass(frozen=True)
class Hook:
    """What exports a package's graphs.

    Attributes:
        name: what the environment is called after: the package it belongs to, and its name there.
        root: of that package: the directory that paths start from.
        worker: the script.
        opset: of the package that asks.
        standalone: whether the worker takes some tasks without its framework.
    """

    name: str
    root: Path
    worker: Path
    environment: EnvironmentSpec
    opset: int
    standalone: bool

    def script(self) -> Path:
        """The worker, to be run.

        Raises:
            SpecError: it is missing.
        """
        if not self.worker.is_file():
            raise SpecError(f"{self.root / 'model.yaml'}: export worker {self.worker} is missing")
        return self.worker


def hook_of(root: Path, spec: ModelSpec, env: str | None = None) -> Hook:
    """The hook of the package in ``root``, with the environment of that name; its own without one.

    A name is looked for beside the package, then among those of convertkit.

    Raises:
        UsageError: the package exports nothing. UnknownNameError: no package or environment of that name is there.
            SpecError: the other package has none of its own either.
    """
    own = spec.export
    if own is None:
        raise UsageError(
            f"model package {spec.name} exports nothing: it has no `export`",
            hint="its graphs are files, the `stock` of its variants",
        )
    home, owner = (root, spec) if own.like is None else _other(root, own.like)
    found = owner.export
    if found is None or found.worker is None or found.environment is None:
        raise SpecError(f"{home / 'model.yaml'}: export: it has no worker and environment of its own")
    if env is not None and env not in found.environments:
        raise UnknownNameError("export environment", env, found.environments)
    name = owner.name if env is None else f"{owner.name}-{env}"
    environment = found.environment if env is None else found.environments[env]
    return Hook(name, home, home / found.worker, environment, own.opset, found.standalone)


def _other(root: Path, name: str) -> tuple[Path, ModelSpec]:
    places = (Path(root).resolve().parent, OURS)
    for place in places:
        if (place / name / "model.yaml").is_file():
            return place / name, read_spec(place / name)
    known = [path.parent.name for place in places for path in sorted(place.glob("*/model.yaml"))]
    raise UnknownNameError("model package", name, known)
