"""Every function of ``convertkit`` is its command: the same words in, the same record out, and nothing printed."""

from __future__ import annotations

import functools
import inspect
import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import cv2
import msgspec
import numpy as np
import onnx
import pytest
import typer.main

import convertkit
from convertkit.cli.app import app
from convertkit.errors import ConvertkitError, UsageError
from tests.api.test_doors import HEAVY
from tests.cli.test_verify_gates import gated
from tests.conftest import Cli
from tests.finder import dataset
from tests.tiny import tiny_model

FUNCTIONS = {
    name: name
    for name in (
        "build",
        "verify",
        "merge",
        "detect",
        "estimate",
        "ranges",
        "plan",
        "tune",
        "dump",
        "compare",
        "lint",
        "diff",
    )
} | {"optimize": "opt"}
"""By name of the function: the command."""

LEFT_OUT: Mapping[tuple[str, str], str] = {
    ("", "as_json"): "the record is what is returned",
    ("", "quiet"): "nothing is printed anyway",
    ("", "verbose"): "the log is Python's own",
    ("build", "explain"): "another answer: what passes find, of which build makes nothing",
    ("build", "dry_run"): "another answer: a preview",
    ("verify", "per_class"): "of the record's page",
    ("merge", "per_class"): "of the record's page",
    ("verify", "details"): "of the record's page",
    ("merge", "details"): "of the record's page",
    ("estimate", "top"): "of the record's page",
    ("ranges", "top"): "of the record's page",
    ("compare", "top"): "of the record's page",
    ("lint", "as_sarif"): "another form of the same record",
    ("optimize", "explain"): "another answer: Optimizer.explain",
    ("optimize", "dry_run"): "another answer: Optimizer.plan",
}
"""Options that are no parameters, and why; of every command where none is named."""

ONLY_IN_PYTHON = {"report": "where a command shows progress", "bar": "where a command shows progress"}

OTHERWISE = {
    ("lint", "files"): "graph",  # one at a time
    ("optimize", "graphs"): "graph",  # one at a time
    ("optimize", "inputs"): "samples",  # arrays too
}
"""Parameters that have another name than in the command."""

OTHER_OPTION = {
    "origin": "--from",  # a keyword of Python
    "zipped": "--zip",  # a builtin
    "html": "--report",  # progress is told to `report`
}


@functools.cache
def command_of(name: str) -> Any:
    return typer.main.get_command(app).commands[FUNCTIONS[name]]  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_words_are_those_of_the_command(name: str) -> None:
    options = {parameter.name: parameter for parameter in command_of(name).params}
    parameters = inspect.signature(getattr(convertkit, name)).parameters

    kept = {
        OTHERWISE.get((name, word), word)
        for word in options
        if not {(name, word), ("", word)} & LEFT_OUT.keys()
    }

    assert kept == set(parameters) - ONLY_IN_PYTHON.keys()
    assert next(iter(parameters.values())).kind is inspect.Parameter.POSITIONAL_OR_KEYWORD
    for word, option in options.items():
        if word in parameters and option.param_type_name == "option":
            assert OTHER_OPTION.get(word, f"--{word.replace('_', '-')}") in option.opts
            default = parameters[word].default
            assert (default or None) == (option.default or None) or default is inspect.Parameter.empty, word


def test_what_is_left_out_or_otherwise_is_there() -> None:
    words = {(name, parameter.name) for name in FUNCTIONS for parameter in command_of(name).params}

    assert {key for key in LEFT_OUT if key[0]} | OTHERWISE.keys() <= words


CLOCK = ("seconds", "images_per_second", "stages")


def plain(value: Any) -> Any:
    """As ``--json`` prints it, but for what a clock says."""
    data = (
        json.loads(msgspec.json.encode(value, enc_hook=str)) if not isinstance(value, dict | list) else value
    )
    return timeless(data)


def timeless(data: Any) -> Any:
    if isinstance(data, dict):
        return {key: timeless(value) for key, value in data.items() if key not in CLOCK}
    return [timeless(each) for each in data] if isinstance(data, list) else data


@pytest.fixture
def graph(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    onnx.save(tiny_model(), tmp_path / "in.onnx")
    other = tiny_model()
    other.graph.node[-1].op_type = "Sigmoid"
    onnx.save(other, tmp_path / "other.onnx")
    return Path("in.onnx")


Quiet = Callable[[Callable[[], Any]], Any]


@pytest.fixture
def quiet(capsys: pytest.CaptureFixture[str]) -> Quiet:
    """Calls a function that may print nothing, not even by a library."""

    def call(function: Callable[[], Any]) -> Any:
        capsys.readouterr()
        found = function()
        assert capsys.readouterr() == ("", "")
        return found

    return call


def test_estimate(cli: Cli, graph: Path, quiet: Quiet) -> None:
    printed = cli("estimate", graph, "--target", "ascend310p3", "--json").json

    found = quiet(lambda: convertkit.estimate(graph, target="ascend310p3"))
    loaded = quiet(lambda: convertkit.estimate(onnx.load(graph), target="ascend310p3"))

    assert plain(found) == plain(loaded) == timeless(printed)
    assert repr(found) + "\n" == cli("estimate", graph, "--target", "ascend310p3").out
    assert found.estimate.rows[0].name == "conv"


@pytest.mark.slow
def test_lint(cli: Cli, graph: Path, quiet: Quiet) -> None:
    printed = cli("lint", graph, "--target", "ascend310p3", "--json").json

    found = quiet(lambda: convertkit.lint(graph, target="ascend310p3"))
    loaded = quiet(lambda: convertkit.lint(onnx.load(graph), target="ascend310p3"))

    assert plain(found) == printed
    assert repr(found) + "\n" == cli("lint", graph, "--target", "ascend310p3").out
    assert (loaded.file, loaded.findings) == ("tiny", found.findings)


@pytest.mark.slow
def test_what_lint_finds_is_no_error_but_a_wrong_rule_is(graph: Path) -> None:
    first = convertkit.lint(graph, target="ascend310p3").findings[0]

    allowed = convertkit.lint(graph, target="ascend310p3", allow=[first.rule])

    assert first.rule in {item.rule for item in allowed.allowed}
    with pytest.raises(UsageError, match="unknown rule 'nonsense'"):
        convertkit.lint(graph, target="ascend310p3", allow=["nonsense"])


def test_diff(cli: Cli, graph: Path, quiet: Quiet) -> None:
    printed = cli("diff", graph, "other.onnx", "--json")

    found = quiet(lambda: convertkit.diff(str(graph), "other.onnx"))
    loaded = quiet(lambda: convertkit.diff(onnx.load(graph), onnx.load("other.onnx")))

    assert plain(found) == printed.json and printed.code == 1 and not found.equal
    assert repr(found) + "\n" == cli("diff", graph, "other.onnx").out
    assert loaded.difference == found.difference
    assert convertkit.diff(graph, graph).equal


def test_optimize(cli: Cli, graph: Path, quiet: Quiet) -> None:
    printed = cli("opt", graph, "-p", "fold-constants", "-o", "out.onnx", "--json").json

    found = quiet(lambda: convertkit.optimize(graph, "fold-constants", output="out.onnx"))
    kept = quiet(lambda: convertkit.optimize(onnx.load(graph), ["fold-constants"]))

    assert plain(found) == timeless(printed)
    assert found.model == kept.model == onnx.load("out.onnx")
    assert (kept.output, kept.files) == (None, ())
    summary = cli("opt", graph, "-p", "fold-constants", "-o", "out.onnx").out
    assert repr(found).startswith("pass") and repr(found).endswith(summary.rstrip())


def test_a_model_in_memory_stays_as_it_is(graph: Path) -> None:
    model = onnx.load(graph)
    before = model.SerializeToString()

    convertkit.optimize(model, "fold-constants")

    assert model.SerializeToString() == before


@pytest.mark.parametrize("form", [dict, lambda arrays: [arrays, arrays]], ids=["one", "several"])
def test_samples_may_be_arrays(graph: Path, form: Callable[..., Any]) -> None:
    samples = form({"image": np.ones((1, 3, 8, 8), np.float32)})

    (record,) = convertkit.optimize(graph, "fold-constants", samples=samples).passes

    assert record.check is not None
    assert record.check.samples == (1 if isinstance(samples, dict) else 2)


def test_samples_that_do_not_fit_are_said(graph: Path) -> None:
    with pytest.raises(UsageError, match="samples: "):
        convertkit.optimize(graph, "fold-constants", samples={"image": np.ones((1, 3, 9, 9), np.float32)})


def test_progress_is_told_to_whoever_asks(graph: Path) -> None:
    told = list[Any]()

    convertkit.optimize(graph, "simplify,fold-constants", report=told.append)

    assert [(event.name, event.index, event.total) for event in told] == [
        ("simplify", 1, 2),
        ("fold-constants", 2, 2),
    ]


def test_damage_in_memory_is_one_line(graph: Path) -> None:
    broken, missing = onnx.load(graph), onnx.load(graph)
    broken.graph.initializer[0].raw_data = b"few"
    onnx.external_data_helper.set_external_data(missing.graph.initializer[0], "elsewhere")

    with pytest.raises(ConvertkitError, match="the model is damaged"):
        convertkit.diff(broken, graph)
    with pytest.raises(ConvertkitError, match="external data is not loaded"):
        convertkit.diff(missing, graph)
    with pytest.raises(ConvertkitError, match="no graph with outputs"):
        convertkit.diff(onnx.ModelProto(), graph)


@pytest.mark.slow
def test_build(cli: Cli, tiny: Path, quiet: Quiet) -> None:
    printed = cli("build", tiny, "-o", "made", "--json").json

    again = quiet(lambda: convertkit.build(tiny, output="made"))
    fresh = quiet(lambda: convertkit.build(str(tiny), output="other", check=False))

    assert plain(again) == timeless({**printed, "fresh": False})
    assert fresh.fresh and fresh.unchecked and fresh.manifest.files == again.manifest.files
    shown = cli("build", tiny, "-o", "made").out
    assert repr(again).endswith(shown.rstrip()) and "up to date" in shown


@pytest.mark.slow
def test_verify_whose_accuracy_below_the_spec_is_a_result(cli: Cli, tmp_path: Path, quiet: Quiet) -> None:
    verify = gated(cli, tmp_path, "floor: {bbox: {AP: 1.1}}")
    printed = verify(dataset(), "--json")
    data = {
        "annotations": verify.photos.parent / "instances.json",
        "images": verify.photos,
        "runtime": "stock",
    }

    found = quiet(lambda: convertkit.verify(verify.model, **data))

    assert printed.code == 1
    assert plain(found) == timeless(printed.json)
    assert not found.verdict.ok
    assert "BAD  bbox AP 1.0000" in repr(found)


@pytest.mark.slow
def test_shards_are_merged_to_what_one_run_says(cli: Cli, tmp_path: Path, quiet: Quiet) -> None:
    verify = gated(cli, tmp_path, "floor: {bbox: {AP: 0.9}}")
    whole = verify(dataset(), "--json")
    data = {
        "annotations": verify.photos.parent / "instances.json",
        "images": verify.photos,
        "runtime": "stock",
    }

    def part(text: str) -> Any:
        return convertkit.verify(verify.model, shard=text, results="parts", **data)

    parts = [quiet(functools.partial(part, text)) for text in ("1/2", "2/2")]
    merged = quiet(lambda: convertkit.merge("parts"))

    assert "shard 1/2: 1 photos" in repr(parts[0])
    assert plain(merged) == timeless(whole.json) == timeless(cli("merge", "parts", "--json").json)


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    cv2.imwrite(str(tmp_path / "photo.png"), np.full((200, 300, 3), 128, np.uint8))
    return Path("photo.png")


@pytest.mark.slow
def test_detect(cli: Cli, boxes: Path, photo: Path, quiet: Quiet) -> None:
    printed = cli("detect", boxes, photo, "--json").json
    assert cli("detect", boxes, photo, "-o", "drawn.png").code == 0

    found = quiet(lambda: convertkit.detect(boxes, photo))

    assert plain(found) == printed and found[0].rungs["target"]
    drawn = cv2.imdecode(np.frombuffer(found[0]._repr_png_(), np.uint8), cv2.IMREAD_COLOR)
    assert np.array_equal(drawn, cv2.imread("drawn.png"))
    assert 'src="data:image/png;base64,' in found._repr_html_()
    assert not Path("detections").exists()


@pytest.mark.slow
def test_a_notebook_shows_tables(graph: Path) -> None:
    shown = convertkit.lint(graph, target="ascend310p3")._repr_html_()

    assert shown.startswith("<table><thead><tr><th") and shown.endswith("</p>")
    assert "<p>" in shown


def test_importing_convertkit_costs_next_to_nothing_and_shows_its_functions() -> None:
    code = f"import sys, convertkit; print([n for n in {HEAVY!r} if n in sys.modules], dir(convertkit))"

    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert ended.stdout.startswith("[] ")
    assert all(f"'{name}'" in ended.stdout for name in FUNCTIONS)


def test_a_function_that_is_not_there_is_said_as_python_says_it() -> None:
    with pytest.raises(AttributeError, match="module 'convertkit' has no attribute 'optimise'"):
        convertkit.optimise  # noqa: B018
