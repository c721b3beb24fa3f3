"""What the stand-in for atc prints and writes: ATC's lines (ascend-facts: atc-messages), errors of three releases."""

from __future__ import annotations

import json
import os
import struct
import sys
from pathlib import Path
from typing import NoReturn

import onnx_wire

FAILED = 255
STAMP = "2026-03-18-09:02:18.501.341"


def write(path: str, options: dict[str, str], *, keep: float = 1.0) -> None:
    kept = Path(options["keep_dtype"]).read_text().split() if options.get("keep_dtype") else []
    fused = os.environ.get("STAND_IN_ATC_FUSES", "")
    said = {"stand_in": "no program of any chip", "options": options, "kept": kept, "fused": fused}
    settings = json.dumps(said).encode()
    body = settings + b"\0" + Path(options["model"]).read_bytes()
    header = b"IMOD" + struct.pack("<II", 256, 0x10000000) + bytes(64) + struct.pack("<I", len(body))
    whole = header.ljust(256, b"\0") + body
    try:
        Path(path).write_bytes(whole[: int(len(whole) * keep)])
    except OSError as error:
        fail("E13004", "File_Operation_Error", f"File [{path}] cannot be written. Reason: {error.strerror}.")


def write_fusions() -> None:
    """``fusion_result.json`` where atc was started, as --export_compile_stat is documented."""
    fused = os.environ.get("STAND_IN_ATC_FUSES", "")
    counts = {"effect_times": "1", "match_times": "1"}
    took = {fused.rpartition(":")[2].strip("?"): counts} if fused else {}
    never = {"NeverFusionPass": {"effect_times": "0", "match_times": "3"}}
    content = {"session_and_graph_id_0_0": "0_0", "graph_fusion": {**never, **took}, "ub_fusion": {}}
    Path("fusion_result.json").write_text(json.dumps(content))


def write_graph(om: str, path: str) -> None:
    """The operators of a model as ``--mode=1`` names them, in what a reader of theirs takes (msprobe 26.2.0).

    ``STAND_IN_ATC_FUSES=A+B:PASS`` made one float16 operator B of nodes A and B; ``PASS?`` does not say which pass did.
    """
    body = Path(om).read_bytes()[256:]
    settings, _, onnx = body.partition(b"\0")
    said = json.loads(settings)
    pair, _, by = said["fused"].partition(":")
    gone, _, stays = pair.partition("+")
    (model := Path(om).with_suffix(".onnx")).write_bytes(onnx)
    operators = []
    for node in onnx_wire.read(model).nodes:
        if node.name == gone:
            continue
        fused = node.name == stays and bool(stays)
        names = [gone, stays] if fused else [node.name]
        attributes = [{"key": "_datadump_original_op_names", "value": {"list": {"s": names}}}]
        if fused and not by.endswith("?"):
            attributes.append({"key": "pass_name", "value": {"s": by}})
        kind = "DT_FLOAT" if node.name in said["kept"] and not fused else "DT_FLOAT16"
        output = [{"dtype": kind}]
        operators.append({"name": node.name, "type": node.op_type, "attr": attributes, "output_desc": output})
    Path(path).write_text(json.dumps({"graph": [{"op": operators}]}))


def succeed() -> int:
    say("ATC run success, welcome to the next use.")
    return 0


def fail(code: str, title: str, text: str, *, trace: tuple[str, ...] = (), solution: str = "") -> NoReturn:
    say("ATC run failed, Please check the detail log, Try 'atc --help' for more information")
    say(head(code, title, text))
    if solution:
        say(f"        Solution: {solution}")
    if trace:
        say("        TraceBack (most recent call last):")
        for line in trace:
            say(f"        {line}")
    say("")
    sys.exit(FAILED)


def inner(text: str, *, trace: tuple[str, ...] = (), code: str = "E19999") -> NoReturn:
    say("ATC run failed, Please check the detail log, Try 'atc --help' for more information")
    say(f"{code}: Inner Error!")
    if release() == "9":
        say(f"{code}[PID: {os.getpid()}] {STAMP} ({code}):  {text}[FUNC:Run][FILE:graph_manager.cc][LINE:92]")
    else:
        say(f"        {text}[FUNC:Run][FILE:graph_manager.cc][LINE:92]")
    say("        TraceBack (most recent call last):")
    for line in (
        *trace,
        "build graph failed, graph id:0, ret:-1[FUNC:BuildModel][FILE:ge_generator.cc][LINE:148]",
    ):
        say(f"        {line}")
    sys.exit(FAILED)


def head(code: str, title: str, text: str) -> str:
    pid = os.getpid()
    return {
        "7": f"{code}: {text}",
        "8": f"{code}: [PID: {pid}] {STAMP} {text}",
        "9": f"[PID: {pid}] {STAMP} {title}({code}): {text}",
    }[release()]


def release() -> str:
    return os.environ.get("STAND_IN_ATC_RELEASE", "9")


def log_line(level: str, module: str, where: str, text: str) -> str:
    return f"[{level}] {module}({os.getpid()},atc.bin):2026-03-18-09:02:18.501.341 [{where}]{text}"


def say(line: str) -> None:
    print(line, flush=True)


def error(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
