"""Files on the disk: external data, sizes, and files that are none."""

from __future__ import annotations

from pathlib import Path

import onnx
import pytest
from convertkit_ascend.linter.examination import examine
from convertkit_ascend.linter.read import MOST_BYTES
from convertkit_ascend.linter.rules.file import file_size
from convertkit_ascend.linter.subject import Subject
from onnx import TensorProto

from convertkit.api.targets import LintFinding
from convertkit.errors import GraphError, UnknownNameError
from tests.ascend.linter.cases import ADD, NMS, RELU, ROI, external
from tests.ascend.linter.graphs import lint, named


def with_external(path: Path, location: str, **extent: int) -> Path:
    """ADD with its weight, 8 bytes, in another file."""
    model = named(ADD).proto
    external(location)(model)
    for key, value in extent.items():
        model.graph.initializer[0].external_data.add(key=key, value=str(value))
    path.write_bytes(model.SerializeToString())
    return path


def rules(found: tuple[LintFinding, ...]) -> list[str]:
    return [item.rule for item in found]


def test_external_data_beside_the_model_is_fine(tmp_path: Path) -> None:
    (tmp_path / "w.bin").write_bytes(bytes(12))

    assert lint(with_external(tmp_path / "m.onnx", "w.bin", offset=4, length=8)) == ()


@pytest.mark.parametrize(
    ("extent", "why"),
    [
        ({"offset": 8}, "w.bin has 12 bytes, the tensor wants 8 from 8 on"),
        ({"offset": -4}, "w.bin has 12 bytes"),
        ({"length": 4}, "4 bytes in w.bin do not fill the shape"),
    ],
)
def test_external_data_must_be_all_there(tmp_path: Path, extent: dict[str, int], why: str) -> None:
    (tmp_path / "w.bin").write_bytes(bytes(12))

    (found,) = lint(with_external(tmp_path / "m.onnx", "w.bin", **extent))

    assert found.rule == "external-missing"
    assert found.why.startswith(why)


@pytest.mark.parametrize("location", ["../w.bin", "a/../../w.bin", "/etc/passwd", "C:\\w.bin", "..\\w.bin"])
def test_a_location_that_leaves_the_directory_is_not_opened(
    tmp_path: Path, location: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside = tmp_path / "model"
    inside.mkdir()
    (tmp_path / "w.bin").write_bytes(bytes(8))
    path = with_external(inside / "m.onnx", location)
    opened: list[str] = []
    real = Path.open
    monkeypatch.setattr(
        Path, "open", lambda self, *rest, **more: opened.append(self.name) or real(self, *rest, **more)
    )

    found = lint(path)

    assert rules(found) == ["external-outside"]
    assert set(opened) <= {"m.onnx"}


def test_a_link_out_of_the_directory_is_outside(tmp_path: Path) -> None:
    inside = tmp_path / "model"
    inside.mkdir()
    (tmp_path / "w.bin").write_bytes(bytes(8))
    (inside / "link.bin").symlink_to(tmp_path / "w.bin")

    assert rules(lint(with_external(inside / "m.onnx", "link.bin"))) == ["external-outside"]


@pytest.mark.parametrize("location", ["", ".", "loop.bin", "x" * 300, "sha256-" + "0" * 64])
def test_places_without_a_file_are_missing(tmp_path: Path, location: str) -> None:
    (tmp_path / "loop.bin").symlink_to(tmp_path / "loop.bin")

    assert rules(lint(with_external(tmp_path / "m.onnx", location))) == ["external-missing"]


def test_while_data_is_missing_nothing_is_said_about_types(tmp_path: Path) -> None:
    report = examine(with_external(tmp_path / "m.onnx", "w.bin"))

    assert "not looked at" in report.basis[-1]


@pytest.mark.parametrize(
    ("size", "broken"), [(0, True), (1, False), (MOST_BYTES, False), (MOST_BYTES + 1, True)]
)
def test_the_size_of_a_file(size: int, broken: bool) -> None:
    found = list(file_size.findings(Subject(named(RELU).proto, size)))

    assert [item.rule for item in found] == ["file-size"] * broken


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "huge.onnx").open("wb") as stream:
        stream.truncate(MOST_BYTES + 1)

    assert rules(lint(tmp_path / "huge.onnx")) == ["file-size"]


def test_an_empty_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "m.onnx").write_bytes(b"")

    assert rules(lint(tmp_path / "m.onnx")) == ["file-size"]


@pytest.mark.parametrize("data", [b"no model", b"\x0a\xff", b"\x08\x07"])
def test_a_file_that_is_no_model_is_one_line(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "m.onnx").write_bytes(data)

    with pytest.raises(GraphError, match="not an ONNX"):
        lint(tmp_path / "m.onnx")


def test_a_missing_file_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(GraphError, match="no such file"):
        lint(tmp_path / "m.onnx")


def test_nodes_may_stand_in_any_order() -> None:
    model = named(ADD).proto
    nodes = [onnx.NodeProto.FromString(node.SerializeToString()) for node in reversed(model.graph.node)]
    del model.graph.node[:]
    model.graph.node.extend(nodes)

    assert lint(model) == ()


def test_what_is_examined_is_not_changed() -> None:
    model = named(ADD)
    before = model.proto.SerializeToString(deterministic=True)

    lint(model)
    lint(model.proto)

    assert model.proto.SerializeToString(deterministic=True) == before


def test_names_with_control_characters_stay_on_one_line() -> None:
    model = named("(int64[2] x) => (int64[2] y) { y = Neg (x) }").proto
    model.graph.node[0].name = "a\nb\x1b[2J"
    model.graph.node[0].op_type = "Lo\top"

    assert all(str(item).isprintable() for item in lint(model))
    assert [item.node for item in lint(model) if item.rule == "op-unknown"] == ["a\\nb\\x1b[2J"]


def test_a_rule_can_be_allowed() -> None:
    model = named(RELU).proto
    model.graph.input.add(name="spare").type.tensor_type.elem_type = TensorProto.FLOAT

    found = rules(lint(model))

    assert "input-unused" in found
    assert "input-unused" not in rules(lint(model, allow={"input-unused"}))


def test_a_chip_that_is_none_is_refused() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'ascend310p"):
        lint(named(RELU), "ascend310p4")


@pytest.mark.parametrize(
    "text",
    [
        "(float[2,4] r, float[2,4] d) => (float[2,4] y) { y = BoundingBoxDecode <max_shape = [8, 8]> (r, d) }",
        NMS.replace("BatchMultiClassNMS <", "NPUBatchNms <change_coordinate_frame = 0, transpose_box = 0, "),
        NMS,
        ROI,
    ],
)
def test_operators_that_only_the_vendor_has_are_known(text: str) -> None:
    assert lint(named(text)) == ()
