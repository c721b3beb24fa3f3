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
def tools_in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """A child for each of 200 runs takes minutes; other tests are about the children."""
    from convertkit_passes import _simplify_child, simplify

    real = simplify.system.run_child

    def run(argv: list[Any], **words: Any) -> Any:
        kind, (source, target, options) = (
            argv[2].rpartition(".")[2],
            argv[3:6] if len(argv) == 6 else [None] * 3,
        )
        if kind == "_simplify_child":
            made = _simplify_child.simplify(Path(source).read_bytes(), **json.loads(options))
            return Path(target).write_bytes(made)
        if kind == "_onnxoptimizer_child":
            from convertkit_passes import _onnxoptimizer_child

            return _onnxoptimizer_child.main(Path(source), Path(target), json.loads(options))
        return real(argv, **words)

    monkeypatch.setattr(simplify.system, "run_child", run, raising=False)


@pytest.mark.parametrize("name", NAMES)
def test_a_pass_conforms(name: str) -> None:
    given = ours.GIVEN.get(name, ours.Given())
    if given.needs:
        pytest.importorskip(given.needs)
    graphs = list(ours.graphs_for(name))

    report = assert_conforms(ours.step_of(name), graphs, exempt=given.exempt, examples=15)

    assert report.row("processes").status == ("holds" if report.changed else "not tried")
