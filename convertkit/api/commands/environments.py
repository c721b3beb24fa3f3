"""The export environments, each with a framework in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from msgspec import Struct

from convertkit.api.commands.pages import Block, Shown, Table
from convertkit.api.commands.places import Place, located, path_of
from convertkit.api.commands.telling import EnvironmentTelling
from convertkit.exporting import inventory
from convertkit.exporting.state import Status


class Environments(Shown, tuple[Status, ...]):
    """``env list``."""

    def page(self) -> Iterator[Block]:
        rows = [[status.name, status.phase, str(status.directory)] for status in self]
        none = "no export environment yet; convertkit env build MODEL makes one"
        yield Table(["environment", "state", "directory"], rows) if rows else none


class Environment(Shown, Struct, frozen=True):
    """``env build``."""

    python: str
    directory: str

    def page(self) -> Iterator[Block]:
        yield f"ready: {self.python}"


class Removed(Shown, Struct, frozen=True):
    """``env remove``."""

    directory: str

    def page(self) -> Iterator[Block]:
        yield f"removed {self.directory}"


def environments() -> Environments:
    """Those on this machine, and how complete they are."""
    return Environments(inventory.list_environments())


def build_environment(
    model: Place,
    *,
    python: Place | None = None,
    env: str | None = None,
    line: Callable[[str], None],
    moving: Callable[[str], None] | None = None,
) -> Environment:
    """Builds a model package's export environment, or finishes it.

    Args:
        python: the interpreter to make it from; by default the one convertkit runs in.
        env: which of the package's environments; by default its own.
        line, moving: as :class:`EnvironmentTelling` takes them.
    """
    from convertkit.exporting import environment
    from convertkit.models.hook import hook_of
    from convertkit.models.package import read_spec

    root = located(str(model))
    hook = hook_of(root.resolve(), read_spec(root), env)
    made = environment.Environment.of(hook.name, hook.environment, hook.root, base_python=path_of(python))
    found = made.ensure(
        on_progress=EnvironmentTelling(line, moving), on_wait=lambda phrase: line(f"waiting: {phrase}")
    )
    return Environment(str(found), str(made.directory))


def remove_environment(name: str) -> Removed:
    """Removes an environment and everything in it."""
    return Removed(str(inventory.remove(name)))
