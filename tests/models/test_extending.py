"""A variant's file that says only what it has otherwise than another variant."""

from __future__ import annotations

from pathlib import Path

import pytest

from convertkit.errors import SpecError, UnknownNameError
from convertkit.models.package import Variant
from convertkit.plugins.loading import open_plugins
from convertkit.plugins.packages import open_package

MASKRCNN = Path(__file__).parents[2] / "models" / "maskrcnn"


def variant(file: Path, *lines: str) -> Variant:
    file.write_text("\n".join(lines))
    return open_package(MASKRCNN, open_plugins()).variant(str(file))


def test_what_is_left_out_is_that_of_the_other(tmp_path: Path) -> None:
    found = variant(tmp_path / "mine.yaml", "extends: mini", "size: [320, 320]", "passes: [prune-mask-head]")

    assert found.spec.passes == ("prune-mask-head",) and found.spec.extends is None
    assert found.path(found.spec.stock or "") == MASKRCNN / "mini" / "mini.onnx"
    assert found.path(found.spec.weights.path or "") == MASKRCNN / "mini" / "mini.pth"
    assert found.spec.dataset is not None and found.spec.dataset.generator == "mini/scenes.py:write_dataset"
    assert found.spec.accuracy.bbox == {"AP": 0.7041}


def test_the_size_is_left_out_as_well(tmp_path: Path) -> None:
    found = variant(tmp_path / "mine.yaml", "extends: mini").spec

    assert found.size == (320, 320) and found.stock is not None


@pytest.mark.parametrize("line", ["batch: 4", "weights: {path: other.pth}", "config: {base: other.py}"])
def test_a_stock_graph_is_not_taken_for_something_else(tmp_path: Path, line: str) -> None:
    assert variant(tmp_path / "mine.yaml", "extends: mini", "size: [320, 320]", line).spec.stock is None


def test_nor_for_another_size_and_neither_is_a_measured_speed(tmp_path: Path) -> None:
    assert variant(tmp_path / "mine.yaml", "extends: mini", "size: [320, 256]").spec.stock is None
    assert variant(tmp_path / "mine.yaml", "extends: r50-fpn-1x", "size: [1216, 1216]").spec.performance == {}


def test_a_file_may_extend_a_file_beside_it(tmp_path: Path) -> None:
    (tmp_path / "deeper").mkdir()
    (tmp_path / "deeper" / "base.yaml").write_text("extends: mini\nsize: [320, 320]\nstock: its.onnx\n")

    found = variant(tmp_path / "mine.yaml", "extends: deeper/base.yaml", "size: [320, 320]")

    assert found.path(found.spec.stock or "") == tmp_path / "deeper" / "its.onnx"


def test_what_is_said_holds_though_it_is_what_would_be_without_the_other(tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text(
        "extends: mini\nsize: [320, 320]\nbatch: 4\npasses: [prune-mask-head]\n"
    )

    found = variant(
        tmp_path / "mine.yaml", "extends: base.yaml", "size: [320, 320]", "batch: 1", "passes: []"
    )

    assert (found.spec.batch, found.spec.passes) == (1, ())


def test_a_circle_and_an_unknown_one_are_one_line(tmp_path: Path) -> None:
    (tmp_path / "other.yaml").write_text("extends: mine.yaml\nsize: [320, 320]\n")

    with pytest.raises(SpecError, match=r"mine\.yaml: extends itself, by way of .*other\.yaml"):
        variant(tmp_path / "mine.yaml", "extends: other.yaml", "size: [320, 320]")
    with pytest.raises(
        UnknownNameError, match=r"mine\.yaml, extends: unknown variant 'minni' .did you mean 'mini'"
    ):
        variant(tmp_path / "mine.yaml", "extends: minni")


def test_a_specification_does_not_extend(tiny: Path) -> None:
    text = (tiny / "model.yaml").read_text()
    (tiny / "model.yaml").write_text(text.replace("stock: small.onnx}", "stock: small.onnx, extends: small}"))

    with pytest.raises(SpecError, match="variant small: `extends` is for a variant in a file of its own"):
        open_package(tiny, open_plugins())
