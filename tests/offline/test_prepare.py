"""Photos to files: their bytes, what is done again and what is not, and whose files are never touched."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import replace

import cv2
import msgspec
import numpy as np
import pytest

from convertkit.api.models import letterbox
from convertkit.datasets.coco import CocoDataset
from convertkit.errors import GraphError, SpecError, UnavailableError, UsageError
from convertkit.offline import journal
from convertkit.offline import prepare as room
from convertkit.offline.interface import TensorInfo
from convertkit.offline.job import Job
from convertkit.offline.photos import photos_of_dataset, photos_of_directory
from convertkit.offline.prepare import prepare
from convertkit.offline.prepared import read_record
from tests.conftest import MASKRCNN
from tests.offline.modelzoo import letterbox_bytes

INPUT = TensorInfo("input", "float32", (1, 3, 320, 320))
PICTURE = TensorInfo("picture", "float32", (1, 4))


@pytest.fixture
def job(package, scenes):
    dataset = CocoDataset.open(scenes / "instances.json", scenes / "images")
    photos = photos_of_dataset(dataset, scenes / "images")
    variant = package.variant("mini")
    return Job(package, variant, package.preprocess_spec(variant), (INPUT,), photos, scenes / "images")


def of_photos(job, images):
    return replace(job, photos=photos_of_directory(images), images=images)


def counted(job, monkeypatch):
    """Counts how often a photo is preprocessed."""
    calls = []
    model = type(job.package.model)
    original = model.preprocess
    monkeypatch.setattr(model, "preprocess", lambda self, *given: calls.append(1) or original(self, *given))
    return calls


@pytest.mark.parametrize("size", [(1216, 1216), (800, 1216), (320, 320), (97, 64)])
def test_centred_and_floored_they_are_the_bytes_of_the_modelzoo_script(job, tmp_path, size):
    images = tmp_path / "images"
    images.mkdir()
    rng = np.random.default_rng(7)
    for number, (height, width) in enumerate([(480, 640), (427, 640), (33, 500), (321, 319)]):
        pixels = rng.integers(0, 256, (height, width, 3), np.uint8)
        cv2.imwrite(str(images / f"{number}.jpg"), pixels)
    spec = msgspec.structs.replace(job.preprocess, placement="center", rounding="floor")
    variant = replace(job.variant, spec=msgspec.structs.replace(job.variant.spec, size=size))
    inputs = (TensorInfo("input", "float32", (1, 3, *size)),)

    prepare(
        replace(of_photos(job, images), preprocess=spec, variant=variant, inputs=inputs), tmp_path / "out"
    )

    for path in images.iterdir():
        assert (tmp_path / "out" / f"{path.stem}.bin").read_bytes() == letterbox_bytes(path, *size)


def test_a_bin_file_is_what_preprocessing_gives_without_a_header(job, tmp_path):
    record = prepare(job, tmp_path / "out").record

    for photo, prepared in zip(job.photos, record.photos, strict=True):
        tensor, place = letterbox(cv2.imread(str(photo.path)), (320, 320), job.preprocess)
        data = (tmp_path / "out" / f"{photo.stem}.bin").read_bytes()
        assert data == tensor[0].tobytes()
        assert prepared.sha256 == {"input": hashlib.sha256(data).hexdigest()}
        assert (prepared.placement, prepared.id) == (place, photo.id)


def test_an_npy_file_has_the_batch_axis(job, tmp_path):
    prepare(replace(job, suffix="npy"), tmp_path / "npy")
    prepare(job, tmp_path / "bin")

    array = np.load(tmp_path / "npy" / f"{job.photos[0].stem}.npy")
    assert (array.shape, array.dtype) == ((1, 3, 320, 320), np.float32)
    assert array.tobytes() == (tmp_path / "bin" / f"{job.photos[0].stem}.bin").read_bytes()


def test_several_inputs_have_a_directory_each_with_the_same_names(job, tmp_path):
    record = prepare(replace(job, inputs=(PICTURE, INPUT)), tmp_path / "out").record

    places = record.directories(tmp_path / "out")
    assert list(places) == ["picture", "input"]
    names = [sorted(path.name for path in place.iterdir()) for place in places.values()]
    assert names[0] == names[1] == sorted(f"{photo.stem}.bin" for photo in job.photos)
    place = record.photos[0].placement
    corners = np.fromfile(places["picture"] / f"{record.photos[0].stem}.bin", np.float32)
    np.testing.assert_array_equal(corners, [0, 0, place.resized_width, place.resized_height])


@pytest.mark.parametrize("jobs", [1, 3])
def test_the_number_of_threads_changes_nothing(job, tmp_path, jobs):
    prepare(job, tmp_path / "one", jobs=1)

    prepare(job, tmp_path / "many", jobs=jobs)

    for path in (tmp_path / "one").iterdir():
        if not path.name.startswith("."):
            assert path.read_bytes() == (tmp_path / "many" / path.name).read_bytes()


def test_a_second_run_makes_nothing(job, tmp_path, monkeypatch):
    first = prepare(job, tmp_path / "out")
    calls = counted(job, monkeypatch)

    second = prepare(job, tmp_path / "out")

    assert (first.made, second.made, calls) == (4, 0, [])
    assert first.record == second.record == read_record(tmp_path / "out")


def test_what_was_interrupted_is_continued(job, tmp_path, monkeypatch):
    calls = counted(job, monkeypatch)

    def stop(count):
        if count == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        prepare(job, tmp_path / "out", jobs=1, on_progress=stop)
    assert not (tmp_path / "out" / "preprocess.json").exists()
    with pytest.raises(UsageError, match="has finished"):
        read_record(tmp_path / "out")
    calls.clear()

    outcome = prepare(job, tmp_path / "out")

    assert outcome.made == len(calls) <= 2
    assert len(read_record(tmp_path / "out").photos) == 4
    assert outcome.extra == ()


@pytest.mark.slow
def test_a_killed_run_leaves_whole_files_only_and_is_continued(job, tmp_path, detector):
    images = tmp_path / "images"
    images.mkdir()
    for number in range(60):
        shutil.copy(job.photos[number % 4].path, images / f"{number}.png")
    words = [
        "preprocess",
        MASKRCNN,
        "--images",
        images,
        "--artifact",
        detector,
        "-o",
        tmp_path / "out",
        "-j",
        "2",
    ]
    child = subprocess.Popen(
        [sys.executable, "-m", "convertkit", *map(str, words)], stderr=subprocess.DEVNULL
    )
    while len(list((tmp_path / "out").glob("*.bin"))) < 5:
        assert child.poll() is None
        time.sleep(0.005)
    child.kill()
    child.wait()

    left = list((tmp_path / "out").glob("*.bin"))
    assert 5 <= len(left) < 60
    assert {path.stat().st_size for path in left} == {INPUT.bytes}
    outcome = prepare(of_photos(job, images), tmp_path / "out")
    assert outcome.made <= 60 - len(left) + 4  # at most those that were written but not yet in the journal
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(
        [".convertkit-journal.jsonl", "preprocess.json", *(f"{number}.bin" for number in range(60))]
    )
    for photo in job.photos:
        tensor, _ = letterbox(cv2.imread(str(photo.path)), (320, 320), job.preprocess)
        number = job.photos.index(photo)
        assert (tmp_path / "out" / f"{number + 56}.bin").read_bytes() == tensor.tobytes()


def test_a_run_that_was_killed_before_it_said_so_is_no_stranger(job, tmp_path):
    """Killed while it wrote the journal, which comes first of all; with several inputs, before their directories."""
    output = tmp_path / "out"
    output.mkdir()
    (output / f".{journal.NAME}.0123456789ab.convertkit-tmp").write_bytes(b"half a li")

    prepare(job, output)

    assert {path.suffix for path in output.iterdir()} == {".bin", ".json", ".jsonl"}
    assert {path.name for path in output.iterdir() if path.suffix != ".bin"} == {
        journal.NAME,
        "preprocess.json",
    }


def test_a_finished_directory_stays_one_while_nothing_in_it_changes(job, tmp_path, monkeypatch):
    prepare(job, tmp_path)
    record = (tmp_path / "preprocess.json").read_bytes()

    def killed(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(room, "record_of", killed)
    with pytest.raises(KeyboardInterrupt):
        prepare(job, tmp_path)
    assert (tmp_path / "preprocess.json").read_bytes() == record

    with pytest.raises(KeyboardInterrupt):
        prepare(replace(job, suffix="npy"), tmp_path)
    assert not (tmp_path / "preprocess.json").exists()


def test_a_journal_that_was_cut_off_counts_to_its_last_whole_line(job, tmp_path):
    prepare(job, tmp_path / "out")
    lines = tmp_path / "out" / ".convertkit-journal.jsonl"
    lines.write_bytes(lines.read_bytes()[:-20])

    assert prepare(job, tmp_path / "out").made == 1
    assert prepare(job, tmp_path / "out").made == 0


@pytest.mark.parametrize("harm", ["shorter", "other", "gone"])
def test_a_damaged_file_is_made_again(job, tmp_path, harm):
    prepare(job, tmp_path / "out")
    path = tmp_path / "out" / f"{job.photos[1].stem}.bin"
    good = path.read_bytes()
    if harm == "gone":
        path.unlink()
    else:
        path.write_bytes(good[:-4] if harm == "shorter" else bytes(len(good)))

    assert prepare(job, tmp_path / "out").made == 1
    assert path.read_bytes() == good


def test_a_copied_file_is_believed_by_its_hash(job, tmp_path):
    prepare(job, tmp_path / "out")
    for path in (tmp_path / "out").glob("*.bin"):
        os.utime(path, (1, 1))

    assert prepare(job, tmp_path / "out").made == 0


def test_after_a_restart_of_the_machine_every_file_is_hashed_once(job, tmp_path, monkeypatch):
    prepare(job, tmp_path / "out")
    path = tmp_path / "out" / f"{job.photos[0].stem}.bin"
    before = path.stat()
    path.write_bytes(bytes(before.st_size))  # what a power failure may leave
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    monkeypatch.setattr(journal, "boot", lambda: "another")
    hashed = []
    original = journal.sha256_file
    monkeypatch.setattr(journal, "sha256_file", lambda path: hashed.append(path) or original(path))

    first = prepare(job, tmp_path / "out", jobs=1)
    count = len(hashed)
    second = prepare(job, tmp_path / "out")

    assert (first.made, count) == (1, 4)
    assert second.made == 0
    assert path.read_bytes() != bytes(before.st_size)


def test_where_no_start_of_the_machine_is_known_every_file_is_hashed(job, tmp_path, monkeypatch):
    for module in ("journal", "prepare"):
        monkeypatch.setattr(f"convertkit.offline.{module}.boot", lambda: "")
    prepare(job, tmp_path / "out")
    path = tmp_path / "out" / f"{job.photos[0].stem}.bin"
    before = path.stat()
    path.write_bytes(bytes(before.st_size))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))

    assert prepare(job, tmp_path / "out").made == 1
    assert prepare(job, tmp_path / "out").made == 0


def test_a_changed_photo_or_other_settings_are_done_again(job, scenes, tmp_path):
    images = tmp_path / "images"
    shutil.copytree(scenes / "images", images)
    job = of_photos(job, images)
    prepare(job, tmp_path / "out")
    cv2.imwrite(str(job.photos[2].path), np.zeros((50, 60, 3), np.uint8))

    changed = prepare(job, tmp_path / "out")
    other = prepare(
        replace(job, preprocess=msgspec.structs.replace(job.preprocess, placement="center")), tmp_path / "out"
    )

    assert (changed.made, other.made) == (1, 4)


def test_files_of_no_photo_are_told(job, tmp_path):
    prepare(job, tmp_path / "out")

    fewer = prepare(replace(job, photos=job.photos[:3]), tmp_path / "out")

    assert [path.stem for path in fewer.extra] == [job.photos[3].stem]
    assert len(fewer.record.photos) == 3


def test_files_of_an_earlier_run_with_other_inputs_are_told_and_left(job, tmp_path):
    both = replace(job, inputs=(INPUT, PICTURE))
    stems = [photo.stem for photo in job.photos]
    flat = [tmp_path / "out" / f"{stem}.bin" for stem in stems]
    (tmp_path / "out" / "mine").mkdir(parents=True)
    (tmp_path / "out" / journal.NAME).touch()
    (tmp_path / "out" / "mine" / "x.bin").touch()

    prepare(job, tmp_path / "out")
    wide = prepare(both, tmp_path / "out")
    narrow = prepare(replace(job, suffix="npy"), tmp_path / "out")

    assert wide.extra == tuple(flat)
    assert len(narrow.extra) == 3 * len(stems)
    assert {path.parent.name for path in narrow.extra} == {"out", "input", "picture"}
    assert all(path.is_file() for path in narrow.extra)


def test_nobodys_own_files_are_replaced(job, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.bin").write_bytes(b"mine")

    with pytest.raises(UsageError, match=r"mine.bin is there, and not from convertkit \(choose an empty"):
        prepare(job, tmp_path / "out")

    assert [path.name for path in (tmp_path / "out").iterdir()] == ["mine.bin"]


def test_a_disk_that_is_too_small_is_told_before_the_work(job, tmp_path, monkeypatch):
    calls = counted(job, monkeypatch)
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(room.shutil, "disk_usage", lambda path: usage._replace(free=1000))

    with pytest.raises(UnavailableError, match=r"4 photos take 4\.92 MB more, 1 kB are free"):
        prepare(job, tmp_path / "out")

    assert calls == []


def test_a_graph_that_takes_something_else_is_an_error_that_names_the_photo(job, tmp_path):
    with pytest.raises(
        GraphError, match=r"^heldout-\S+: preprocessing gives input=float32.*takes input=uint8:1x3x320x320"
    ):
        prepare(replace(job, inputs=(TensorInfo("input", "uint8", (1, 3, 320, 320)),)), tmp_path / "out")
    with pytest.raises(
        GraphError, match="the graph has an input 'scale', but preprocessing gives only input, picture"
    ):
        prepare(replace(job, inputs=(TensorInfo("scale", "float32", (1,)),)), tmp_path / "other")


def test_a_photo_that_is_none_is_named_and_leaves_nothing_half_written(job, tmp_path):
    images = tmp_path / "images"
    images.mkdir()
    (images / "broken.jpg").write_bytes(b"no image")

    with pytest.raises(UsageError, match=r"broken.jpg: not an image that OpenCV can read"):
        prepare(of_photos(job, images), tmp_path / "out")

    assert [path.name for path in (tmp_path / "out").iterdir()] == [".convertkit-journal.jsonl"]


def test_stems_that_collide_are_named(tmp_path):
    for name in ("a.b.jpg", "a.png", "c.jpg"):
        (tmp_path / name).write_bytes(b"")

    with pytest.raises(UsageError, match=r"^a.b.jpg and a.png have the same name before the first dot"):
        photos_of_directory(tmp_path)


def test_two_inputs_of_one_directory_are_refused(job, tmp_path):
    twins = (TensorInfo("a/b", "float32", (1,)), TensorInfo("a:b", "float32", (1,)))
    with pytest.raises(SpecError, match="two of them have the same directory"):
        prepare(replace(job, inputs=twins), tmp_path / "out")


def test_a_damaged_record_is_one_line(job, tmp_path):
    prepare(job, tmp_path / "out")
    path = tmp_path / "out" / "preprocess.json"
    data = json.loads(path.read_text())
    path.write_text(json.dumps({**data, "format": 9}))

    with pytest.raises(SpecError, match="format 9 is not known"):
        read_record(tmp_path / "out")
    path.write_text("{}")
    with pytest.raises(SpecError, match="not a record of convertkit preprocess"):
        read_record(tmp_path / "out")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        *(("stem", bad) for bad in ("..", ".", "a/b", "/a", "../../a", "a\0b")),
        *(("name", bad) for bad in ("../a.png", "/a.png", "a\0.png")),
    ],
)
def test_a_record_of_somebody_names_no_file_outside_its_directories(job, tmp_path, key, value):
    prepare(job, tmp_path / "out")
    path = tmp_path / "out" / "preprocess.json"
    data = json.loads(path.read_text())
    data["photos"][0][key] = value
    path.write_text(json.dumps(data))

    with pytest.raises(SpecError, match="leaves its directory"):
        read_record(tmp_path / "out")
