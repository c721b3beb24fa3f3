"""Every pass that is registered goes through the conformance kit; a new one does so by itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from convertkit.api.testing import assert_conforms
from convertkit.plugins.loading import open_plugins
from tests.passes.testing import ours

pytestmark = pytest.mark.slow

NAMES = sorted(entry.name for entry in open_plugins().passes)


@pytest.fixture(autouse=True)
def onnxsim_in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """A child for each of 200 runs takes minutes; tests/passes/test_simplify.py is about the child."""
    from convertkit_passes import _simplify_child, simplify

    def run(argv: list[Any], **_: Any) -> None:
        source, target, options = argv[3:]
        Path(target).write_bytes(_simplify_child.simplify(Path(source).read_bytes(), **json.loads(options)))

    monkeypatch.setattr(simplify.system, "run_child", run)


@pytest.mark.parametrize("name", NAMES)
def test_a_pass_conforms(name: str) -> None:
    graphs = list(ours.graphs_for(name))

    report = assert_conforms(
        ours.step_of(name), graphs, exempt=ours.GIVEN.get(name, ours.Given()).exempt, examples=15
    )

    assert report.row("processes").status == ("holds" if report.changed else "not tried")
