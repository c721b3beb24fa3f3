"""The notebook of the documentation runs from top to bottom."""

from __future__ import annotations

from pathlib import Path

import pytest

TOUR = Path(__file__).parents[1] / "docs" / "tour.ipynb"

nbclient = pytest.importorskip("nbclient", reason="nbclient is not installed")
nbformat = pytest.importorskip("nbformat")
pytest.importorskip("ipykernel", reason="ipykernel is not installed")


def test_the_notebook_is_kept_without_outputs() -> None:
    cells = nbformat.read(TOUR, as_version=4).cells

    assert [cell.id for cell in cells if cell.get("outputs") or cell.get("execution_count")] == []


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of a kernel, which is another program
def test_every_cell_runs_prints_nothing_and_shows_its_record(tmp_path: Path) -> None:
    notebook = nbformat.read(TOUR, as_version=4)

    nbclient.NotebookClient(
        notebook, timeout=600, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}
    ).execute()

    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    assert {output.output_type for output in outputs} == {"execute_result"}
    pages = [output.data["text/html"] for output in outputs if "text/html" in output.data]
    assert len(pages) == 7 and all("<table>" in page for page in pages)
    assert all(output.data["text/plain"] for output in outputs)
    assert sum(page.count('src="data:image/png;base64,') for page in pages) == 2
    assert "unknown variant 'minni'" in outputs[-1].data["text/plain"]
