"""A plan as a file: the same bytes, read back, and refused in one line where it is none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from msgspec import structs

from convertkit.conversion.precision_plan import (
    Entry,
    Figure,
    PrecisionPlan,
    TakenPlan,
    doubts,
    plan_text,
    read_plan,
    with_plan,
)
from convertkit.errors import SpecError, UsageError
from convertkit.plugins.loading import open_plugins
from convertkit.targets.base import Target
from tests.ascend.chip import CHIP

MODE = {"precision_mode": "force_fp16"}


def plan(*entries: Entry, target: str = CHIP.name) -> PrecisionPlan:
    return PrecisionPlan(
        "maskrcnn", "mini", target, "target graph", "0" * 64, ("a.png", "b.png"), 0.1, True, Figure(1.0, 1.0, 1.0),
        Figure(0.05, 0.01, 0.08), None, 5, False, 9, entries, {},
    )  # fmt: skip


LOSS = Entry(("/neck/Add", "/neck/Relu"), "loss", 0.5, 0.05, cost_ms=0.002)
OVERFLOW = Entry(("a: b",), "overflow", 1.0, 0.05, "t", 7e4)


def written(tmp_path: Path, made: PrecisionPlan) -> Path:
    path = tmp_path / "plan.yaml"
    path.write_text(plan_text(made))
    return path


def test_it_is_read_as_it_was_written_and_leaves_out_what_does_not_apply(tmp_path: Path) -> None:
    made = plan(LOSS, OVERFLOW)
    path = written(tmp_path, made)

    assert read_plan(path) == made and plan_text(read_plan(path)) == path.read_text()
    assert made.keep == ("/neck/Add", "/neck/Relu", "a: b")
    assert yaml.safe_load(path.read_text())["entries"][0] == {
        "nodes": ["/neck/Add", "/neck/Relu"],
        "why": "loss",
        "before": 0.5,
        "after": 0.05,
        "cost_ms": 0.002,
    }


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"entries": [{"nodes": [1], "why": "loss", "before": 1, "after": 0}]}, r"entries\[0\].nodes\[0\]"),
        ({"entries": [{"nodes": ["n"], "why": "lost", "before": 1, "after": 0}]}, "'lost' is not known"),
        ({"entrys": []}, "unknown key 'entrys'"),
        ({"met": "perhaps"}, "met: Expected `bool`"),
    ],
)
def test_what_is_no_plan_is_refused(tmp_path: Path, change: dict[str, Any], words: str) -> None:
    path = tmp_path / "plan.yaml"
    path.write_text(yaml.safe_dump({**yaml.safe_load(plan_text(plan(LOSS))), **change}))

    with pytest.raises(SpecError, match=words) as caught:
        read_plan(path)

    assert str(path) in caught.value.message and "\n" not in caught.value.message


@pytest.mark.parametrize(
    "text", ["!!python/object/apply:os.system [ls]", "a: &a [*a]", "- [" * 90, "x" * (1 << 21)]
)
def test_a_hostile_file_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "plan.yaml"
    path.write_text(text)

    with pytest.raises(SpecError):
        read_plan(path)


def test_an_option_stands_for_the_nodes_of_the_file(tmp_path: Path) -> None:
    written(tmp_path, plan(LOSS))

    found, taken = with_plan(CHIP, {"plan": "plan.yaml"}, tmp_path, {"aicore_num": 2}, "maskrcnn")

    assert taken == TakenPlan(tmp_path / "plan.yaml", plan(LOSS))
    assert found == {"aicore_num": 2, **MODE, "keep_dtype": list(LOSS.nodes)}


def test_an_empty_plan_adds_nothing_and_a_plan_is_over_the_nodes_of_the_package(tmp_path: Path) -> None:
    below = {"precision_mode_v2": "fp16", "keep_dtype": ["other"]}
    empty = written(tmp_path, plan())

    assert with_plan(CHIP, {"plan": str(empty)}, Path(), below, "maskrcnn")[0] == {
        "precision_mode_v2": "fp16"
    }
    full = written(tmp_path, plan(LOSS))
    assert with_plan(CHIP, {"plan": str(full)}, Path(), below, "maskrcnn")[0] == {
        **below,
        "keep_dtype": list(LOSS.nodes),
    }


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (
            {"precision_mode": "must_keep_origin_dtype"},
            "option precision_mode=must_keep_origin_dtype does not go",
        ),
        ({"precision_mode_v2": "mixed_float16"}, "option precision_mode_v2=mixed_float16 does not go"),
        ({**MODE, "customize_dtypes": [{"name": "n"}]}, "option customize_dtypes does not go with a plan"),
        ({"keep_dtype": ["n"]}, "options plan and keep_dtype exclude each other"),
    ],
)
def test_what_atc_would_ignore_or_overrule_is_refused(
    tmp_path: Path, options: dict[str, Any], words: str
) -> None:
    written(tmp_path, plan(LOSS))

    with pytest.raises(UsageError, match=words):
        with_plan(CHIP, {"plan": "plan.yaml", **options}, tmp_path, {}, "maskrcnn")


def test_a_plan_for_another_chip_or_model_and_a_value_that_is_no_path_are_refused(tmp_path: Path) -> None:
    written(tmp_path, plan(LOSS, target="ascend310p1"))

    with pytest.raises(UsageError, match="is a plan for ascend310p1, not for ascend310p3"):
        with_plan(CHIP, {"plan": "plan.yaml"}, tmp_path, {}, "maskrcnn")
    with pytest.raises(UsageError, match="is a plan for maskrcnn, not for yolox"):
        with_plan(CHIP, {"plan": "plan.yaml"}, tmp_path, {}, "yolox")
    with pytest.raises(UsageError, match="option plan is 7"):
        with_plan(CHIP, {"plan": 7}, tmp_path, {}, "maskrcnn")


def test_a_target_without_a_mixture_has_no_such_option(tmp_path: Path) -> None:
    target: Target = open_plugins().targets.get("cpu")

    assert with_plan(target, {"plan": "plan.yaml"}, tmp_path, {}, "maskrcnn") == (
        {"plan": "plan.yaml"},
        None,
    )


def test_a_plan_that_is_for_this_graph_and_within_its_limit_leaves_no_doubt() -> None:
    made = plan(LOSS)

    assert [*doubts(None, "0" * 64)] == [*doubts(TakenPlan(Path("plan.yaml"), made), made.graph)] == []


def test_a_plan_for_another_graph_or_beyond_its_limit_is_doubted() -> None:
    missed = structs.replace(plan(LOSS), met=False)

    assert [*doubts(TakenPlan(Path("plan.yaml"), missed), "1" * 64)] == [
        "plan plan.yaml does not meet its limit: loss 0.0500 [0.0100, 0.0800], limit 0.1",
        "plan plan.yaml is for another graph, 000000000000 of variant mini, not for this 111111111111: what its "
        "nodes bring here was not looked at; convertkit plan makes one",
    ]
