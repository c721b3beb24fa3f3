"""Failures that no code explains, or that a code explains less well than the text beside it.

Each row says on which statement it stands. ``{0}`` is what the pattern's group matched.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass

from convertkit_ascend.atc.errors.python_modules import CANN, GONE


@dataclass(frozen=True)
class Symptom:
    """What to look for, what it means, what helps."""

    pattern: str
    cause: str
    fix: str
    basis: str


_NO_LIBRARY = r"(?:cannot open shared object file|无法打开共享(?:对象|目标)文件)"
_NO_MODULE = r"No module named ['\"‘“]?"
_WITHIN = r"(?=[.'\"’”\s]|$)"

SYMPTOMS = (
    Symptom(
        rf"(lib(?:ascend|drv|dcmi|mmpa)\w*\.so[\w.]*): {_NO_LIBRARY}",
        "the compiler cannot load {0}: this host has no Ascend driver, whose libraries it is linked to",
        "source set_env.sh of CANN, then add <install>/<arch>-linux/devlib to LD_LIBRARY_PATH",
        "ascend-facts: cann-host; a host without a device",
    ),
    Symptom(
        rf"(libpython[\w.]*\.so[\w.]*): {_NO_LIBRARY}",
        "the compiler embeds a Python that was built without a shared library, or that is not found: {0}",
        "put a Python built with --enable-shared first on PATH, and its lib directory on LD_LIBRARY_PATH",
        "CANN installation guide: Python of the compiler",
    ),
    Symptom(
        rf"(lib[\w+-]+\.so[\w.]*): {_NO_LIBRARY}",
        "{0} cannot be loaded: it is not on LD_LIBRARY_PATH",
        "source set_env.sh in the shell that runs atc; if it is the system's, install its package",
        "the loader's message",
    ),
    Symptom(
        r"version [`'‘]?((?:GLIBCXX|CXXABI)_[\d.]+)['’]? not found",
        "the libstdc++ that is found first is older than the one CANN needs ({0}): the system's, or conda's",
        "put a newer one first on LD_LIBRARY_PATH (conda install -c conda-forge libstdcxx-ng), or leave conda",
        "reported: libge_compiler.so with the libstdc++ of CentOS 7 and of conda",
    ),
    Symptom(
        r"version [`'‘]?(GLIBC_[\d.]+)['’]? not found",
        "this system's C library is older than the one CANN needs ({0})",
        "use a system, or a container, that this release of CANN supports",
        "the loader's message",
    ),
    Symptom(
        r"Exec format error|可执行文件格式错误|无法执行二进制文件",
        "this CANN is for another processor than this host's",
        "install the toolkit for what uname -m prints: x86_64 and aarch64 have packages of their own",
        "reported; errno ENOEXEC of the host",
    ),
    Symptom(
        r"dcmi mod(?:el|ule) initiali[sz]ed? ?failed|because the device is used|(?<![\w-])-80(?:05|20)(?!\d)",
        "the chip is in use by another container, or is not mapped into this one",
        "free it there, and map /dev/davinciN, /dev/davinci_manager, /dev/devmm_svm and /dev/hisi_hdc of it here",
        "reported: vllm-project/vllm-ascend issues 632 (-8020) and 2698 (-8005)",
    ),
    Symptom(
        r"np\.float_. was removed|removed in the NumPy 2\.0",
        "the Python that atc uses has numpy 2",
        "install 'numpy<2' in the python3 that atc finds on PATH",
        "ascend-facts: cann-python",
    ),
    Symptom(
        r"FrameLocalsProxy",
        "the Python that atc uses is 3.11 or later",
        "put a Python 3.7 to 3.10 first on PATH",
        "ascend-facts: cann-python",
    ),
    Symptom(
        rf"{_NO_MODULE}((?:{'|'.join(GONE)}){_WITHIN}[\w.]*)",
        "the Python that atc uses is 3.12 or later, which has no {0} any more",
        "put a Python 3.7 to 3.10 first on PATH",
        "ascend-facts: cann-python; Python's own list of removed modules",
    ),
    Symptom(
        rf"{_NO_MODULE}((?:{'|'.join(sorted(sys.stdlib_module_names))}){_WITHIN}[\w.]*)",
        "the python3 that atc finds first on PATH is broken: {0} is part of Python itself",
        "put a whole Python 3.7 to 3.10 first on PATH (python3 -c 'import struct, ssl'), and unset PYTHONHOME",
        "reported: '_struct' and E40000; the modules are Python's own list",
    ),
    Symptom(
        rf"(?:{_NO_MODULE}|Failed to import (?:Python module )?\[?|cannot import name .{{1,80}} from ['\"]?)"
        rf"((?:{'|'.join(CANN)}){_WITHIN}[\w.]*)",
        "{0} is CANN's own, and the Python that atc uses does not find it: its paths are not set",
        "source set_env.sh of CANN in the shell (conda environment, service) that runs atc; pip has no such package",
        "reported: EC0010, Ascend/pytorch issue 29; <install>/python/site-packages of CANN",
    ),
    Symptom(
        rf"{_NO_MODULE}([\w.]+)",
        "the Python that atc uses lacks the module {0}",
        "install it in the python3 that atc finds on PATH; convertkit doctor lists all that are needed",
        "ascend-facts: cann-python; E40020",
    ),
    Symptom(
        r"No space left on device|设备上没有空间",
        "the disk is full",
        "free space in the output directory, in $HOME/atc_data (the operator cache) and in /tmp",
        "E13004, and errno ENOSPC of the host",
    ),
    Symptom(
        r"BrokenPipeError|Cannot allocate memory|无法分配内存|MemoryError|std::bad_alloc|Out of memory: Kill"
        r"|multiprocessing/\w+\.py[^\0]{0,4000}?\b(?:EOFError|ConnectionResetError)\b"
        r"|process pool was terminated abruptly",
        "the host ran out of memory, and a compiling process was killed",
        "set TE_PARALLEL_COMPILER=1 (its default is 8 processes), add swap, or give the host more memory",
        "ascend-facts: cann-parallel; E10044; reported: EOFError of a ForkServerPoolWorker",
    ),
    Symptom(
        r"opset of domain\[?(\S*?)\]? has no responding version",
        "a node is in a domain ({0}) that the model does not import",
        "add the domain to opset_import, or clear the node's domain",
        "ascend-facts: parser-key",
    ),
    Symptom(
        r"Cannot find output",
        "a graph output is made by no node",
        "remove the output, or connect it",
        "ascend-facts: parser-outputs",
    ),
    Symptom(
        r"tensor_proto data type 0 is undefined",
        "a graph input has no element type",
        "declare the type of every graph input",
        "ascend-facts: parser-inputs",
    ),
    Symptom(
        r"maxTotalSize is nullptr",
        "BatchMultiClassNMS lacks max_total_size, or it is not an INT",
        "write max_size_per_class and max_total_size as INT, both thresholds as FLOAT",
        "ascend-facts: nms-plugin",
    ),
    Symptom(
        r"opp version of the model does not match",
        "the operator package is of another release than the compiler",
        "install toolkit and operator package of one release",
        "ascend-facts: cann-releases",
    ),
    Symptom(
        r"ModelCheckCompatibility failed",
        "the model was compiled for another chip",
        "compile again with --soc_version of the chip that npu-smi info shows",
        "ascend-facts: cann-releases",
    ),
    Symptom(
        r"input image size ?\[?(\d+)\]? is not equal to model input size ?\[?(\d+)\]?",
        "the calibration data have {0} bytes an input, the model wants {1}",
        "preprocess the calibration images to the size and element type of the model's input",
        "reported: AMCT, Do Calibration failed",
    ),
    Symptom(
        r"Permission denied|权限不够",
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
            start = text.rfind("\n", 0, match.end()) + 1
            line = text[start:].partition("\n")[0].strip()
            return symptom, symptom.cause.format(*groups), symptom.fix.format(*groups), line
    return None
