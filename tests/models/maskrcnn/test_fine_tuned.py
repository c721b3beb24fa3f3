"""mini, fine-tuned by mmdet's own trainer for classes that nobody else has, through the ladder."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from bench import finetune
from convertkit.models.package import read_spec
from tests.conftest import MASKRCNN, Cli

pytestmark = [pytest.mark.slow, pytest.mark.export]

SCENES, HELD_OUT = 48, 8
"""A minute of training, which finds some of the drawings; ``bench.finetune`` has the figures of more."""


@pytest.fixture(scope="module")
def variant(
    export_python: Path, pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Trained once, and kept in pytest's cache as long as what trains it stays."""
    if pytestconfig.cache is None:
        return finetune.fine_tuned(
            tmp_path_factory.mktemp("mine"), export_python, scenes=SCENES, epochs=1, held_out=HELD_OUT
        )
    key = hashlib.sha256(Path(finetune.__file__).read_bytes() + str(export_python).encode()).hexdigest()[:12]
    kept = Path(pytestconfig.cache.mkdir(f"fine-tuned-{key}-{SCENES}"))
    if not (kept / "mine.yaml").exists():  # written last
        finetune.fine_tuned(kept, export_python, scenes=SCENES, epochs=1, held_out=HELD_OUT)
    return kept / "mine.yaml"


def test_a_dozen_lines_say_all_of_it(variant: Path) -> None:
    assert len(variant.read_text().splitlines()) <= 12
    assert not set(finetune.CLASSES) & set(read_spec(MASKRCNN).classes)


def test_the_rungs_of_its_ladder_agree(cli: Cli, variant: Path, export_python: Path) -> None:
    asked = ["-V", variant, "--target", "ascend310p3", "--python", export_python, "-o", "out", "--json"]

    done = cli("verify", MASKRCNN, *asked, "--runtime", "framework", "--runtime", "twin:framework")

    assert done.code == 0, done.err
    framework, twin = (rung["scores"] for rung in done.json["rungs"])
    for task in ("bbox", "segm"):
        assert framework[task]["AP50"] > 0.1
        assert twin[task]["AP"] == pytest.approx(framework[task]["AP"], abs=0.005)
