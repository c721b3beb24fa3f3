"""What a build leaves where there is no ATC: complete, the same everywhere, refused before ATC where it is wrong."""

from __future__ import annotations

import json
import shlex
import subprocess
from pathlib import Path

import onnx
import pytest
from convertkit_ascend.atc import AtcOptions, parse_shapes
from convertkit_ascend.bundle import atc_json
from convertkit_ascend.bundle.ask import ask
from convertkit_ascend.bundle.preflight import PreflightError
from convertkit_ascend.target import TARGETS

from convertkit.api.models import PreprocessSpec
from convertkit.api.targets import Pixels
from convertkit.conversion.keys import compile_facts
from convertkit.errors import UnavailableError, UsageError
from tests.ascend.atc.conftest import executable
from tests.ascend.chip import CHIP, PLAIN, chosen, told
from tests.ascend.handover.test_handover import of_pipeline
from tests.graphtext import parse

GRAPH = """
(float[1,3,8,8] input, float[1,4] picture) => (float[1,3,8,8] y, float[1,4] z) {
    y = Relu(input)
    z = Neg(picture)
}
"""
FILES = ["ascend.onnx", "atc.json", "compile.sh", "origins.json", "preflight.json", "twin.onnx"]
AIPP_SPEC = PreprocessSpec(mean=(1.5, 2, 3), std=(1, 1, 1), normalize="target")


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    place = tmp_path / "a bundle"
    place.mkdir()
    CHIP.compile(parse(GRAPH), place, PLAIN)
    return place


def identity(where: str) -> str:
    found = chosen(where)
    assert found is not None
    return found.identity


def run(bundle: Path, shell: str = "sh") -> subprocess.CompletedProcess[str]:
    return subprocess.run([shell, str(bundle / "compile.sh")], capture_output=True, text=True, timeout=60)


def test_the_command_is_the_guides_with_the_inputs_of_the_graph(bundle: Path) -> None:
    recorded = json.loads((bundle / "atc.json").read_text())

    assert sorted(path.name for path in bundle.iterdir()) == FILES
    assert recorded["command"] == [
        "atc",
        "--model=ascend.onnx",
        "--framework=5",
        "--output=out/model",
        "--input_format=NCHW",
        "--input_shape=input:1,3,8,8;picture:1,4",
        "--log=error",
        "--soc_version=Ascend310P3",
    ]
    _, _, rest = (bundle / "compile.sh").read_text().partition("mkdir out && : >out/.convertkit || exit 1\n")
    words = shlex.split(rest.partition("\ncode=")[0].replace("\\\n", ""))
    assert words == recorded["command"]
    assert atc_json.read(bundle).options == AtcOptions(
        soc_version="Ascend310P3", input_shape=parse_shapes("input:1,3,8,8;picture:1,4")
    )


def test_the_graph_for_atc_has_vendor_operators_in_the_default_domain(tmp_path: Path) -> None:
    CHIP.compile(of_pipeline(), tmp_path, PLAIN)

    model = onnx.load(tmp_path / "ascend.onnx")
    assert [entry.domain for entry in model.opset_import] == [""]
    assert "BatchMultiClassNMS" in {node.op_type for node in model.graph.node}


def test_with_aipp_the_command_names_its_file_and_the_bundle_has_it(tmp_path: Path) -> None:
    context = told(pixels=Pixels("input", (8, 8), AIPP_SPEC))

    CHIP.compile(parse(GRAPH), tmp_path, context)

    recorded = json.loads((tmp_path / "atc.json").read_text())
    assert "--insert_op_conf=aipp.cfg" in recorded["command"]
    assert recorded["options"]["insert_op_conf"] == (tmp_path / "aipp.cfg").read_text()
    assert "in ascend.onnx aipp.cfg;" in (tmp_path / "compile.sh").read_text()


def test_the_same_graph_gives_the_same_bytes(bundle: Path, tmp_path: Path) -> None:
    again = tmp_path / "again"
    again.mkdir()
    CHIP.compile(parse(GRAPH), again, PLAIN)

    assert [(again / name).read_bytes() for name in FILES] == [(bundle / name).read_bytes() for name in FILES]


def test_the_report_does_not_depend_on_what_is_installed_here(
    bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "opp/built-in/op_impl/ai_core/tbe/config/ascend310p"
    place.mkdir(parents=True)
    (place / "aic-ascend310p-ops-info.json").write_text('{"Relu": {}, "Neg": {}}')
    monkeypatch.setenv("ASCEND_OPP_PATH", str(tmp_path / "opp"))
    again = tmp_path / "again"
    again.mkdir()

    CHIP.compile(parse(GRAPH), again, PLAIN)

    assert (again / "preflight.json").read_bytes() == (bundle / "preflight.json").read_bytes()
    assert json.loads((again / "preflight.json").read_text())["errors"] == 0


def test_what_atc_would_refuse_stops_before_any_compiler(stand_in: Path, tmp_path: Path) -> None:
    model = parse("(float[n] x) => (float[n] y) { y = Relu(x) }")

    with pytest.raises(
        PreflightError, match=r"of ascend.onnx for Ascend310P3: 1 error, first: x: "
    ) as caught:
        CHIP.compile(model, tmp_path, told(where="local"))

    assert caught.value.exit_code == 4
    assert "[input-shape-missing]" in caught.value.details
    assert caught.value.hint == 'axis 0 (n) of x is open: --input-shape "x:N"'
    assert json.loads((tmp_path / "preflight.json").read_text())["errors"] == 1
    assert not (tmp_path / "model.om").exists()


def test_a_rule_may_be_broken_where_the_user_says_so(stand_in: Path, tmp_path: Path) -> None:
    model = parse("(float[1, n] x) => (float[1, n] y) { y = Relu(x) }")
    options = {
        "allow": ["shape-dynamic", "input-shape-missing"],
        "input_shape": "x:1,-1",
        "dynamic_dims": "2;4",
        "input_format": "ND",
    }
    context = told(options, where="local")

    CHIP.compile(model, tmp_path, context)

    report = json.loads((tmp_path / "preflight.json").read_text())
    assert (report["errors"], report["allowed"]) == (0, ["input-shape-missing"])
    assert json.loads((tmp_path / "atc.json").read_text())["allow"] == [
        "input-shape-missing",
        "shape-dynamic",
    ]
    assert CHIP.passes(context)[-1] == "legalize-ascend{allow=[input-shape-missing, shape-dynamic]}"
    (tmp_path / "model.om").unlink()
    CHIP.compiler.finish(tmp_path, context)
    assert (tmp_path / "model.om").is_file()
    with pytest.raises(PreflightError, match="input-shape-missing"):
        CHIP.compile(model, tmp_path, told({**options, "allow": "shape-dynamic"}))


def test_an_unknown_rule_is_not_allowed() -> None:
    with pytest.raises(UsageError, match=r"unknown rule 'shape-dynamik' .did you mean 'shape-dynamic'"):
        told({"allow": ["shape-dynamik"]})


def test_at_most_one_screen_of_errors_is_shown() -> None:
    from convertkit.api.targets import LintFinding

    many = [LintFinding(f"n{k}", "Op", "rule", "error", "why", "fix") for k in range(14)]

    details = PreflightError("a.onnx", "Ascend310P3", many).details.splitlines()

    assert len(details) == 21
    assert details[-1] == "... and 4 more"


# compile.sh


@pytest.mark.parametrize("shell", ["sh", "dash", "bash"])
def test_the_script_is_posix(bundle: Path, shell: str) -> None:
    done = subprocess.run([shell, "-n", str(bundle / "compile.sh")], capture_output=True, text=True)

    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("shell", ["dash", "bash"])
def test_the_script_leaves_what_the_driver_leaves(
    stand_in: Path, bundle: Path, tmp_path: Path, shell: str
) -> None:
    by_hand = run(bundle, shell)

    assert by_hand.returncode == 0, by_hand.stderr
    assert by_hand.stdout.splitlines()[-1].startswith("model.om is there; on the chip: ")
    assert sorted(path.name for path in bundle.iterdir()) == sorted([*FILES, "model.om"])
    found = (bundle / "model.om").read_bytes()
    (bundle / "model.om").unlink()
    CHIP.compiler.finish(bundle, told(where="local"))
    assert (bundle / "model.om").read_bytes() == found


@pytest.mark.parametrize("situation", ["segfault", "no-model", "empty-model"])
def test_the_script_leaves_nothing_half_made(
    stand_in: Path, bundle: Path, monkeypatch: pytest.MonkeyPatch, situation: str
) -> None:
    monkeypatch.setenv("STAND_IN_ATC", situation)

    done = run(bundle)

    assert done.returncode != 0
    assert done.stderr.splitlines()[-1].startswith("atc ")
    assert sorted(path.name for path in bundle.iterdir()) == FILES


def test_the_script_leaves_a_strangers_directory_alone_but_clears_its_own(
    stand_in: Path, bundle: Path
) -> None:
    (bundle / "out").mkdir()
    (bundle / "out" / "0_0.bin").write_text("results of ais_bench")

    refused = run(bundle)
    (bundle / "out" / ".convertkit").touch()  # as a script that was killed leaves it
    done = run(bundle)

    assert (refused.returncode, refused.stderr) == (
        1,
        "out is there, and not from this script: move it away\n",
    )
    assert done.returncode == 0, done.stderr
    assert not (bundle / "out").exists()


def test_the_script_sources_what_an_installation_has(
    bin_dir: Path, stand_in: Path, bundle: Path, tmp_path: Path
) -> None:
    home = tmp_path / "user" / "Ascend" / "ascend-toolkit"
    (home / "bin").mkdir(parents=True)
    stand_in.rename(home / "bin" / "atc")
    (home / "set_env.sh").write_text(f'export PATH="{home}/bin:$PATH"\n')

    done = run(bundle)

    assert done.returncode == 0, done.stderr
    assert (bundle / "model.om").is_file()


def test_the_script_says_what_is_missing(bin_dir: Path, bundle: Path) -> None:
    no_atc = run(bundle)
    (bundle / "ascend.onnx").unlink()
    no_graph = run(bundle)

    assert (no_atc.returncode, no_atc.stderr) == (
        127,
        "no atc here: install CANN, or source its set_env.sh\n",
    )
    assert (no_graph.returncode, no_graph.stderr.splitlines()) == (
        1,
        ["ascend.onnx is missing here, or empty: copy the whole directory"],
    )


# compilers


def test_auto_is_none_where_there_is_no_atc_and_local_is_refused(bin_dir: Path) -> None:
    assert chosen("auto") is None
    with pytest.raises(UnavailableError, match="set to no compiler"):
        CHIP.compiler.finish(bin_dir, PLAIN)
    with pytest.raises(UnavailableError, match="there is no atc on this machine"):
        chosen("local")
    with pytest.raises(UsageError, match=r"compiler 'locl' is unknown \(did you mean 'local'"):
        chosen("locl")


def test_the_key_says_which_compiler(
    stand_in: Path, bin_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    executable(bin_dir / "docker", "exit 1")
    local, none = (told(where=where) for where in ("auto", "none"))
    (tmp_path / "cann" / "x86_64-linux").mkdir(parents=True)
    (tmp_path / "cann/x86_64-linux/ascend_toolkit_install.info").write_text(
        "package_name=x\nversion=8.1.RC1\n"
    )
    monkeypatch.setenv("ASCEND_TOOLKIT_HOME", str(tmp_path / "cann"))

    assert none.compiler is None
    assert identity("local") == "local, CANN 8.1.RC1"
    assert identity("docker:cann:8") == "docker:cann:8"
    assert compile_facts(CHIP, local) == {**compile_facts(CHIP, none), "compiler": "local"}
    (tmp_path / "odd" / "x86_64-linux" / "ascend_toolkit_install.info").mkdir(parents=True)
    monkeypatch.setenv("ASCEND_TOOLKIT_HOME", str(tmp_path / "odd"))
    assert identity("local") == "local"


def test_the_driver_says_how_it_goes_on(stand_in: Path, bundle: Path) -> None:
    said: list[str] = []

    CHIP.compiler.finish(bundle, told(where="local", tell=said.append))

    assert "atc on this machine: compiling" in said


# chips


def test_there_is_a_target_for_every_chip_and_a_build_for_those_with_a_table() -> None:
    from convertkit_ascend import socs

    from convertkit.passes.pipeline import Pipeline
    from convertkit.plugins.loading import open_plugins

    plugins = open_plugins()
    assert [target.name for target in TARGETS] == list(socs.names())
    assert socs.tabled() == ("ascend310p1", "ascend310p3", "ascend310p5", "ascend310p7")
    for target in TARGETS:
        assert target.machine.name == socs.get(target.name).soc_version
        if target.name in socs.tabled():
            step = Pipeline.parse(list(target.pipeline), plugins.passes).steps[-1]
            assert step.soc == target.name  # type: ignore[attr-defined]
        else:
            with pytest.raises(UsageError, match=f"no table of what {target.name} takes"):
                Pipeline.parse(list(target.pipeline), plugins.passes)


def test_each_chip_is_named_in_its_command(tmp_path: Path) -> None:
    assert ask("ascend310p7", parse(GRAPH)).options.soc_version == "Ascend310P7"
