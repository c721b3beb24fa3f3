"""Options of a target's compiler: from the specification and the command line into the exact command, or refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from convertkit.conversion.manifest import read_manifest
from tests.ascend.atc.conftest import bin_dir, no_orphans, stand_in
from tests.conftest import Cli

__all__ = ["bin_dir", "no_orphans", "stand_in"]

TARGET = ("--target", "ascend310p3", "-o", "made")

PLANTED = """
from convertkit.api.passes import GraphPass, hookimpl


class Planted(GraphPass):
    \"""Put a node of its own in the place of Relu.\"""

    name = "planted"
    effect = "exact"

    def run(self, graph):
        for node in graph.find(op="Relu"):
            made = graph.add("Relu", node.inputs, name="nms_rpn")
            graph.replace(node.outputs[0], made)


@hookimpl
def register_passes(register):
    register(Planted)
"""


def specify(tiny: Path, package: object = None, variant: object = None) -> None:
    path = tiny / "model.yaml"
    spec = yaml.safe_load(path.read_text())
    spec["targets"] = package or {}
    spec["variants"]["small"]["targets"] = variant or {}
    path.write_text(yaml.safe_dump(spec))


def command() -> list[str]:
    return json.loads(Path("made/atc.json").read_text())["command"]


def test_they_are_in_the_command_the_last_word_wins(cli: Cli, tiny: Path, bin_dir: Path) -> None:
    specify(
        tiny,
        {"ascend310p3": {"precision_mode": "force_fp16", "aicore_num": 2, "deterministic": True}},
        {"ascend310p3": {"aicore_num": 4}},
    )

    done = cli("build", tiny, *TARGET, "-O", "deterministic=false", "-O", "--buffer_optimize=off_optimize")

    assert done.code == 0, done.err
    assert command()[7:] == [
        "--soc_version=Ascend310P3",
        "--precision_mode=force_fp16",
        "--buffer_optimize=off_optimize",
        "--aicore_num=4",
        "--deterministic=0",
    ]


def test_what_is_printed_is_preflight_and_the_command(cli: Cli, tiny: Path, bin_dir: Path) -> None:
    done = cli("build", tiny, *TARGET)

    lines = done.out.splitlines()
    assert lines[0].startswith("preflight for Ascend310P3: 0 errors, ")
    assert lines[1] == "atc \\"
    assert lines[1:9] == [
        *(f"{word} \\" if word == "atc" else f"    {word} \\" for word in command()[:-1]),
        f"    {command()[-1]}",
    ]
    assert cli("build", tiny, *TARGET).out.splitlines()[:9] == lines[:9]


@pytest.mark.slow
def test_other_options_are_another_artifact_and_only_compiling_is_repeated(
    cli: Cli, tiny: Path, bin_dir: Path
) -> None:
    cli("build", tiny, *TARGET)
    plain = read_manifest(Path("made/manifest.json"))

    again = cli("build", tiny, *TARGET, "-O", "log=null", "-O", "precision_mode=force_fp16")

    assert again.code == 0, again.err
    other = read_manifest(Path("made/manifest.json"))
    assert [step.key for step in other.steps[:-1]] == [step.key for step in plain.steps[:-1]]
    assert other.steps[-1].facts["options"] == {"log": None, "precision_mode": "force_fp16"}
    assert "cached" in again.err


@pytest.mark.slow
def test_the_hint_for_the_next_command_means_this_artifact(cli: Cli, tiny: Path, bin_dir: Path) -> None:
    specify(tiny)
    spec = yaml.safe_load((tiny / "model.yaml").read_text())
    spec["variants"]["small"]["dataset"] = {"annotations": "a.json", "images": "b"}
    (tiny / "model.yaml").write_text(yaml.safe_dump(spec))

    done = cli("build", tiny, *TARGET, "-O", "out_nodes=y 1")

    assert done.code == 2
    done = cli("build", tiny, *TARGET, "-O", "precision_mode=force_fp16")
    words = f"{tiny} --variant small --target ascend310p3 --output made --option precision_mode=force_fp16"
    assert f"next: convertkit verify {words}" in done.out.splitlines()


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["precision_mod=x"], "unknown ATC option 'precision_mod' (did you mean 'precision_mode'"),
        (["plna=plan.yaml"], "unknown ATC option 'plna' (did you mean 'plan'"),
        (["precision_mode=force_fp17"], "--precision_mode is 'force_fp17' (did you mean 'force_fp16'?"),
        (["aicore_num=eight"], "ATC option aicore_num is 'eight' (expected `int | null`, got `str`)"),
        (["aicore_num=9"], "--aicore_num is 9 (Ascend310P3 has 1 to 8; ATC says E20103)"),
        (["modify_mixlist={keeps: [Exp]}"], "unknown key of ATC option modify_mixlist 'keeps' (did you mean"),
        (["precision_mode=force_fp16", "precision_mode_v2=fp16"], "--precision_mode and --precision_mode_v2"),
        (["soc_version=Ascend310P1"], "option 'soc_version' is not to be set (--target says it)"),
        (["insert_op_conf=x"], "option 'insert_op_conf' is not to be set (say normalize: target"),
        (["log"], "--option 'log' has no value (write NAME=VALUE)"),
        (["log=info", "log=debug"], "--option log is given twice"),
        (["debug_dir={"], "--option debug_dir: '{' cannot be read"),
        (["log=!!bool maybe"], "--option log: '!!bool maybe' cannot be read (put it in quotes)"),
        (["log=" + 3000 * "["], f"--option log: '{60 * '['}...' cannot be read"),
        (['fusion_off=["\\ud800"]'], "--option fusion_off: "),
        (["input_shape=image:" + 5000 * "9"], "--input_shape: '99999"),
        (["allow=5"], "option allow is 5 (a rule, or a list of rules)"),
        (["out_nodes=reshape:7"], "--out_nodes: the graph has no 'reshape:7' (did you mean 'reshape:0'?)"),
        (["log=2026-01-01"], "--option log: '2026-01-01' cannot be read (put it in quotes)"),
        (["precision_mode=force_fp16", "keep_dtype=[OpType::Exp, conv9]"], "--keep_dtype: the graph has no 'conv9'"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_line_and_nothing_is_written(
    cli: Cli, tiny: Path, bin_dir: Path, words: list[str], line: str
) -> None:
    done = cli("build", tiny, *TARGET, *(word for text in words for word in ("-O", text)))

    assert done.code == 2
    assert done.err.splitlines()[-1].startswith(f"error: {line}"), done.err
    assert not Path("made").exists()


def test_a_range_of_sizes_is_said_to_leave_one_open(cli: Cli, tiny: Path, bin_dir: Path) -> None:
    done = cli("build", tiny, *TARGET, "-O", "input_shape=image:1~2,3,8,8")

    assert done.code == 4
    assert (
        "image: --input_shape leaves it open: (-1, 3, 8, 8) [input-shape-missing]"
        in done.err.splitlines()[-1]
    )


def test_no_rule_may_be_allowed(cli: Cli, tiny: Path, bin_dir: Path) -> None:
    done = cli("build", tiny, *TARGET, "-O", "allow=")

    assert done.code == 0, done.err


@pytest.mark.slow
def test_an_option_may_want_the_chip_to_normalise(cli: Cli, tiny: Path, bin_dir: Path) -> None:
    path = tiny / "model.yaml"
    path.write_text(path.read_text().replace("std: [1, 1, 1]}", "std: [1, 1, 1], normalize: target}"))

    done = cli("build", tiny, *TARGET, "-O", "enable_small_channel=true")
    refused = cli("build", tiny, *TARGET, "-O", "input_format=ND")

    assert done.code == 0, done.err
    assert "--enable_small_channel=1" in command()
    assert refused.err == "error: --insert_op_conf and --input_format=ND exclude each other (say NCHW)\n"


def test_a_target_without_a_compiler_takes_none(cli: Cli, tiny: Path) -> None:
    done = cli("build", tiny, "-O", "precision_mode=force_fp16")

    assert done.err == "error: option 'precision_mode': target cpu takes none (leave it out)\n"


def test_a_misspelt_target_in_the_specification_is_noticed_a_strangers_is_not(cli: Cli, tiny: Path) -> None:
    specify(tiny, {"ascend310p33": {}})
    misspelt = cli("build", tiny)
    specify(tiny, {"drawer9000": {"speed": 9}})

    assert misspelt.code == 2
    assert misspelt.err == "error: targets: unknown target 'ascend310p33' (did you mean 'ascend310p3'?)\n"
    assert cli("build", tiny).code == 0


@pytest.mark.slow
def test_a_compiled_artifact_is_repeated_with_its_options_but_not_compiled_again(
    cli: Cli, tiny: Path, stand_in: Path
) -> None:
    cli("build", tiny, *TARGET, "-O", "precision_mode=force_fp16")
    stand_in.unlink()

    done = cli("replay", "made/manifest.json", "--model", tiny)

    assert done.code == 0, done.err
    assert done.out.splitlines()[-1].endswith("compile, without model.om: same result")
    assert Path("made/model.om").is_file()


def test_a_mistake_in_the_specification_is_said_to_be_there(cli: Cli, tiny: Path) -> None:
    specify(tiny, {"ascend310p3": {"precision_mod": "force_fp16"}})

    done = cli("build", tiny, *TARGET, "-O", "log=info")

    assert done.code == 2
    assert done.err.startswith(
        "error: tiny: targets.ascend310p3: unknown ATC option 'precision_mod' (did you mean"
    )


def test_show_lists_them(cli: Cli) -> None:
    shown = cli("show", "target", "ascend310p3", "--json").json["options"]

    assert shown["precision_mode"].startswith("force_fp16 | force_fp32 | ")
    assert shown["keep_dtype"] == "[text, ...]"
    assert "soc_version" not in shown


@pytest.mark.slow
def test_an_error_of_the_compiler_names_the_pass_a_node_came_from(
    cli: Cli, tiny: Path, bin_dir: Path, stand_in: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("planted.py").write_text(PLANTED)
    words = (
        "--compiler",
        "none",
        "--plugin",
        "planted.py",
        "-p",
        "planted,fold-constants,cast-int64-to-int32",
    )
    assert cli("build", tiny, *TARGET, *words).code == 0
    assert json.loads(Path("made/origins.json").read_text())["nms_rpn"] == "pass planted"
    monkeypatch.setenv("STAND_IN_ATC", "fusion-failure")  # it speaks of op[nms_rpn]

    done = cli("compile", "made")

    assert done.code == 4
    assert any("nms_rpn" in line and "pass planted" in line for line in done.err.splitlines()), done.err
    assert not Path("made/model.om").exists()
