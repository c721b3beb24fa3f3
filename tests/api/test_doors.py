"""The public door: what plugin authors see, and what it costs."""

from __future__ import annotations

import importlib
import subprocess
import sys

import pytest

PARTS = (
    "passes",
    "patterns",
    "targets",
    "models",
    "graphs",
    "heads",
    "system",
    "testing",
    "adapters",
    "errors",
)
HEAVY = ("numpy", "onnx", "onnx_graphsurgeon", "onnxruntime", "cv2", "msgspec", "pluggy", "typer")


@pytest.mark.parametrize("part", PARTS)
def test_every_name_of_a_part_is_there(part: str) -> None:
    module = importlib.import_module(f"convertkit.api.{part}")

    found = {name: getattr(module, name) for name in module.__all__}

    assert found
    assert dir(module) == module.__all__
    assert [name for name, value in found.items() if value is None] == []


def test_one_name_is_one_thing_in_every_part() -> None:
    modules = [importlib.import_module(f"convertkit.api.{part}") for part in PARTS]

    for name in {name for module in modules for name in module.__all__}:
        assert len({id(getattr(module, name)) for module in modules if name in module.__all__}) == 1, name


def test_a_name_that_is_not_there_is_said_as_python_says_it() -> None:
    module = importlib.import_module("convertkit.api.passes")

    with pytest.raises(AttributeError, match=r"module 'convertkit.api.passes' has no attribute 'GraphPas'"):
        module.GraphPas  # noqa: B018


def test_a_part_costs_next_to_nothing() -> None:
    names = ", ".join(f"convertkit.api.{part}" for part in PARTS)

    code = f"import sys, {names}; print([name for name in {HEAVY!r} if name in sys.modules])"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert ended.stdout.strip() == "[]"


def test_who_writes_a_pass_sees_a_dozen_names() -> None:
    names = importlib.import_module("convertkit.api.passes").__all__

    assert len(names) <= 13, names
