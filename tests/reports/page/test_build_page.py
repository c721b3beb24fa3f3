"""``convertkit build --report``: the page of a build."""

from __future__ import annotations

import json

import onnx
import pytest

from convertkit.errors import visible
from convertkit.reports.page.blocks import Cell, Table, Words
from convertkit.reports.page.build import _preflight
from tests.reports.page.hostile import NAMES
from tests.reports.page.reading import Elements

pytest.importorskip("jinja2")
pytest.importorskip("matplotlib")


@pytest.mark.slow
def test_a_build_writes_a_page_of_its_passes(cli, tiny, tmp_path):
    page = tmp_path / "page.html"
    done = cli("build", tiny, "--output", tmp_path / "artifact", "--report", page)
    assert done.code == 0 and f"wrote {page}" in done.err
    found = Elements(page.read_text())
    assert found.scripts() == [] and found.outside() == []
    for text in ("Build of tiny small for cpu", "fold-constants", "set-opset-window", "Provenance"):
        assert text in found.text
    manifest = json.loads((tmp_path / "artifact" / "manifest.json").read_text())
    assert {step["key"] for step in manifest["steps"]} <= set(found.text)
    assert page.stat().st_size < 5_000_000


@pytest.mark.slow
def test_names_of_nodes_are_escaped(cli, tiny, tmp_path):
    model = onnx.load(tiny / "small.onnx")
    for node, name in zip(reversed(model.graph.node), NAMES, strict=False):
        node.name = name
    onnx.save(model, tiny / "small.onnx")
    page = tmp_path / "page.html"
    assert cli("build", tiny, "--output", tmp_path / "artifact", "--report", page).code == 0
    found = Elements(page.read_text())
    assert found.scripts() == []
    assert any(visible(NAMES[0]) in text for text in found.text)


def test_nothing_is_built_for_a_page_that_cannot_be_written(cli, tiny, tmp_path):
    done = cli("build", tiny, "--output", tmp_path / "artifact", "--report", "page.pdf")
    assert done.code == 2 and "page.html" in done.err
    assert not (tmp_path / "artifact").exists()
    assert cli("build", tiny, "--dry-run", "--report", "page.html").code == 2


def test_findings_of_one_rule_and_operator_are_one_row(tmp_path):
    finding = {"node": "a", "op": "Resize", "rule": "r", "severity": "warning", "why": "w", "fix": "f"}
    found = {
        "errors": 0,
        "warnings": 2,
        "findings": [finding, {**finding, "node": "b"}],
        "basis": ["a table"],
    }
    (tmp_path / "preflight.json").write_text(json.dumps(found))
    words, table, basis = _preflight(tmp_path)
    assert isinstance(words, Words) and words.tone == "unsure"
    assert isinstance(table, Table) and table.rows == (
        ("2", Cell("warning", "unsure"), "r", "Resize", "w", "f", "a"),
    )
    assert basis == Words("Rests on a table")
