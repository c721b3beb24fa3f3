"""Finding result files: old and new layouts (facts 1.6, 4.5), exact names, and everything that may be wrong."""

from __future__ import annotations

import numpy as np
import pytest

from convertkit.errors import UsageError
from convertkit.workflow.interface import parse_shapes
from convertkit.workflow.result_files import ResultFiles

OUTPUTS = parse_shapes("dets=float32:2x5,labels=int32:2")


def fill(directory, *stems, suffix="bin"):
    directory.mkdir(parents=True, exist_ok=True)
    for number, stem in enumerate(stems):
        arrays = (np.full((2, 5), number, np.float32), np.full(2, number, np.int32))
        for index, array in enumerate(arrays):
            path = directory / f"{stem}_{index}.{suffix}"
            np.save(path, array) if suffix == "npy" else array.tofile(path)
    return directory


@pytest.mark.parametrize("place", [".", "2023_09_27-11_22_33", "2023_09_27-11_22_33/device1"])
@pytest.mark.parametrize("suffix", ["bin", "npy"])
def test_every_layout_is_read(tmp_path, place, suffix):
    fill(tmp_path / "out" / place, "a", "b", suffix=suffix)
    (tmp_path / "out" / "2023_09_27-11_22_33_summary.json").write_text("{}")
    (tmp_path / "out" / "sumary.json").write_text("{}")

    found = ResultFiles.open(tmp_path / "out", OUTPUTS)

    assert found.problems(["a", "b"]) == []
    outputs = found.read("b")
    assert list(outputs) == ["dets", "labels"]
    np.testing.assert_array_equal(outputs["dets"], np.ones((2, 5), np.float32))
    assert (outputs["labels"].dtype, outputs["labels"].tolist()) == (np.int32, [1, 1])


def test_devices_are_taken_together(tmp_path):
    fill(tmp_path / "device0", "a")
    fill(tmp_path / "device1", "b")

    assert ResultFiles.open(tmp_path, OUTPUTS).problems(["a", "b"]) == []


def test_one_photo_on_two_devices_is_refused(tmp_path):
    fill(tmp_path / "device0", "a")
    fill(tmp_path / "device1", "a")

    with pytest.raises(UsageError, match="are results of the same photo"):
        ResultFiles.open(tmp_path, OUTPUTS)


def test_a_stem_is_never_taken_for_the_end_of_another(tmp_path):
    fill(tmp_path, "1", "11", "1_0", "0_1")

    found = ResultFiles.open(tmp_path, OUTPUTS)

    assert [int(found.read(stem)["labels"][0]) for stem in ("1", "11", "1_0", "0_1")] == [0, 1, 2, 3]
    with pytest.raises(UsageError, match=r"_0.bin is missing|0_0.bin is missing"):
        found.read("0")


def test_results_of_several_runs_are_named(tmp_path):
    fill(tmp_path / "2023_09_27-11_22_33", "a")
    fill(tmp_path / "2023_09_28-00_00_00", "a")

    with pytest.raises(
        UsageError, match=r"results of 2 runs \(2023_09_27-11_22_33 ... 2023_09_28-00_00_00\)"
    ):
        ResultFiles.open(tmp_path, OUTPUTS)


def test_what_is_missing_wrong_or_too_much_is_one_line_each(tmp_path):
    fill(tmp_path, "a", "b", "c", "d")
    (tmp_path / "a_0.bin").unlink()
    (tmp_path / "b_1.bin").write_bytes(bytes(16))  # int64 where int32 was expected
    fill(tmp_path, "c", suffix="npy")
    (tmp_path / "d_0.bin").unlink()
    np.save(tmp_path / "d_0.npy", np.zeros((2, 5), np.float16))
    (tmp_path / "d_2.bin").write_bytes(b"x")
    (tmp_path / "e_0.txt").write_text("1 2")
    fill(tmp_path, "z")

    assert ResultFiles.open(tmp_path, OUTPUTS).problems("abcd") == [
        "a_0.bin: missing",
        "b_1.bin: 16 bytes, but labels=int32:2 has 8",
        "c_0.bin and c_0.npy: two files of one output",
        "c_1.bin and c_1.npy: two files of one output",
        "d_0.npy: float16 2x5, but dets=float32:2x5 was expected",
        "d_2.bin: the model has 2 outputs only",
        "e_0.txt: text results lose digits and are not read; run again for BIN or NPY",
        "z_0.bin: no photo of that name was prepared",
        "z_1.bin: no photo of that name was prepared",
    ]


def test_a_damaged_npy_is_named(tmp_path):
    fill(tmp_path, "a", suffix="npy")
    data = (tmp_path / "a_0.npy").read_bytes()
    (tmp_path / "a_0.npy").write_bytes(data[:-3])
    (tmp_path / "a_1.npy").write_bytes(b"")

    lines = ResultFiles.open(tmp_path, OUTPUTS).problems(["a"])

    assert [line.split(" (")[0] for line in lines] == [
        "a_0.npy: not a whole .npy file",
        "a_1.npy: not a whole .npy file",
    ]


def test_an_axis_of_one_may_differ(tmp_path):
    fill(tmp_path, "a")
    (tmp_path / "a_1.bin").unlink()
    np.save(tmp_path / "a_1.npy", np.array([[3], [4]], np.int32))  # the guide's 100x1

    assert ResultFiles.open(tmp_path, OUTPUTS).read("a")["labels"].tolist() == [3, 4]


@pytest.mark.parametrize(("name", "line"), [("nowhere", "no such directory"), (".", "no result in it")])
def test_no_results_at_all(tmp_path, name, line):
    with pytest.raises(UsageError, match=line):
        ResultFiles.open(tmp_path / name, OUTPUTS)
