"""Say what an interpreter has: run by path in that interpreter, with its own standard library only.

    python probe.py '{"distributions": ["torch"], "modules": ["numpy"]}'

Prints one JSON line. A distribution counts as usable when its packages and the compiled extensions directly
in them can be imported. Written for Python 3.7, which may be what an old framework needs; there distributions are
looked up by ``importlib_metadata``.
"""

from __future__ import annotations

import importlib
import importlib.machinery
import json
import platform
import sys
import sysconfig
import warnings
from pathlib import Path
from typing import Any


def main(job: dict[str, list[str]]) -> dict[str, Any]:
    """Answer one job; the keys are those of ``convertkit.exporting.interpreter.Probed``."""
    # This file's directory would shadow the modules of others: it has a `worker.py`.
    here = Path(__file__).resolve().parent
    sys.path = [entry for entry in sys.path if Path(entry or ".").resolve() != here]
    warnings.simplefilter("ignore")
    versions: dict[str, str] = {}
    problems: dict[str, str] = {}
    missing: list[str] = []
    for name in job["distributions"]:
        distribution = find(name)
        if distribution is None:
            missing.append(name)
            continue
        versions[name] = distribution.version
        problem = first_problem(modules_of(distribution))
        if problem:
            problems[name] = problem
    for name in job["modules"]:
        problem = first_problem([name])
        if problem.startswith("ModuleNotFoundError") and name.split(".")[0] in problem:
            missing.append(name)
        elif problem:
            problems[name] = problem
    return {
        "version": platform.python_version(),
        "implementation": sys.implementation.name,
        "include": sysconfig.get_path("include"),
        "versions": versions,
        "missing": missing,
        "problems": problems,
    }


def find(name: str) -> Any:
    """Look an installed distribution up; None when it is not there."""
    metadata = importlib.import_module(
        "importlib.metadata" if sys.version_info >= (3, 8) else "importlib_metadata"
    )
    try:
        return metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return None


def modules_of(distribution: Any) -> list[str]:
    """Name the packages of a distribution, each followed by the compiled extensions directly in it."""
    files = distribution.files or []
    packages = (distribution.read_text("top_level.txt") or "").split()
    if not packages:
        packages = sorted({file.parts[0] for file in files if file.parts[1:] == ("__init__.py",)})
    suffix = importlib.machinery.EXTENSION_SUFFIXES[0]
    found = []
    for package in packages:
        inside = [file.name for file in files if file.parts[:-1] == (package,) and file.name.endswith(suffix)]
        found += [package, *(package + "." + name[: -len(suffix)] for name in inside)]
    return found


def first_problem(modules: list[str]) -> str:
    """Import ``modules`` in turn; return the first error in one line, or an empty text."""
    for module in modules:
        try:
            importlib.import_module(module)
        except BaseException as error:
            lines = str(error).strip().splitlines()
            return f"{type(error).__name__}: {lines[0] if lines else ''}"
    return ""


if __name__ == "__main__":
    answer = json.dumps(main(json.loads(sys.argv[1])))
    print("\n" + answer, flush=True)
