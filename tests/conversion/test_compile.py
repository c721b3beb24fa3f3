"""The last step's scratch directory goes with its process, or with the next build."""

from __future__ import annotations

import os
from pathlib import Path

from convertkit.api.passes import LightModel
from convertkit.api.targets import CompileContext
from convertkit.api.targets import Target as door_Target
from convertkit.conversion.compile import compile_model
from convertkit.conversion.store import Store
from convertkit.targets.context import PLAIN
from tests.graphtext import parse

GRAPH = "(float[4] x) => (float[4] y) { y = Relu(x) }"


class Target(door_Target):
    """One that writes a file."""

    def compile(self, model: LightModel, directory: Path, context: CompileContext) -> None:
        (directory / "compiled").write_bytes(bytes(1000))


class Deadly(Target):
    """One whose compiler takes us along."""

    def compile(self, model: LightModel, directory: Path, context: CompileContext) -> None:
        super().compile(model, directory, context)
        os._exit(1)


def test_what_a_killed_build_leaves_in_the_store_goes_with_the_next(tmp_path: Path) -> None:
    store, model = Store(tmp_path), parse(GRAPH)
    child = os.fork()
    if child == 0:
        compile_model(Deadly("target"), PLAIN, model, "key", store)
    os.waitpid(child, 0)
    assert len(list(tmp_path.iterdir())) == 1

    compile_model(Target("target"), PLAIN, model, "key", store)

    assert [path.name for path in tmp_path.iterdir()] == ["steps"]
