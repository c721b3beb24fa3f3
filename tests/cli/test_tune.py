"""``convertkit tune``: points with a bound of their speed and their accuracy, and one of them as a variant."""

from __future__ import annotations

import json
import os
import random
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from tests.conftest import Cli, Outcome
from tests.finder import dataset, write_finder, write_photos

Run = Callable[..., Outcome]
PHOTOS = 4
MASKS = ("--lever", "masks")
KILLS = 8


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A finder by roles alone, whose masks come out of a convolution, one for each class."""
    root = write_finder(tmp_path / "finder", spread=0.001)
    text = (root / "model.yaml").read_text()
    (root / "model.yaml").write_text(text.replace("plugin: plugin.py\n", ""))
    proto = onnx.load(root / "small.onnx")
    rng = np.random.default_rng(0)
    last = next(node for node in proto.graph.node if node.output[0] == "masks")
    last.CopyFrom(helper.make_node("Conv", ["features_", "kernel"], ["masks"], name="logits"))
    values = {"features_": rng.random((2, 5, 4, 4)), "kernel": 1 + rng.random((3, 5, 1, 1))}
    for name, value in values.items():
        proto.graph.initializer.append(numpy_helper.from_array(value.astype(np.float32), name))
    onnx.save(proto, root / "small.onnx")
    return root


@pytest.fixture
def tune(cli: Cli, model: Path, tmp_path: Path) -> Run:
    (tmp_path / "instances.json").write_text(json.dumps(dataset(photos=PHOTOS)))
    photos = write_photos(tmp_path / "photos", PHOTOS)
    words = ("--annotations", tmp_path / "instances.json", "--images", photos)
    return lambda *more: cli("tune", model, "--target", "ascend310p3", *words, *more)


@pytest.mark.slow
def test_the_table_and_the_record_say_the_same(tune: Run) -> None:
    done, again = tune(*MASKS), tune(*MASKS, "--json")

    assert done.code == 0, done.err
    lines = done.out.splitlines()
    assert lines[0] == f"finder small on ascend310p3, 3 points, accuracy on {PHOTOS} photos"
    found = again.json
    assert found["levers"] == {"masks": ["every-class", "selected", "pruned"]}
    names = [
        ", ".join(f"{lever}={one['settings'][lever]}" for lever in one["changed"]) for one in found["points"]
    ]
    assert names == ["", "masks=selected", "masks=pruned"]
    assert all(any(name in line for line in lines) for name in names)
    assert [set(one["differences"]) for one in found["points"]] == [{"bbox", "segm"}] * 3
    fastest = max(found["points"], key=lambda one: one["price"]["images_per_second"])
    assert fastest["front"]
    assert "point 3 of at most 3: masks=pruned: 4/4 images" in done.err
    assert "4/4 images" not in again.err, "nothing is run twice"


@pytest.mark.slow
def test_what_is_emitted_is_built_to_the_graph_of_the_point(cli: Cli, tune: Run, model: Path) -> None:
    found = tune(*MASKS, "--choose", 2, "--emit", "mine.yaml", "--json").json

    built = cli("build", model, "--variant", "mine.yaml", "--target", "ascend310p3", "-o", "out")
    built_by_name = cli("build", model, "--target", "ascend310p3", "-o", "stock")

    assert (built.code, built_by_name.code) == (0, 0), built.err
    text = Path("mine.yaml").read_text()
    assert text.startswith("# by convertkit tune: point 2 of finder small on ascend310p3: masks=selected\n")
    assert text.endswith("extends: small\nsize: [32, 32]\npasses: [select-class-masks]\n")
    assert found["chosen"] == 2 and found["file"] == "mine.yaml"
    passes = [
        step for step in json.loads(Path("out/manifest.json").read_text())["steps"] if step["kind"] == "pass"
    ]
    assert passes[-1]["result"] == found["points"][1]["graphs"][0]


@pytest.mark.slow
def test_what_the_sweep_was_told_is_said_where_its_point_is_to_be_built(
    cli: Cli, tune: Run, model: Path
) -> None:
    told = ("-p", "set-opset-window", "-O", "aicore_num=2")
    done = tune(*MASKS, *told, "--choose", 2, "--emit", "mine.yaml")
    line = next(line for line in done.out.splitlines() if line.startswith("written to mine.yaml: "))
    command = shlex.split(line.removeprefix("written to mine.yaml: convertkit "))

    built = cli(command[0], model, *command[2:], "-o", "out")

    assert command[-4:] == ["--pipeline", "set-opset-window", "-O", "aicore_num=2"], line
    assert built.code == 0, built.err
    steps = json.loads(Path("out/manifest.json").read_text())["steps"]
    graphs = tune(*MASKS, *told, "--json").json["points"][1]["graphs"]
    assert [step["result"] for step in steps if step["kind"] == "pass"][-1] == graphs[0]
    assert "# to be built as it was swept, with --pipeline set-opset-window" in Path("mine.yaml").read_text()


@pytest.mark.slow
def test_the_page_has_every_point_the_front_and_what_is_not_known(tune: Run) -> None:
    done = tune(*MASKS, "--report", "page.html")

    assert done.code == 0 and "wrote page.html" in done.err, done.err
    text = Path("page.html").read_text()
    assert text.count("<svg") == 2, "for a desktop and for a phone"
    for words in ("masks=pruned", "an upper bound by peak figures", "Beside point 1", "chosen"):
        assert words in text
    alone = tune("--price-only", *MASKS, "--report", "alone.html")
    assert alone.code == 0 and "priced alone, nothing was chosen" in Path("alone.html").read_text()


@pytest.mark.slow
def test_prices_alone_need_no_labels_and_choose_nothing(cli: Cli, model: Path) -> None:
    done = cli("tune", model, "--target", "ascend310p3", "--price-only", *MASKS, "--json")

    assert done.code == 0, done.err
    assert (done.json["photos"], done.json["chosen"], done.json["allowed"]) == (0, None, None)
    assert [one["scores"] for one in done.json["points"]] == [{}] * 3


@pytest.mark.slow
@pytest.mark.parametrize(
    ("more", "line"),
    [
        (
            ("--lever", "mask"),
            "error: unknown lever 'mask' (did you mean 'masks'? "
            "known: batch, detections, masks, profiles, proposals)",
        ),
        (
            ("--lever", "masks=prunned"),
            "error: --lever masks=prunned: there is no such way (did you mean 'pruned'? "
            "every-class, selected, pruned)",
        ),
        (("--choose", 9, *MASKS), "error: --choose 9: there are points 1 to 3"),
        (
            ("--choose", 9, "--budget", 2),
            "error: --choose 9: of a budget of 2 points there is none of that number",
        ),
        (("--emit", "."), "error: --emit . is a directory (give a file's name)"),
        (
            ("--price-only", "--emit", "a.yaml"),
            "error: --emit: prices alone choose no point (give --choose NUMBER)",
        ),
        (("--price-only", "--drop", 0.1), "error: --drop has no meaning for prices alone (leave it out)"),
        (
            ("--weights", "random:0"),
            "error: --weights random:0 find nothing, so accuracy cannot be measured (add --price-only)",
        ),
    ],
)
def test_a_mistake_is_one_line(tune: Run, more: tuple[object, ...], line: str) -> None:
    done = tune(*more)

    assert (done.code, done.err.splitlines()[-1]) == (2, line)


@pytest.mark.slow
def test_photos_have_to_be_told_and_the_chip_known(cli: Cli, model: Path) -> None:
    without = cli("tune", model, "--target", "ascend310p3")
    unknown = cli("tune", model, "--target", "cpu", "--price-only")

    assert without.err.splitlines()[-1].startswith("error: variant small has no dataset of its own")
    assert unknown.code == 2 and "has no figures of its machine" in unknown.err.splitlines()[-1]


@pytest.mark.slow
def test_a_sweep_killed_at_random_moments_ends_with_the_same_bytes(model: Path, tmp_path: Path) -> None:
    (tmp_path / "instances.json").write_text(json.dumps(dataset(photos=PHOTOS)))
    photos = write_photos(tmp_path / "photos", PHOTOS)
    words = [
        model,
        "--target",
        "ascend310p3",
        "--annotations",
        tmp_path / "instances.json",
        "--images",
        photos,
        *MASKS,
    ]

    def start(home: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "convertkit", "tune", *map(str, words), "--json"]
        environment = {**os.environ, "CONVERTKIT_HOME": str(tmp_path / home), "OMP_NUM_THREADS": "1"}
        return subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL, stdout=subprocess.PIPE)

    begin = time.monotonic()
    expected, _ = start("home").communicate()
    duration, rng, killed = time.monotonic() - begin, random.Random(15), 0
    assert json.loads(expected)["photos"] == PHOTOS

    for _ in range(KILLS):
        made = start("killed")
        time.sleep(rng.uniform(0, duration))
        killed += made.poll() is None
        made.send_signal(signal.SIGKILL)
        made.communicate()

    assert start("killed").communicate()[0] == expected and killed >= KILLS // 4
