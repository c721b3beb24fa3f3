"""Failures that no code explains, or that a code explains less well than the text beside it.

Each row says on which statement it stands. ``{0}`` is what the pattern's group matched.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Symptom:
    """What to look for, what it means, what helps."""

    pattern: str
    cause: str
    fix: str
    basis: str


SYMPTOMS = (
    Symptom(
        r"(lib\w+\.so[\w.]*): cannot open shared object file",
        "the compiler cannot load {0}: this host has no Ascend driver, whose libraries it is linked to",
        "source set_env.sh of CANN, then add <install>/<arch>-linux/devlib to LD_LIBRARY_PATH",
        "facts 3.4: on a host without a device",
    ),
    Symptom(
        r"np\.float_. was removed|removed in the NumPy 2\.0",
        "the Python that atc uses has numpy 2",
        "install 'numpy<2' in the python3 that atc finds on PATH",
        "facts 3.4, 6.8",
    ),
    Symptom(
        r"FrameLocalsProxy",
        "the Python that atc uses is 3.11 or later",
        "put a Python 3.7 to 3.10 first on PATH",
        "facts 3.4, 6.8",
    ),
    Symptom(
        r"No module named '([\w.]+)'",
        "the Python that atc uses lacks the module {0}",
        "install it in the python3 that atc finds on PATH; convertkit doctor lists all that are needed",
        "facts 3.4, 6.8; E40020",
    ),
    Symptom(
        r"No space left on device",
        "the disk is full",
        "free space in the output directory, in $HOME/atc_data (the operator cache) and in /tmp",
        "E13004, and errno ENOSPC of the host",
    ),
    Symptom(
        r"BrokenPipeError|Cannot allocate memory|MemoryError|std::bad_alloc",
        "the host ran out of memory, and a compiling process was killed",
        "set TE_PARALLEL_COMPILER=1 (its default is 8 processes), or give the host more memory",
        "facts 3.4: TE_PARALLEL_COMPILER; 6.9; E10044",
    ),
    Symptom(
        r"opset of domain\[?(\S*?)\]? has no responding version",
        "a node is in a domain ({0}) that the model does not import",
        "add the domain to opset_import, or clear the node's domain",
        "frontend.md, Key; facts 2.5",
    ),
    Symptom(
        r"Cannot find output",
        "a graph output is made by no node",
        "remove the output, or connect it",
        "frontend.md, Graph inputs and outputs",
    ),
    Symptom(
        r"tensor_proto data type 0 is undefined",
        "a graph input has no element type",
        "declare the type of every graph input",
        "frontend.md, Graph inputs and outputs",
    ),
    Symptom(
        r"maxTotalSize is nullptr",
        "BatchMultiClassNMS lacks max_total_size, or it is not an INT",
        "write max_size_per_class and max_total_size as INT, both thresholds as FLOAT",
        "frontend.md, Silent traps",
    ),
    Symptom(
        r"opp version of the model does not match",
        "the operator package is of another release than the compiler",
        "install toolkit and operator package of one release",
        "facts 6.8",
    ),
    Symptom(
        r"ModelCheckCompatibility failed",
        "the model was compiled for another chip",
        "compile again with --soc_version of the chip that npu-smi info shows",
        "facts 3.4",
    ),
    Symptom(
        r"Permission denied",
        "a file or directory may not be read or written",
        "give the user who runs atc the right to it; the line names it",
        "E13001, E13003, E13004: permissions",
    ),
)


def symptom_of(text: str) -> tuple[Symptom, str, str, str] | None:
    """The first row that fits ``text``: the row, its cause, its fix, and the line in which it was seen."""
    for symptom in SYMPTOMS:
        if match := re.search(symptom.pattern, text):
            groups = [group or "default" for group in match.groups()]
            start = text.rfind("\n", 0, match.start()) + 1
            line = text[start:].partition("\n")[0].strip()
            return symptom, symptom.cause.format(*groups), symptom.fix.format(*groups), line
    return None
