"""Finding result files: every layout of the tools' sources, exact names, and everything that may be wrong."""

from __future__ import annotations

import json
import os

import numpy as np
import pytest

from convertkit.errors import UsageError
from convertkit.offline.interface import parse_shapes
from convertkit.offline.result_files import ResultFiles

OUTPUTS = parse_shapes("dets=float32:2x5,labels=int32:2")


TIME, LATER = "2023_09_27-11_22_33", "2023_09_27-11_22_34"


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


@pytest.mark.parametrize(
    ("place", "named"),
    [
        (".", "{}_{}"),
        (TIME, "{}_{}"),
        ("mine", "{}_{}"),  # --output_dirname, and its parent is given
        (f"{TIME}/device1", "{}_{}"),
        (f"{TIME}/device3_1", "{}_{}"),
        ("mine/device3_1", "{}_{}"),
        ("20230927_112233", "{}_output_{}"),  # msame
    ],
)
@pytest.mark.parametrize("suffix", ["bin", "npy"])
def test_every_layout_is_read(tmp_path, place, named, suffix):
    fill(tmp_path / "out" / place, "a", "b", suffix=suffix, named=named)
    (tmp_path / "out" / f"{TIME}_summary.json").write_text("{}")
    (tmp_path / "out" / "sumary.json").write_text("{}")

    found = opened(tmp_path / "out", "ab")

    assert found.problems() == []
    outputs = found.read("b")
    assert list(outputs) == ["dets", "labels"]
    np.testing.assert_array_equal(outputs["dets"], np.ones((2, 5), np.float32))
    assert (outputs["labels"].dtype, outputs["labels"].tolist()) == (np.int32, [1, 1])


def test_the_oldest_tool_numbers_its_results_and_says_in_the_summary_of_which_photo(tmp_path):
    fill(tmp_path / TIME, "0", "1", named="sample_id_{}_output_{}")
    files = {
        "0": {"infiles": ["pre/input/b.bin", "pre/picture/b.bin"]},
        "1": {"infiles": ["pre/input/a.bin"]},
    }
    (tmp_path / TIME / "sumary.json").write_text(json.dumps({"filesinfo": files, "throughput": 1}))

    found = opened(tmp_path, "ab")

    assert found.problems() == []
    assert [int(found.read(stem)["labels"][0]) for stem in "ab"] == [1, 0]


@pytest.mark.parametrize("summary", [None, "{", "[" * 5000, '{"filesinfo": {"0": {"infiles": []}}}'])
def test_numbered_results_without_a_summary_are_of_no_photo(tmp_path, summary):
    fill(tmp_path, "0", named="sample_id_{}_output_{}")
    if summary is not None:
        (tmp_path / "sumary.json").write_text(summary)

    assert opened(tmp_path, "a").problems() == [
        "a_0.bin to a_1.bin: missing",
        "sample_id_0_output_0.bin: no photo of that name was prepared",
        "sample_id_0_output_1.bin: no photo of that name was prepared",
    ]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("device0", "device1"),
        (f"{TIME}/device0_0", f"{TIME}/device0_1"),  # one device twice
        (f"{TIME}/device0_0", f"{LATER}/device1_1"),  # every process took its own time
        (f"{TIME}/device0", f"{LATER}/device1"),
    ],
)
def test_devices_are_taken_together(tmp_path, first, second):
    fill(tmp_path / first, "a")
    fill(tmp_path / second, "b")

    found = opened(tmp_path, "ab")

    assert found.problems() == []
    assert len(found.runs) == (2 if second.startswith(LATER) else 1)


@pytest.mark.parametrize("names", [("device0", "device1"), ("device0_0", "device1_1")])
def test_one_photo_on_two_devices_is_refused(tmp_path, names):
    fill(tmp_path / names[0], "a", "b")
    fill(tmp_path / names[1], "b", "a")

    with pytest.raises(
        UsageError, match=r"are results of the same photo, and so for 1 more \(give .* --divide_input 1"
    ):
        opened(tmp_path, "ab")
    assert opened(tmp_path / names[1], "ab").problems() == []


def test_a_photo_whose_outputs_lie_in_two_directories_is_refused(tmp_path):
    fill(tmp_path / "device0", "a")
    fill(tmp_path / "device1", "a")
    (tmp_path / "device0" / "a_0.bin").unlink()
    (tmp_path / "device1" / "a_1.bin").unlink()

    with pytest.raises(UsageError, match="are results of the same photo"):
        opened(tmp_path, "a")


def test_a_stem_is_never_taken_for_the_end_of_another(tmp_path):
    stems = ("1", "11", "1_0", "0_1", "1_output")
    fill(tmp_path, *stems)

    found = opened(tmp_path, stems)

    assert [int(found.read(stem)["labels"][0]) for stem in stems] == [0, 1, 2, 3, 4]
    with pytest.raises(UsageError, match=r"0_0.bin is missing"):
        opened(tmp_path, [*stems, "0"]).read("0")


def test_results_of_several_runs_are_named(tmp_path):
    fill(tmp_path / "2023_09_27-11_22_33", "a")
    fill(tmp_path / "2023_09_28-00_00_00", "a")

    with pytest.raises(
        UsageError, match=r"results of 2 runs \(2023_09_27-11_22_33 ... 2023_09_28-00_00_00\)"
    ):
        opened(tmp_path, "a")


def test_directories_that_no_run_calls_so_are_named(tmp_path):
    fill(tmp_path / "monday", "a")
    fill(tmp_path / "tuesday", "b")

    with pytest.raises(UsageError, match="there are results in monday and in tuesday"):
        opened(tmp_path, "ab")


def test_a_run_beside_one_that_was_given_a_name_is_not_passed_over(tmp_path):
    fill(tmp_path / "mine", "b")
    fill(tmp_path / TIME, "a")

    with pytest.raises(UsageError, match=f"there are results in {TIME} and in mine"):
        opened(tmp_path, "ab")


@pytest.mark.parametrize("place", [".", "device0"])
def test_a_run_below_results_is_not_passed_over(tmp_path, place):
    fill(tmp_path / place, "a", "b")
    fill(tmp_path / TIME / "device0_0", "a", "b")

    with pytest.raises(UsageError, match=f"there are results in it and in {TIME} .move one of them away"):
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


@pytest.mark.parametrize(
    ("files", "line"),
    [
        ([], r"no result in it \(results are called STEM_0.bin"),
        (["a_0.txt", "a_1.txt"], "text results lose digits and are not read; run again for BIN or NPY"),
        (["a_Concat_7:0:dets.bin", "a_Cast_9:0:labels.bin"], "run ais_bench without --pipeline"),
        (["pure_infer_data_0.bin", "pure_infer_data_1.bin"], "run ais_bench with --input"),
    ],
)
def test_no_results_at_all(tmp_path, files, line):
    (tmp_path / "out" / TIME).mkdir(parents=True)
    for name in files:
        (tmp_path / "out" / TIME / name).write_bytes(b"1234")

    with pytest.raises(UsageError, match=line):
        opened(tmp_path / "out", "a")
    with pytest.raises(UsageError, match="no such directory"):
        opened(tmp_path / "nowhere", "a")


def test_a_speed_run_or_notes_beside_the_results_are_no_other_run(tmp_path):
    fill(tmp_path / TIME, "pure_infer_data")
    fill(tmp_path / LATER, "a")
    (tmp_path / "notes_1.txt").write_text("of today")

    assert opened(tmp_path, "a").problems() == []
