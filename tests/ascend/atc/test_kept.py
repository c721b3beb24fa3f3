"""Whether nodes that were to stay in fp32 did: looked up in what the compiler left, here the stand-in's."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
from convertkit_ascend.atc import Local, compile_with_atc
from convertkit_ascend.atc.kept import HALF, LOST, MISSING, OBEYED, UNTOLD, Kept, look_up
from hypothesis import given
from hypothesis import strategies as st

from convertkit.errors import UsageError
from tests.ascend.atc.asked import KEEPING, OPTIONS


def compiled(models: dict[str, Path], place: Path, *names: str) -> tuple[Kept, ...]:
    keeping = dataclasses.replace(KEEPING, keep_dtype=names)
    return compile_with_atc(models["plain"], keeping, place / "net.om", compiler=Local()).kept


def test_what_the_compiler_kept_is_obeyed(models: dict[str, Path], stand_in: Path, tmp_path: Path) -> None:
    (found,) = compiled(models, tmp_path, "relu_1")

    assert (found.node, found.outcome, found.together) == ("relu_1", OBEYED, ())
    assert [path.name for path in tmp_path.glob("net*")] == ["net.om"]


@pytest.mark.parametrize("by", ["ReluPairFusionPass", "ReluPairFusionPass?"])
def test_what_a_fusion_took_is_lost_and_its_switch_is_named(
    models: dict[str, Path], stand_in: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, by: str
) -> None:
    monkeypatch.setenv("STAND_IN_ATC_FUSES", f"relu_1+relu_2:{by}")

    first, second = compiled(models, tmp_path, "relu_1", "relu_2")

    certain = not by.endswith("?")
    assert (first.outcome, first.together) == (LOST, ("relu_2",))
    assert (second.outcome, second.together) == (LOST, ("relu_1",))
    assert first.fusions == ("ReluPairFusionPass",) and first.certain == certain
    which = "ReluPairFusionPass" if certain else "one of ReluPairFusionPass"
    assert str(first) == f"relu_1: lost to a fusion with relu_2 (fusion_off: [{which}])"


def test_types_of_operators_are_not_looked_up(
    models: dict[str, Path], stand_in: Path, tmp_path: Path
) -> None:
    assert compiled(models, tmp_path, "OpType::Relu") == ()


def test_without_nodes_to_keep_atc_runs_once(models: dict[str, Path], stand_in: Path, tmp_path: Path) -> None:
    done = compile_with_atc(models["plain"], OPTIONS, tmp_path / "net.om", compiler=Local())

    assert done.kept == () and done.unknown == ""


def test_a_model_is_a_model_where_nothing_can_be_looked_up(
    models: dict[str, Path], stand_in: Path, tmp_path: Path
) -> None:
    script = stand_in.read_text().replace("exec ", 'case "$*" in *--mode=1*) exit 3;; esac\nexec ')
    stand_in.write_text(script)

    done = compile_with_atc(models["plain"], KEEPING, tmp_path / "net.om", compiler=Local())

    assert done.path.is_file() and done.kept == ()
    assert done.unknown.startswith("atc --mode=1 ") and "failed" in done.unknown


def operator(name: str, kind: str, *origins: str, by: str = "") -> dict[str, object]:
    attributes: list[dict[str, object]] = []
    if origins:
        attributes.append({"key": "_datadump_original_op_names", "value": {"list": {"s": list(origins)}}})
    if by:
        attributes.append({"key": "pass_name", "value": {"list": {"s": [by]}}})
    return {"name": name, "attr": attributes, "output_desc": [{"dtype": kind}]}


def written(place: Path, *operators: dict[str, object], fusions: object = None) -> tuple[Path, Path]:
    (graph := place / "graph.json").write_text(json.dumps({"graph": [{"op": operators}]}))
    result = place / "fusion_result.json"
    if fusions is not None:
        result.write_text(json.dumps(fusions))
    return graph, result


def test_nodes_are_found_by_what_they_were_called(tmp_path: Path) -> None:
    fusions = [{"graph_fusion": {"A": {"effect_times": "2"}}}, {"ub_fusion": {"B": {"effect_times": 0}}}]
    files = written(
        tmp_path,
        operator("renamed", "DT_FLOAT", "first"),
        operator("second", "DT_FLOAT16"),
        operator("pair", "DT_FLOAT16", "third", "fourth", by="C"),
        fusions=fusions,
    )

    found = look_up(["first", "second", "third", "absent"], *files)

    assert [one.outcome for one in found] == [OBEYED, HALF, LOST, MISSING]
    assert (found[0].operator, found[2].fusions, found[3].fusions) == ("renamed", ("C",), ("A",))


def test_without_a_type_nothing_is_said_to_be_obeyed(tmp_path: Path) -> None:
    bare = {"name": "bare"}
    untyped = {"name": "untyped", "output_desc": [{"dtype": "DT_FLOAT"}, {}]}

    found = look_up(["bare", "untyped"], *written(tmp_path, bare, untyped))

    assert [one.outcome for one in found] == [UNTOLD, UNTOLD]


def test_a_cast_behind_a_node_that_bears_its_name_does_not_speak_for_it(tmp_path: Path) -> None:
    cast = {**operator("trans_Cast_1", "DT_FLOAT", "node"), "type": "Cast"}

    found = look_up(["node"], *written(tmp_path, operator("node", "DT_FLOAT16"), cast))

    assert [one.outcome for one in found] == [HALF]


def test_of_a_node_in_two_parts_both_have_to_be_fp32(tmp_path: Path) -> None:
    parts = [operator("one", "DT_FLOAT16", "node"), operator("two", "DT_FLOAT", "node")]

    assert look_up(["node"], *written(tmp_path, *parts))[0].outcome == HALF
    assert look_up(["node"], *written(tmp_path, parts[1]))[0].outcome == OBEYED


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["graph", "op", "name", "attr", "key", "value", "list", "s", "output_desc", "dtype"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(JSON, JSON)
def test_whatever_the_files_hold_every_node_has_an_outcome(
    tmp_path_factory: pytest.TempPathFactory, graph: object, fusions: object
) -> None:
    place = tmp_path_factory.getbasetemp()
    (place / "g.json").write_text(json.dumps(graph))
    (place / "f.json").write_text(json.dumps(fusions))

    (found,) = look_up(["a"], place / "g.json", place / "f.json")

    assert found.outcome in (OBEYED, LOST, HALF, MISSING)


def test_what_is_no_json_is_named(tmp_path: Path) -> None:
    (tmp_path / "graph.json").write_text("{")

    with pytest.raises(UsageError, match=r"graph\.json: not JSON"):
        look_up(["a"], tmp_path / "graph.json", tmp_path / "none")
