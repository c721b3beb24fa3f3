"""``convertkit verify --report``: the page of a verification."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from convertkit.errors import GraphError, visible
from convertkit.reports.page.blocks import Cell, Picture, Words
from convertkit.reports.page.photos import disagreements, pictures
from convertkit.reports.page.verify import MOST_CURVES, _chosen, _steps, summary
from convertkit.rungs import subjects
from convertkit.rungs.rung import Rung
from convertkit.scoring.intervals import Difference, Estimate
from convertkit.verification.data import Source
from convertkit.verification.judge import Verdict
from tests.cli.test_verify_datasets import Verify
from tests.conftest import Cli
from tests.finder import dataset, write_finder, write_photos
from tests.reports.page.hostile import NAMES
from tests.reports.page.reading import Elements

pytest.importorskip("jinja2")
pytest.importorskip("matplotlib")


@pytest.mark.slow
def test_a_verification_writes_a_page_of_its_rungs(cli: Cli, tmp_path: Path) -> None:
    data = dataset()
    cat, light, dog = NAMES[:3]
    for category, name in zip(data["categories"], (cat, light, dog), strict=False):
        category["name"] = name
    verify = Verify(
        cli, write_finder(tmp_path / "finder", classes=(cat, light, dog)), write_photos(tmp_path / "photos")
    )
    page = tmp_path / "page.html"

    done = verify(data, "--runtime", "target", "--report", page, "--per-class")

    assert done.code == 0 and f"wrote {page}" in done.err
    found = Elements(page.read_text())
    assert found.scripts() == [] and found.outside() == []
    for text in ("Accuracy of finder small on cpu", "Ladder", "Confusion", "Precision over recall"):
        assert text in found.text
    assert "tensors go beyond fp16, whose largest number is 65,504" in " ".join(found.text)
    assert any(visible(cat) in text for text in found.text)
    assert "stock and target differ on 0 of 2 photos" in " ".join(found.text)


@pytest.mark.slow
def test_a_rung_that_fails_says_why(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    verify = Verify(cli, write_finder(tmp_path / "finder"), write_photos(tmp_path / "photos"))
    makes, page = subjects.graph_after, tmp_path / "page.html"

    def made(request: Any, passes: int, **words: Any) -> Any:
        if passes:
            raise GraphError("tensor '<b>' is the first beyond fp16's 65504")
        return makes(request, passes, **words)

    monkeypatch.setattr(subjects, "graph_after", made)
    verify(dataset(), "--runtime", "after:set-opset-window", "--report", page)
    text = " ".join(Elements(page.read_text()).text)
    assert "after:set-opset-window failed: tensor '<b>' is the first beyond fp16's 65504" in text
    assert "Two measured rungs are needed to disagree." in text


def test_photos_are_in_the_order_of_what_differs(tmp_path: Path) -> None:
    import json

    photos = write_photos(tmp_path / "photos")
    (tmp_path / "instances.json").write_text(json.dumps(dataset()))
    data = Source(tmp_path / "instances.json", photos, own=False).open(None)
    first, second = data.images
    kind = data.found.categories[0].id
    box = {"category_id": kind, "bbox": [2, 2, 8, 8], "score": 0.9}

    def write(name: str, *results: dict[str, object]) -> Path:
        path = tmp_path / name
        path.write_text("\n".join(map(json.dumps, results)))
        return path

    stock = write("a", {**box, "image_id": first.id}, {**box, "image_id": second.id})
    other = write(
        "b", {**box, "image_id": first.id, "score": 0.8}, {**box, "image_id": second.id, "score": 0.3}
    )

    assert [one.image for one in disagreements(data, [stock, other])] == [second, first]
    assert disagreements(data, [stock, stock]) == []

    worst, least = disagreements(data, [stock, other])
    worst.image.path.unlink()
    named, drawn = pictures([worst, least], ("one", "other"), ["cat"] * 9)
    assert isinstance(named, Words) and named.text.startswith(f"{worst.image}: one has 1 detections")
    assert isinstance(drawn, Picture) and drawn.said.startswith(str(least.image))


def test_a_difference_stands_with_both_ends_of_its_interval() -> None:
    estimate = Estimate(0.0038, 0.0016, -0.0001, 0.006)
    (row,) = _steps([Difference("b", "a", "bbox", "AP", estimate)]).rows
    assert row[3:] == ("+0.0038", "-0.0001 to +0.0060", Cell("within chance"))


def rung(name: str, value: float) -> Rung:
    return Rung(name, {"bbox": {"AP": value}}, 1)


def test_the_first_the_last_and_what_differs_most_are_drawn() -> None:
    rungs = [rung(f"r{place}", 0.5 + 0.01 * place) for place in range(MOST_CURVES + 2)]
    assert _chosen(rungs[:MOST_CURVES]) == [one.name for one in rungs[:MOST_CURVES]]
    assert _chosen(rungs) == ["r0", "r3", "r4", "r5", "r6", "r7"]
    assert _chosen([]) == []


@pytest.mark.parametrize(
    ("verdict", "tone"),
    [
        (Verdict(True, True), "good"),
        (Verdict(True, False), "bad"),
        (Verdict(False, True, "other photos"), "unsure"),
    ],
)
def test_the_verdict_in_a_line(verdict: Verdict, tone: str) -> None:
    assert summary(verdict).tone == tone


def test_a_shard_has_no_page(cli: Cli, tmp_path: Path) -> None:
    verify = Verify(cli, write_finder(tmp_path / "finder"), write_photos(tmp_path / "photos"))
    done = verify(dataset(), "--shard", "1/2", "--report", tmp_path / "page.html")
    assert done.code == 2
    assert "--report has no meaning for a shard, of which nothing is concluded" in done.err
