"""An annotation file that is read an entry at a time says what it says as a whole."""

from __future__ import annotations

import contextlib
import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convertkit.datasets import annotations as module
from convertkit.datasets import filed, streaming
from convertkit.datasets.annotations import AnnotationFile, examine_annotations
from convertkit.datasets.filed import Filed, Some
from convertkit.datasets.streaming import UnusualError, entries
from convertkit.errors import SpecError, UsageError
from convertkit.storage.copies import file_of
from convertkit.storage.urls import Url, where

KEYS = "images", "categories", "annotations"

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)
lists = st.fixed_dictionaries({key: st.lists(values, max_size=4) for key in KEYS})


def read(text: bytes) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {key: [] for key in KEYS}
    for key, raw in entries(io.BytesIO(text), KEYS):
        found[key].append(json.loads(raw))
    return found


@given(
    lists,
    st.dictionaries(st.text().filter(lambda key: key not in KEYS), values, max_size=2),
    st.sampled_from([1, 2, 7, 1 << 20]),
    st.sampled_from([None, 1]),
    st.booleans(),
)
@settings(deadline=None, max_examples=80)
def test_entries_are_those_of_a_parser(
    own: dict[str, Any], other: dict[str, Any], piece: int, indent: int | None, plain: bool
) -> None:
    text = json.dumps({**other, **own}, indent=indent, ensure_ascii=plain).encode("utf-8", "surrogatepass")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(streaming, "PIECE", piece)
        assert read(text) == own


LISTS = b'"images":[],"annotations":[],"categories":[]'


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"[]",
        b"{" + LISTS,
        b"{" + LISTS + b"} x",
        b"{" + LISTS + b"}}",
        b"{" + LISTS + b',"images":[]}',
        b'{"info":@,' + LISTS + b"}",
        b'{"info":Infinity,' + LISTS + b"}",
        b"\xef\xbb\xbf{" + LISTS + b"}",
        b'{"info":"\xff",' + LISTS + b"}",
        b'{"annotations":[],"categories":[]}',
        b'{"images":{},"annotations":[],"categories":[]}',
        b'{"images":[1,],"annotations":[],"categories":[]}',
        b'{"images":[,1],"annotations":[],"categories":[]}',
        b'{"images":[],"annotations":[}],"categories":[]}',
        ("{" + LISTS.decode() + "}").encode("utf-16"),
    ],
)
@pytest.mark.parametrize("piece", [1, 1 << 20])
def test_a_file_that_is_no_plain_object_of_lists_is_left_to_the_parser(
    text: bytes, piece: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streaming, "PIECE", piece)

    with pytest.raises(UnusualError):
        read(text)


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every file is, and has many blocks."""
    monkeypatch.setattr(module, "LARGE", 0)
    monkeypatch.setattr(filed, "BLOCK", 200)


def dataset(**changed: Any) -> dict[str, Any]:
    images = [{"id": number, "file_name": f"{number}.jpg", "height": 60, "width": 80} for number in range(9)]
    objects = [
        {"id": number, "image_id": number % 9, "category_id": 1, "bbox": [1, 2, 3.1, 4], "area": 0.1 * number,
         "iscrowd": number % 2, "segmentation": [[1, 2, 3, 4.25, 5, 6]]}
        for number in range(40)
    ]  # fmt: skip
    categories = [{"id": 1, "name": "cat"}, {"id": 2, "name": "Cat "}]
    return {"info": {}, "images": images, "annotations": objects, "categories": categories, **changed}


def plain(found: AnnotationFile) -> list[Any]:
    rows = [[getattr(one, name) for name in one.__struct_fields__[:-1]] for one in found.annotations]
    masks = [bytes(one.segmentation) for one in found.annotations]
    return [rows, masks, *found.images, *found.categories, *found.twins, found.counts([1, 3])]


@pytest.mark.parametrize("indent", [None, 2])
def test_a_large_file_says_what_it_says_as_a_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, indent: int | None
) -> None:
    path = tmp_path / "instances.json"
    objects = dataset()["annotations"]
    objects[3] = {**objects[3], "image_id": "000000000003", "iscrowd": True}
    path.write_text(json.dumps(dataset(annotations=objects), indent=indent))
    whole, _ = examine_annotations(path)
    monkeypatch.setattr(module, "LARGE", 0)
    monkeypatch.setattr(filed, "BLOCK", 200)

    found, faults = examine_annotations(path)

    assert not faults
    assert isinstance(found.annotations, Filed)
    assert plain(found) == plain(whole)
    assert [found.annotations[index].id for index in (0, 17, -1)] == [0, 17, 39]
    assert [one.id for one in found.annotations[37:]] == [37, 38, 39]
    with pytest.raises(IndexError):
        found.annotations[40]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"area": -1}, r"annotations\[7\]\.area: negative"),
        ({"image_id": 99}, r"annotations\[7\]: image_id 99 is not among"),
        ({"id": 8}, r"annotations\[8\]: id 8 occurs twice"),
        ({"bbox": "x"}, r"annotations\[7\]\.bbox"),
    ],
)
def test_what_is_wrong_with_a_large_file_is_said_as_of_any(
    tmp_path: Path, large: None, changed: dict[str, Any], said: str
) -> None:
    objects = dataset()["annotations"]
    objects[7] |= changed
    path = tmp_path / "instances.json"
    path.write_text(json.dumps(dataset(annotations=objects)))

    with pytest.raises(SpecError, match=said):
        module.read_annotations(path)


def test_some_of_a_sequence_are_a_sequence() -> None:
    odd = Some(range(10), lambda number: number % 2 == 1)

    assert (len(odd), list(odd), odd[1], odd[-1], odd[1:3]) == (5, [1, 3, 5, 7, 9], 3, 9, [3, 5])
    assert not Some(range(4), lambda number: number > 9)


@pytest.mark.parametrize("more", [0, 1])
def test_an_entry_that_goes_on_and_on_is_left_to_the_parser(
    monkeypatch: pytest.MonkeyPatch, more: int
) -> None:
    entry = b'{"a": "' + 90 * b"x" + b'"}'
    text = b'{"images": [' + entry + b"]}"
    monkeypatch.setattr(streaming, "PIECE", len(text) - 3)  # all of the entry but its end
    monkeypatch.setattr(streaming, "MOST_HELD", len(entry) - 1 - more)

    with pytest.raises(UnusualError) if more else contextlib.nullcontext():
        assert list(entries(io.BytesIO(text), ("images",))) == [("images", entry)]


def test_a_large_file_by_url_is_read_as_a_file_is(large: None, tmp_path: Path) -> None:
    fsspec = pytest.importorskip("fsspec", reason="the extra urls is not installed")
    path, url = tmp_path / "instances.json", "memory://house/instances.json"
    path.write_text(json.dumps(dataset()))
    fsspec.filesystem("memory").put_file(str(path), "/house/instances.json")

    found = examine_annotations(where(url))[0]

    assert isinstance(found.annotations, Filed) and str(found.path) == url
    assert plain(found) == plain(examine_annotations(path)[0])


@pytest.mark.parametrize(("most", "said"), [(9, None), (8, "larger than 0 MiB")])
def test_no_more_of_a_url_is_copied_than_a_file_may_have(most: int, said: str | None) -> None:
    fsspec = pytest.importorskip("fsspec", reason="the extra urls is not installed")
    fsspec.filesystem("memory").pipe("/house/nine", b"123456789")

    if said is None:
        with file_of(Url("memory://house/nine"), most) as file:
            assert file.read_bytes() == b"123456789"
        assert not file.exists()
        return
    with (
        pytest.raises(UsageError, match=f"memory://house/nine: {said}"),
        file_of(Url("memory://house/nine"), most),
    ):
        pass
