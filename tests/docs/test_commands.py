"""Every command that a page shows is run here, in the order of the page, or says in tests/docs/shown.py why not."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from convertkit.graph import domains
from tests.conftest import Cli
from tests.docs.shown import NOT_RUN, PAGES, ROOT, commands, reason
from tests.offline.conftest import detector_graph

RUN = {page: [command for command in commands(page) if not reason(command)] for page in PAGES}

FEW = ["--limit", "2"]
"""Photos: what is added to a command that would take minutes, also over what the page says."""

ENDS = {"diff": {1}, "lint": {0, 1}, "bisect": {0, 1}, "verify": {0, 5}}
"""Exit codes that are an answer: files differ, errors are left, a pass that breaks something, too few photos."""


def test_every_command_is_run_or_says_why_not() -> None:
    shown = [command for page in PAGES for command in commands(page)]
    kept = [command for command in shown if reason(command)]

    assert len(shown) > 85 and len(shown) - len(kept) >= 40, f"{len(shown)} shown, {len(kept)} not run"
    assert [pattern for pattern in NOT_RUN if not any(re.search(pattern, command) for command in kept)] == []
    foreign = [
        command
        for commands_ in RUN.values()
        for command in commands_
        if not command.startswith("convertkit ")
    ]
    assert foreign == []


def test_blocks_of_every_form_are_read(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "    convertkit a && convertkit b  # c\n\n```sh\n$ make x\nconvertkit d\n```\n\n`convertkit e`\n"
    )

    assert commands(page) == ["convertkit a", "convertkit b", "make x", "convertkit d"]
    assert reason("convertkit env build models/maskrcnn") and not reason("convertkit list models")


def test_the_rules_that_a_page_names_exist() -> None:
    from convertkit_ascend.linter.rules import catalogue

    named = re.findall(r"`\[([a-z-]+)\]`", (ROOT / "docs" / "preflight.md").read_text())

    assert len(named) > 4 and set(named) - {"rule"} <= {rule.id for rule in catalogue()}


def open_graph() -> onnx.ModelProto:
    """A graph of opset 18 whose picture has no size yet."""
    sides = [1, 3, "height", "width"]
    tensors = [helper.make_tensor_value_info(name, TensorProto.FLOAT, sides) for name in ("images", "y")]
    graph = helper.make_graph([helper.make_node("Relu", ["images"], ["y"])], "g", tensors[:1], tensors[1:])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)


def scene(page: Path) -> None:
    """What the commands speak of, in the working directory: packages, graphs, a photo, the page's own plugins."""
    Path("models").symlink_to(ROOT / "models")
    cv2.imwrite("photo.jpg", np.random.default_rng(0).integers(0, 255, (240, 320, 3), dtype=np.uint8))
    graph = helper.make_graph(
        [helper.make_node("Dropout", ["x"], ["kept"]), helper.make_node("Relu", ["kept"], ["y"])],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [2, 3])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [2, 3])],
    )
    small = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 11)], ir_version=6)
    for name in ("model.onnx", "before.onnx", "FILE.onnx"):
        onnx.save(small, name)
    del graph.node[0]
    graph.node[0].input[0] = "x"
    onnx.save(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 11)], ir_version=6), "after.onnx"
    )
    onnx.save(detector_graph(), "detector.onnx")
    onnx.save(open_graph(), "open.onnx")
    for block in re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL):
        for word, name in (
            ("DropDropout", "drop_dropout"),
            ("FuseActivations", "fuse_activations"),
            ("MyChip", "mychip"),
        ):
            if f"class {word}(" in block:
                Path(f"{name}.py").write_text(block)


def words(command: str) -> list[str]:
    given = [{"PHOTO": "photo.jpg"}.get(word, word) for word in shlex.split(command)[1:]]
    if given[0] == "bench":
        return [*given, "--loops", "1", "--photos", "0"]
    photos = given[0] == "verify" or "--accuracy" in given
    return [*given, *FEW] if photos else given


@pytest.fixture
def kept(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """A home for all pages, so that a step of a build runs once."""
    home = tmp_path_factory.getbasetemp() / "home-of-pages"
    home.mkdir(exist_ok=True)
    monkeypatch.setenv("CONVERTKIT_HOME", str(home))
    monkeypatch.setattr(
        domains, "_domains", dict(domains._domains)
    )  # an example's is not there any more afterwards


@pytest.mark.slow
@pytest.mark.usefixtures("kept")
@pytest.mark.parametrize("page", [page for page in PAGES if RUN[page]], ids=lambda page: page.name)
def test_the_commands_of_a_page_run(cli: Cli, page: Path) -> None:
    scene(page)

    for command in RUN[page]:
        done = cli(*words(command))
        assert done.code in ENDS.get(shlex.split(command)[1], {0}), f"{command}: exit {done.code}\n{done.err}"
