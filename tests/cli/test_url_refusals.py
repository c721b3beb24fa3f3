"""What takes no URL says so, whatever the command: a URL is no name of a file here."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

import convertkit
from convertkit.errors import UsageError
from tests.conftest import Cli
from tests.finder import dataset, write_finder, write_photos

WORDS = [
    (("opt", "s3://b/a.onnx"), "GRAPH..."),
    (("lint", "--target", "cpu", "s3://b/a.onnx"), "FILE.onnx..."),
    (("diff", "s3://b/a.onnx", "b.onnx"), "A"),
    (("build", "MODEL", "--output", "s3://b/built"), "--output"),
    (("build", "MODEL", "--plugin", "s3://b/p.py"), "--plugin"),
    (("bench", "MODEL", "--images", "s3://b/photos"), "--images"),
    (("preprocess", "MODEL", "--output", "out", "--images", "s3://b/photos"), "--images"),
    (("preprocess", "MODEL", "--output", "s3://b/out"), "--output"),
    (("postprocess", "MODEL", "s3://b/out", "--inputs", "in"), "RESULTS"),
    (("bisect", "MODEL", "--output", "s3://b/out"), "--output"),
    (("verify", "MODEL", "--report", "s3://b/page.html"), "--report"),
    (("merge", "parts", "--results", "s3://b/all"), "--results"),
    (("detect", "MODEL", "s3://b/photos"), "PHOTO..."),
    (("compile", "s3://b/bundle"), "BUNDLE"),
    (("replay", "s3://b/built"), "MANIFEST"),
]


@pytest.mark.parametrize(("words", "name"), WORDS, ids=[" ".join(words) for words, _ in WORDS])
def test_an_option_that_takes_no_url_says_so(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    model = write_finder(tmp_path / "finder")
    url = next(word for word in words if "://" in word)

    done = cli(*(model if word == "MODEL" else word for word in words))

    assert done.code == 2
    line = f"error: {name} takes no URL, but {url} was given (give a path of this machine)\n"
    assert done.err == line
    assert [path.name for path in tmp_path.iterdir()] == ["finder"]


def test_a_model_package_has_no_url(cli: Cli) -> None:
    done = cli("build", "s3://b/package")

    assert done.code == 2
    assert "s3://b/package: no place of a model package, whose code runs" in done.err


def test_a_checkpoint_has_no_url(cli: Cli, tmp_path: Path) -> None:
    done = cli("build", write_finder(tmp_path / "finder"), "--weights", "s3://b/checkpoint.pth")

    assert done.code == 2
    assert done.err == "error: s3://b/checkpoint.pth: --weights cannot use a URL (copy it to this machine)\n"


def test_bisect_and_verify_name_a_protocol_that_nobody_knows(cli: Cli, tmp_path: Path) -> None:
    model = write_finder(tmp_path / "finder")
    for words in (("bisect", model, "--accuracy"), ("verify", model)):
        done = cli(*words, "--annotations", "ssh://h/a.json", "--images", "ssh://h/photos")

        assert done.code == 2
        assert done.err.startswith("error: ssh://h/a.json: no protocol that is opened here (file, s3, gs")


def test_results_that_nothing_can_write_are_refused_before_anything_is_measured(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "fsspec.registry", None)
    photos = write_photos(tmp_path / "photos", 2)
    (tmp_path / "instances.json").write_text(json.dumps(dataset(photos=2)))

    done = cli(
        "verify", write_finder(tmp_path / "finder"), "--runtime", "stock", "--annotations",
        tmp_path / "instances.json", "--images", photos, "--results", "s3://b/results",
    )  # fmt: skip

    assert done.code == 3
    line = "error: s3://b/results: places by URL need fsspec (pip install 'convertkit-compiler[s3]')"
    assert done.err.splitlines()[-1] == line
    assert "AP" not in done.out


def test_in_python_a_path_of_this_machine_is_asked_for(tmp_path: Path) -> None:
    model = write_finder(tmp_path / "finder")

    with pytest.raises(UsageError, match="s3://b/all: this option cannot use a URL"):
        convertkit.merge(tmp_path, results="s3://b/all")
    with pytest.raises(UsageError, match="s3://b/package: no place of a model package"):
        convertkit.verify("s3://b/package")
    with pytest.raises(UsageError, match="s3://b/photos: preprocess cannot use a URL"):
        from convertkit.api.commands.preprocess import preprocess

        preprocess(model, tmp_path / "out", images="s3://b/photos")
