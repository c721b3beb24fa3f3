"""Finding result files: exact names, and everything that may be wrong."""

from __future__ import annotations

import os

import numpy as np
import pytest

from convertkit.errors import UsageError
from convertkit.offline.interface import parse_shapes
from convertkit.offline.result_files import ResultFiles

OUTPUTS = parse_shapes("dets=float32:2x5,labels=int32:2")


def opened(directory, stems):
    return ResultFiles.open(directory, OUTPUTS, stems)


def fill(directory, *stems, suffix="bin", named="{}_{}"):
    directory.mkdir(parents=True, exist_ok=True)
    for number, stem in enumerate(stems):
        arrays = (np.full((2, 5), number, np.float32), np.full(2, number, np.int32))
        for index, array in enumerate(arrays):
            path = directory / f"{named.format(stem, index)}.{suffix}"
            np.save(path, array) if suffix == "npy" else array.tofile(path)
    return directory


def test_a_stem_is_never_taken_for_the_end_of_another(tmp_path):
    stems = ("1", "11", "1_0", "0_1", "1_output")
    fill(tmp_path, *stems)

    found = opened(tmp_path, stems)

    assert [int(found.read(stem)["labels"][0]) for stem in stems] == [0, 1, 2, 3, 4]
    with pytest.raises(UsageError, match=r"0_0.bin is missing"):
        opened(tmp_path, [*stems, "0"]).read("0")


def test_directories_that_no_run_calls_so_are_named(tmp_path):
    fill(tmp_path / "monday", "a")
    fill(tmp_path / "tuesday", "b")

    with pytest.raises(UsageError, match="there are results in monday and in tuesday"):
        opened(tmp_path, "ab")


def test_what_is_missing_wrong_or_too_much_is_one_line_each(tmp_path):
    fill(tmp_path, "a", "b", "c", "d", "f")
    (tmp_path / "a_0.bin").unlink()
    (tmp_path / "b_0.bin").write_bytes(bytes(20))  # float16 where float32 was expected
    (tmp_path / "b_1.bin").write_bytes(bytes(16))  # int64 where int32 was expected
    fill(tmp_path, "c", suffix="npy")
    (tmp_path / "d_0.bin").unlink()
    np.save(tmp_path / "d_0.npy", np.zeros((2, 5), np.float16))
    (tmp_path / "d_2.bin").write_bytes(b"x")
    (tmp_path / "e_0.txt").write_text("1 2")
    (tmp_path / "f_0.bin").write_bytes(bytes(39))
    (tmp_path / "f_1.bin").write_bytes(b"")
    fill(tmp_path, "z")

    found = opened(tmp_path, "abcdfg")

    assert found.problems() == [
        "a_0.bin: missing",
        "b_0.bin: 20 bytes (as many as float16 has), but dets=float32:2x5 has 40",
        "b_1.bin: 16 bytes (as many as int64 has), but labels=int32:2 has 8",
        "c_0.bin and c_0.npy: two files of one output",
        "c_1.bin and c_1.npy: two files of one output",
        "d_0.npy: float16 2x5, but dets=float32:2x5 was expected",
        "f_0.bin: 39 bytes, but dets=float32:2x5 has 40",
        "f_1.bin: empty, but labels=int32:2 has 8",
        "g_0.bin to g_1.bin: missing",
        "d_2.bin: the model has 2 outputs only",
        "e_0.txt: text results lose digits and are not read; run again for BIN or NPY",
        "z_0.bin: no photo of that name was prepared",
        "z_1.bin: no photo of that name was prepared",
    ]
    assert found.summary == "4 of 6 photos have a file for each of 2 outputs"


def test_axes_in_another_order_are_no_result(tmp_path):
    fill(tmp_path, "a", suffix="npy")
    np.save(tmp_path / "a_0.npy", np.zeros((5, 2), np.float32))

    assert opened(tmp_path, "a").problems() == ["a_0.npy: float32 5x2, but dets=float32:2x5 was expected"]


def test_an_array_in_fortrans_order_has_the_same_values(tmp_path):
    fill(tmp_path, "a")
    (tmp_path / "a_0.bin").unlink()
    values = np.arange(10, dtype=">f4").reshape(2, 5)
    np.save(tmp_path / "a_0.npy", np.asfortranarray(values))

    read = opened(tmp_path, "a").read("a")["dets"]

    np.testing.assert_array_equal(read, values)
    assert read.dtype == np.float32


def header(text, data=bytes(40)):
    padded = text.encode("latin1").ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(padded).to_bytes(2, "little") + padded + data


@pytest.mark.parametrize(
    "content",
    [
        b"",
        header("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 5), }", bytes(37)),
        header("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 5), }", bytes(41)),
        header("{'descr': '<f4', 'fortran_order': False, 'shape': (True, 10), }"),
        header("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,), }"),
        header("{'descr': '<f4', 'fortran_order': False, 'shape': (0, 99999999999999999999), }", b""),
        header("{'descr': '<f4', 'fortran_order': False, 'shape': (-2, -5), }"),
        header("(" * 100),
        header("{'descr': '|O', 'fortran_order': False, 'shape': (5,), }"),
        header("{'descr': '<f4'}"),
        header("__import__('os').system('touch run')"),
        b"\x93NUMPY\x07\x00" + header("{}")[8:],
    ],
)
def test_an_npy_with_an_odd_header_is_named(tmp_path, content):
    fill(tmp_path, "a")
    (tmp_path / "a_0.bin").unlink()
    (tmp_path / "a_0.npy").write_bytes(content)

    (line,) = opened(tmp_path, "a").problems()

    assert line.startswith(("a_0.npy: not a whole .npy file (", "a_0.npy: float32 0x9"))
    assert not (tmp_path / "run").exists()
    with pytest.raises(UsageError, match=r"a_0\.npy: "):
        opened(tmp_path, "a").read("a")


@pytest.mark.parametrize("suffix", ["bin", "npy"])
def test_what_is_no_regular_file_is_not_read(tmp_path, suffix):
    fill(tmp_path, "a")
    (tmp_path / "a_0.bin").unlink()
    (tmp_path / "a_1.bin").unlink()
    os.mkfifo(tmp_path / f"a_0.{suffix}")
    (tmp_path / f"a_1.{suffix}").symlink_to("/dev/zero")

    assert opened(tmp_path, "a").problems() == [
        f"a_0.{suffix}: not a regular file",
        f"a_1.{suffix}: not a regular file",
    ]


def test_an_axis_of_one_may_differ(tmp_path):
    fill(tmp_path, "a")
    (tmp_path / "a_1.bin").unlink()
    np.save(tmp_path / "a_1.npy", np.array([[3], [4]], np.int32))  # the guide's 100x1

    assert opened(tmp_path, "a").read("a")["labels"].tolist() == [3, 4]
