"""Kinds of files that commands read, and the commands that read them, for ``bench.fuzz``.

=========== ======================================== ==========================================
kind        files                                    commands
=========== ======================================== ==========================================
tiny        the graph of a package that builds       opt, bisect, lint, estimate, build, export
onnx        graphs of many kinds, external data      the same
node        those of onnx's tests of operators       the same
yaml        model.yaml, variants, config.json        build, show, bisect, estimate, preprocess, fetch
coco        instances file, photos                   preprocess, postprocess, verify, bench
npz         inputs by name                           opt, bisect
manifest    artifacts, bundles, all their files      build, compile, replay, lint, bench
zip         packed bundle                            compile
prepared    inputs, journal, results in every layout preprocess, postprocess, info
offline     inputs and results for the chip's bundle verify, preprocess, estimate
plugin      a plugin in one file, and what it holds  opt, list
checkpoint  .pth of both forms, .safetensors         weights, build
log         what ATC prints                          compile
npu         what npu-smi prints                      doctor
cann        version files and kernel lists of CANN   doctor, lint, build
summary     ais_bench's summary                      bench
store       steps, weights, environments, failures   build, bisect, cache, env, doctor
=========== ======================================== ==========================================
"""

from __future__ import annotations

import json
import os
import random
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from bench import fuzz_graphs
from bench.fuzz_scene import ASCEND, MASKRCNN, MINI, PHOTOS, STAND_IN

POST = [
    "postprocess",
    str(MASKRCNN),
    "out",
    "-i",
    "pre",
    "--artifact",
    "detector",
    "--annotations",
    "coco.json",
]


@dataclass(frozen=True)
class Case:
    """Files of which one is damaged, and commands that read them, of which one is run.

    Attributes:
        fine: exit codes of whole files, beside 0 and 1.
        special: whether a pipe or a device may be in a file's place; in that of a compiler's log it is a compiler that
            hangs, which a compiler may.
    """

    victims: list[Path]
    commands: list[list[str]]
    fine: frozenset[int] = field(default_factory=frozenset)
    special: bool = True


Kind = Callable[[Path, Path, random.Random], Case]


def _copy(scene: Path, here: Path, *names: str) -> None:
    for name in names:
        source = scene / name
        if source.is_dir():
            shutil.copytree(source, here / name, copy_function=_copy_file)
        else:
            _copy_file(source, here / name)


def _copy_file(source: str | Path, copy: str | Path) -> None:
    """Large files are links to the scene's: the program replaces files, it does not write into them."""
    if Path(source).stat().st_size > 1_000_000:
        os.link(source, copy)
    else:
        shutil.copy2(source, copy)


def _files(*places: Path) -> list[Path]:
    return sorted(path for place in places for path in place.rglob("*") if path.is_file())


def _onnx(scene: Path, here: Path, rng: random.Random) -> Case:
    return _graph(
        scene, here, rng.choice(_files(scene / "graphs") * 3 + fuzz_graphs.brought() + [scene / "external"])
    )


def _tiny(scene: Path, here: Path, rng: random.Random) -> Case:
    return replace(_graph(scene, here, scene / "graphs" / "tiny.onnx"), fine=frozenset())


def _node(scene: Path, here: Path, rng: random.Random) -> Case:
    return _graph(scene, here, rng.choice(_files(scene / "nodes")))


def _graph(scene: Path, here: Path, source: Path) -> Case:
    _copy(scene, here, "tiny")
    file = "tiny/small.onnx"
    if source.is_dir():
        shutil.copytree(source, here / "tiny", dirs_exist_ok=True)
    else:
        shutil.copy(source, here / file)
    exact = "fold-constants,cast-int64-to-int32"
    commands = [
        ["opt", file, "-p", exact, "-o", "out.onnx"],
        ["opt", file, "-p", f"{exact},legalize-ascend", "--no-check", "-o", "out.onnx"],
        ["opt", file, "-p", "simplify", "-o", "out.onnx"],
        ["opt", file, "-p", exact, "--explain", "cast-int64-to-int32", "--json"],
        ["opt", file, "-p", "fuse-multilevel-roialign,fuse-multiclass-nms,cast-fp16-operators", "--dry-run"],
        ["bisect", file, "-p", exact, "-o", "bisected"],
        ["lint", file, "-t", ASCEND],
        ["lint", file, "-t", ASCEND, "--sarif", "--input-shape", "x:1,3,8,8"],
        ["estimate", file, "-t", ASCEND],
        ["build", "tiny", "-o", "built"],
        ["build", "tiny", "-t", ASCEND, "-o", "built", "--zip"],
        ["export", "tiny", "-o", "stock.onnx"],
    ]
    victims = [here / file, here / file, here / "tiny" / "weights.bin"]
    return Case([path for path in victims if path.exists()], commands, fine=frozenset({2, 3, 4}))


def _yaml(scene: Path, here: Path, rng: random.Random) -> Case:
    _copy(scene, here, "coco.json", "photos", "det", "tiny")
    det = [str(MASKRCNN), "-V", "det/own.yaml"]
    if rng.random() < 0.5:
        every = [
            ["build", *det, "--dry-run"],
            ["build", *det, "-t", ASCEND, "--dry-run", "--json"],
            ["preprocess", *det, "-o", "new"],
            ["show", "model", str(MASKRCNN)],
            ["build", *det, "--from", "checkpoint", "--python", sys.executable, "-o", "built"],
        ]
        if rng.random() < 0.1:  # half a minute each
            every.append(["estimate", *det, "-t", ASCEND])
        return Case(
            [here / "det" / name for name in ("own.yaml", "own.yaml", "config.json")],
            every,
            fine=frozenset({3}),
        )
    commands = [
        ["build", "tiny", "--variant", "tiny/own.yaml", "--dry-run"],
        ["show", "model", "tiny"],
        ["build", "tiny", "-o", "built"],
        ["build", "tiny", "-t", ASCEND, "-o", "built"],
        ["bisect", "tiny", "-o", "bisected"],
        ["estimate", "tiny", "-t", ASCEND],
        ["preprocess", "tiny", "-o", "new", "--images", "photos"],
        ["fetch", "tiny", "--variant", "tiny/own.yaml"],
        ["env", "list"],
    ]
    return Case([here / "tiny" / name for name in ("model.yaml", "model.yaml", "own.yaml")], commands)


def _coco(scene: Path, here: Path, rng: random.Random) -> Case:
    _copy(scene, here, "coco.json", "photos", "pre", "out", "detector")
    commands = [
        ["preprocess", *MINI, "-o", "new", "--artifact", "detector", *PHOTOS],
        [
            "preprocess",
            *MINI,
            "-o",
            "new",
            "--artifact",
            "detector",
            "--images",
            "photos",
            "--skip-bad-photos",
        ],
        [*POST, "--draw", "drawn", "--images", "photos", "--per-class"],
        [*POST, "--tasks", "bbox", "--partial"],
        ["verify", *MINI, "-o", "detector", *PHOTOS, "--skip-bad-photos", "--results", "kept"],
        ["bench", *MINI, "-o", "detector", "--images", "photos", "-l", "1", "--warmup", "0", "--photos", "1"],
    ]
    photos = _files(here / "photos")
    return Case([rng.choice(photos) if rng.random() < 0.3 else here / "coco.json"], commands)


def _npz(scene: Path, here: Path, rng: random.Random) -> Case:
    _copy(scene, here, "tiny", "inputs.npz")
    words = ["tiny/small.onnx", "-p", "fold-constants", "--inputs", "inputs.npz"]
    return Case([here / "inputs.npz"], [["opt", *words, "-o", "out.onnx"], ["bisect", *words]])


def _manifest(scene: Path, here: Path, rng: random.Random) -> Case:
    _copy(scene, here, "tiny", "bundle", "artifact")
    _stand_in(here)
    commands = [
        ["compile", "bundle", "-o", "done"],
        ["replay", "artifact/manifest.json", "--model", "tiny"],
        ["replay", "bundle/manifest.json"],
        ["build", "tiny", "-o", "artifact"],
        ["build", "tiny", "-t", ASCEND, "-o", "bundle"],
        ["lint", "bundle/ascend.onnx", "-t", ASCEND],
        ["bench", "tiny", "-o", "artifact", "-l", "1", "--warmup", "0", "--photos", "0"],
        ["bench", "tiny", "-t", ASCEND, "-o", "bundle", "-r", "twin", "-l", "1", "--photos", "0"],
    ]
    places = [here / "bundle", here / "artifact"]
    victims = [*_files(*places), *(place / "manifest.json" for place in places)]
    return Case(victims, commands)


def _zip(scene: Path, here: Path, rng: random.Random) -> Case:
    _copy(scene, here, "bundle.zip")
    _stand_in(here)
    commands = [["compile", "bundle.zip", "-o", "done"], ["compile", "bundle.zip", "--trust"]]
    return Case([here / "bundle.zip"], commands)


LAYOUTS = ("flat", "run", "devices", "samples", "msame")
"""Of results, as ``convertkit_ascend.runtimes.ais_bench`` knows them."""


def _lay_out(out: Path, layout: str) -> None:
    """Moves the results to where a runtime would have left them."""
    run = out / ("20260101_010101" if layout == "msame" else "2026_01_01-01_01_01")
    stems = sorted({path.stem.rpartition("_")[0] for path in out.iterdir()})
    samples = {str(number): {"infiles": [f"../pre/{stem}.npy"]} for number, stem in enumerate(stems)}
    for path in sorted(out.iterdir()):
        stem, _, index = path.stem.rpartition("_")
        number = stems.index(stem)
        place = {
            "flat": path,
            "run": run / path.name,
            "devices": run / f"device{number}_{number}" / path.name,
            "samples": run / f"sample_id_{number}_output_{index}.npy",
            "msame": run / f"{stem}_output_{index}.npy",
        }[layout]
        place.parent.mkdir(parents=True, exist_ok=True)
        path.rename(place)
    if layout == "samples":
        (run / "sumary.json").write_text(json.dumps({"filesinfo": samples}))


def _prepared(scene: Path, here: Path, rng: random.Random) -> Case:
    _copy(scene, here, "coco.json", "photos", "pre", "out", "detector")
    _lay_out(here / "out", rng.choice(LAYOUTS))
    commands = [
        [*POST, "--detections", "found.json"],
        [*POST, "--partial", "--json"],
        ["info", "pre", "-o", "info.txt"],
        ["info", "pre", "-o", "info.txt", "--of", "inputs"],
        ["preprocess", *MINI, "-o", "pre", "--artifact", "detector", "--format", "npy", *PHOTOS],
    ]
    victims = [*_files(here / "pre", here / "out"), *[here / "pre" / "preprocess.json"] * 3]
    victims += [path for path in victims if path.name == "sumary.json"] * 5
    return Case(victims, commands)


def _offline(scene: Path, here: Path, rng: random.Random) -> Case:
    """What a bundle's preprocessing wrote, and what the chip's own tool would have made of it."""
    _copy(scene, here, "coco.json", "photos", "prechip", "out", "chip")
    chip = [*MINI, "-t", ASCEND]
    offline = [
        "verify",
        *chip,
        "-o",
        "chip",
        "-r",
        "offline",
        "--inputs",
        "prechip",
        "--outputs",
        "out",
        *PHOTOS,
    ]
    commands = [
        offline,
        [*offline, "--json"],
        [*offline, "--results", "kept", "--tasks", "bbox"],
        ["preprocess", *chip, "-o", "prechip", "--artifact", "chip", *PHOTOS],
        ["estimate", "chip/model.onnx", "-t", ASCEND],
    ]
    victims = [*_files(here / "prechip", here / "out")] * 3 + [here / "prechip" / "preprocess.json"] * 9
    return Case([*victims, here / "chip" / "manifest.json"], commands)


PLUGIN = """
from convertkit.api.passes import GraphPass, hookimpl


class Own(GraphPass):
    '''Double what the first node gives.'''

    name = "own"
    effect = "semantic"
    factor: float = 2.0

    def run(self, graph):
        node = next(iter(graph.find()))
        value = node.outputs[0]
        doubled = graph.add("Mul", [value, graph.constant(self.factor)])
        return [f"{value.name} is doubled"] if doubled else []


@hookimpl
def register_passes(register):
    register(Own)
"""


def _plugin(scene: Path, here: Path, rng: random.Random) -> Case:
    _copy(scene, here, "tiny")
    file = here / "own.py"
    file.write_text(PLUGIN)
    commands = [
        ["opt", "tiny/small.onnx", "-p", "own", "-o", "out.onnx", "--plugin", "own.py"],
        ["list", "passes", "--plugin", "own.py"],
        ["list", "plugins", "--plugin", "own.py"],
        ["build", "tiny", "-o", "built", "--plugin", "own.py"],
    ]
    return Case([file], commands)


def _checkpoint(scene: Path, here: Path, rng: random.Random) -> Case:
    name = rng.choice(("plain.pth", "plain.pth", "legacy.pth", "plain.safetensors"))
    _copy(scene, here, name)
    words = ["build", *MINI, "--from", "checkpoint", "-w", name, "-o", "built", "--python", sys.executable]
    read = ["weights", *MINI, name]
    ema = [] if name.endswith("s") else ["--ema"]
    commands = [read, [*read, "-o", "new.pth", "--json"], [*read, "-o", "new.safetensors", *ema], words]
    return Case([here / name], commands, fine=frozenset({3}))


def _stand_in(here: Path) -> None:
    """The stand-in for ATC, which writes what it says to be an offline model."""
    _executable(here / "bin" / "atc", f'exec {sys.executable} -S -E {STAND_IN} "$@"')


def _executable(path: Path, script: str) -> None:
    path.parent.mkdir()
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def _program(here: Path, name: str, text: str) -> Path:
    """A program that prints a file and ends as that says; returns the file."""
    file = here / f"{name}.txt"
    file.write_text(text)
    _executable(here / "bin" / name, f"cat {file}\nexit {int(name == 'atc')}")
    return file


def _log(scene: Path, here: Path, rng: random.Random) -> Case:
    """A compiler that prints the file and fails."""
    _copy(scene, here, "bundle")
    text = (
        "ATC start working now, please wait for a moment.\nATC run failed, Please check the detail log\n"
        "E10016: 2026-01-01-00:00:00.000.001 Opname [conv] specified in [--input_shape] is not found\n"
        "EZ3003: [PID: 7] 2026-01-01-00:00:00.000.001 No supported Ops kernel and engine are found for [roi],"
        " optype [RoiExtractor].\n        Solution: Check the OPP\n        TraceBack (most recent call last):\n"
        "[ERROR] FE(1,atc):2026-01-01-00:00:00.000.002 [node:conv(Conv)] No module named 'tbe'\n"
        "ImportError: /lib/libstdc++.so.6: version `GLIBCXX_3.4.29' not found\nEOFError\n"
    )
    command = ["compile", "bundle", "-o", "done"]
    return Case([_program(here, "atc", text)], [command], fine=frozenset({4}), special=False)


def _npu(scene: Path, here: Path, rng: random.Random) -> Case:
    from tests.ascend.doctor.tables import A3, DUO, GUIDE, TRAINING

    file = _program(here, "npu-smi", rng.choice((A3, DUO, GUIDE, TRAINING)))
    return Case([file], [["doctor"], ["doctor", "--json"]])


def _cann(scene: Path, here: Path, rng: random.Random) -> Case:
    """An installation of CANN, which the environment of every case points to."""
    _copy(scene, here, "tiny")
    lists = here / "cann" / "opp" / "built-in" / "op_impl"
    core = lists / "ai_core" / "tbe" / "config" / "ascend310p" / "aic-ascend310p-ops-info.json"
    cpu = lists / "aicpu" / "aicpu_kernel" / "config" / "aicpu_kernel.json"
    for path, kinds in ((core, {"dtype": "float16,float"}), (cpu, {"type": "DT_FLOAT,DT_INT64"})):
        path.parent.mkdir(parents=True)
        entry = {"input0": {"name": "x", **kinds}, "output0": {"name": "y", **kinds}}
        path.write_text(json.dumps({"Relu": entry, "Conv2D": entry, "Shape": entry}))
    info = here / "cann" / "aarch64-linux" / "ascend_toolkit_install.info"
    info.parent.mkdir()
    info.write_text("package_name=Ascend-cann-toolkit\nversion=8.1.RC1\narch=aarch64\n")
    (here / "cann" / "set_env.sh").write_text("export ASCEND=1\n")
    (here / "cann" / "version.cfg").write_text(
        "runtime_running_version=[8.1:8.1.RC1]\ntoolkit_installed_version=[8.1:8.1]\n"
    )
    commands = [
        ["doctor"],
        ["lint", "tiny/small.onnx", "-t", ASCEND],
        ["build", "tiny", "-t", ASCEND, "-o", "built", "--compiler", "none"],
    ]
    return Case([core, cpu, *_files(here / "cann")], commands)


def _summary(scene: Path, here: Path, rng: random.Random) -> Case:
    _copy(scene, here, "tiny")
    times = {"min": 1.0, "max": 3.0, "mean": 2.0, "median": 2.0, "percentile(99%)": 3.0, "count": 3}
    summary = {"NPU_compute_time": times, "H2D_latency": times, "D2H_latency": times, "throughput": 500.0,
               "npu_compute_time_list": rng.choice(([1.0, 2.0, 3.0], [[0.0, 1.0], [1.0, 3.0], [4, 6]]))}  # fmt: skip
    run = here / "runs" / "2026_01_01-01_01_01"
    run.mkdir(parents=True)
    file = rng.choice((run.with_name(f"{run.name}_summary.json"), run / "sumary.json"))
    file.write_text(json.dumps(summary))
    words = ["bench", "tiny", "-t", ASCEND, "--results"]
    return Case([file], [[*words, "runs"], [*words, "runs/2026_01_01-01_01_01", "--json"]])


def _store(scene: Path, here: Path, rng: random.Random) -> Case:
    """The home of the program, with all that the builds of the tiny package have left."""
    _copy(scene, here, "tiny", "artifact")
    (here / "home").mkdir()
    shutil.copytree(scene / "small-home", here / "home" / "cache")
    commands = [
        ["build", "tiny", "-o", "built"],
        ["build", "tiny", "-t", ASCEND, "-o", "bundled", "--compiler", "none"],
        ["bisect", "tiny", "-o", "bisected"],
        ["cache", "list"],
        ["cache", "size", "--json"],
        ["cache", "prune"],
        ["env", "list"],
        ["doctor"],
    ]
    return Case(_files(here / "home" / "cache"), commands)


KINDS: Mapping[str, Kind] = {
    "tiny": _tiny,
    "onnx": _onnx,
    "node": _node,
    "yaml": _yaml,
    "coco": _coco,
    "npz": _npz,
    "manifest": _manifest,
    "zip": _zip,
    "prepared": _prepared,
    "offline": _offline,
    "plugin": _plugin,
    "checkpoint": _checkpoint,
    "log": _log,
    "npu": _npu,
    "cann": _cann,
    "summary": _summary,
    "store": _store,
}
