"""ATC as the core knows it: where it may be, what it makes, and what it must not be told by a stranger's bundle."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from convertkit.api import targets
from convertkit_ascend.bundle.names import OM

if TYPE_CHECKING:
    from convertkit_ascend.atc import Compiler


@dataclass(frozen=True)
class Chosen:
    """ATC at one place, and what it is called in the key of a build."""

    atc: Compiler
    identity: str


@dataclass(frozen=True)
class Atc:
    """Makes the offline model of a bundle for one chip."""

    soc: str
    product: str = OM
    by_hand: str = "on a machine with CANN: sh compile.sh"

    def choose(self, where: str) -> Chosen | None:
        from convertkit_ascend.atc import open_compiler
        from convertkit_ascend.bundle.where import identity

        atc = open_compiler(where)
        return None if atc is None else Chosen(atc, identity(atc))

    def reaching(self, directory: Path) -> tuple[str, ...]:
        from convertkit_ascend.bundle.reach import reaching

        return reaching(directory, self.soc)

    def finish(self, directory: Path, context: targets.CompileContext) -> None:
        from convertkit_ascend.bundle.finish import finish

        if not isinstance(context.compiler, Chosen):
            raise targets.UnavailableError(f"target {self.soc} is set to no compiler")
        finish(directory, context.compiler.atc, context.tell)
