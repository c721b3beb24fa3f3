"""Models past protobuf's limit: weights beside the graph, both or neither."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest

from convertkit.errors import GraphError, StoreError
from convertkit.graph import io
from convertkit.graph.light import detach
from convertkit.storage.files import sha256_file
from tests.conftest import Cli
from tests.tiny import tiny_model

WEIGHTS = 16 * 3 * 4 * 4 * 4


def pointing(path: Path, size: int, tensors: int, **facts: int) -> Path:
    """A graph whose tensors all have their bytes in ``w.bin``, a sparse file of ``size`` bytes."""
    proto = tiny_model()
    tensor = proto.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    for key, value in {"location": "w.bin", **facts}.items():
        tensor.external_data.add(key=key, value=str(value))
    for number in range(tensors - 1):
        more = proto.graph.initializer.add()
        more.CopyFrom(tensor)
        more.name = f"more{number}"
    path.write_bytes(proto.SerializeToString())
    with (path.parent / "w.bin").open("wb") as stream:
        stream.truncate(size)
    return path


@pytest.mark.parametrize(
    ("size", "tensors", "facts"),
    [
        (1 << 40, 1, {}),
        (1 << 40, 1, {"offset": 4096}),
        (1 << 40, 1, {"length": 1 << 39}),
        (4096, 1, {"length": 1 << 62}),
        (1 << 28, 64, {}),
    ],
    ids=["holes", "after an offset", "a length", "a length beyond the file", "shared bytes"],
)
def test_external_data_of_holes_or_shared_bytes_is_not_read_without_bound(
    tmp_path: Path, size: int, tensors: int, facts: dict[str, int]
) -> None:
    path = pointing(tmp_path / "a.onnx", size, tensors, **facts)

    with pytest.raises(GraphError, match=r"bytes are asked for, 0 are on the disk"):
        io.load(path)


@pytest.fixture
def little(monkeypatch: pytest.MonkeyPatch) -> None:
    """protobuf's limit, so small that the tiny model's weights pass it and its graph does not."""
    monkeypatch.setattr(io, "MAX_PROTO", 2000)


def test_what_fits_is_one_file(tmp_path: Path) -> None:
    model = detach(tiny_model())

    assert io.save(model, tmp_path / "a.onnx") == (tmp_path / "a.onnx",)
    assert [path.name for path in tmp_path.iterdir()] == ["a.onnx"]


@pytest.mark.usefixtures("little")
def test_what_does_not_fit_has_its_weights_beside_it(tmp_path: Path) -> None:
    model = detach(tiny_model())

    graph, weights = io.save(model, tmp_path / "a.onnx")

    assert weights.name.startswith("a.onnx.")
    assert weights.stat().st_size == WEIGHTS
    assert graph.stat().st_size < 1000
    assert io.load(graph).digest() == model.digest()
    onnx.checker.check_model(str(graph), full_check=True)
    photo = {"image": np.ones((1, 3, 8, 8), np.float32)}
    (alone,), (beside,) = (
        onnxruntime.InferenceSession(source).run(None, photo)
        for source in (tiny_model().SerializeToString(), graph)
    )
    assert np.array_equal(alone, beside)


def test_what_fits_again_takes_the_weights_of_the_graph_before_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as small:
        small.setattr(io, "MAX_PROTO", 2000)
        io.save(detach(tiny_model(seed=1)), tmp_path / "a.onnx")
    (tmp_path / "a.onnx.data").write_bytes(b"somebody's")

    io.save(detach(tiny_model()), tmp_path / "a.onnx")

    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.onnx", "a.onnx.data"]


@pytest.mark.usefixtures("little")
def test_equal_weights_are_written_once(tmp_path: Path) -> None:
    model = tiny_model()
    twin = model.graph.initializer.add()
    twin.CopyFrom(model.graph.initializer[0])
    twin.name = "twin"

    _, weights = io.save(detach(model), tmp_path / "a.onnx")

    assert weights.stat().st_size == WEIGHTS


@pytest.mark.usefixtures("little")
def test_the_weights_of_the_graph_before_go_and_strangers_stay(tmp_path: Path) -> None:
    _, old = io.save(detach(tiny_model(0)), tmp_path / "a.onnx")
    for name in ("b.onnx.0123456789ab.data", "a.onnx.data"):
        (tmp_path / name).touch()

    _, new = io.save(detach(tiny_model(1)), tmp_path / "a.onnx")

    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == sorted(["a.onnx", "a.onnx.data", "b.onnx.0123456789ab.data", new.name])
    assert old != new
    assert io.load(tmp_path / "a.onnx").digest() == detach(tiny_model(1)).digest()


@pytest.mark.usefixtures("little")
def test_a_disk_that_fills_between_the_two_files_leaves_the_old_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    io.save(detach(tiny_model(0)), tmp_path / "a.onnx")
    before = sha256_file(tmp_path / "a.onnx")
    write = io.write_external.__globals__["atomic_write"]

    def fails(path: Path, data: object) -> None:
        if path.suffix == ".onnx":
            raise StoreError("full")
        write(path, data)

    monkeypatch.setitem(io.write_external.__globals__, "atomic_write", fails)
    with pytest.raises(StoreError):
        io.save(detach(tiny_model(1)), tmp_path / "a.onnx")

    assert sha256_file(tmp_path / "a.onnx") == before
    assert io.load(tmp_path / "a.onnx").digest() == detach(tiny_model(0)).digest()


def test_a_graph_that_does_not_fit_by_itself_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(io, "MAX_PROTO", 100)

    with pytest.raises(GraphError, match=r"a\.onnx: \d+ bytes do not fit into one ONNX file of 2 GiB"):
        io.save(detach(tiny_model()), tmp_path / "a.onnx")

    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("little")
def test_opt_names_both_files(cli: Cli, tmp_path: Path) -> None:
    onnx.save(tiny_model(), tmp_path / "in.onnx")

    done = cli("opt", "in.onnx", "-p", "fold-constants", "-o", "out.onnx")
    again = cli("opt", "out.onnx", "-p", "cast-int64-to-int32", "-o", "out.onnx", "--json")

    (weights,) = Path().glob("out.onnx.*.data")
    assert done.out.startswith(f"wrote out.onnx and {weights} (3 kB, ")
    assert again.json["files"] == ["out.onnx", str(weights)]


@pytest.mark.usefixtures("little")
def test_an_artifact_holds_both_files_and_is_checked_by_both(cli: Cli, tiny: Path) -> None:
    done = cli("build", tiny, "--zip")
    names = sorted(path.name for path in Path("build/tiny-small-cpu").iterdir())

    again = cli("build", tiny)
    (weights,) = Path("build/tiny-small-cpu").glob("*.data")
    weights.write_bytes(bytes(weights.stat().st_size))
    broken = cli("replay", "build/tiny-small-cpu/manifest.json")

    assert done.code == 0
    assert names == ["manifest.json", "model.onnx", weights.name]
    assert again.out.startswith("up to date")
    assert (broken.code, f"{weights.name} does not match its sha256" in broken.out) == (1, True)
