"""The Python that ATC's kernel compiler uses: the first ``python3`` on PATH, not the one that runs convertkit.

Module list, numpy below 2 and Python 3.7 to 3.10 are what users found for CANN 8.1 (ascend-facts: cann-python); the
vendor documents no list. Later releases may take later Pythons, hence a note and not a refusal.
"""

from __future__ import annotations

import shutil

import msgspec

from convertkit.api import errors, system, targets

MODULES = {
    "numpy": "numpy<2",
    "decorator": "decorator",
    "attr": "attrs",
    "psutil": "psutil",
    "google.protobuf": "protobuf",
    "sympy": "sympy",
    "absl": "absl-py",
    "scipy": "scipy",
    "cffi": "cffi",
}
"""What is imported -> what pip installs. scipy and cffi: users' reports and E40020."""

OLDEST, NEWEST = (3, 7), (3, 10)
SECONDS = 60.0

_LOOK = """
import importlib, json, sys
found = {"python": list(sys.version_info[:2]), "modules": {}}
for name in sys.argv[1:]:
    try:
        found["modules"][name] = str(getattr(importlib.import_module(name), "__version__", "?"))
    except Exception as error:
        found["modules"][name] = None
print(json.dumps(found))
"""


class _Found(msgspec.Struct, frozen=True):
    python: tuple[int, int]
    modules: dict[str, str | None]


def examine() -> list[targets.Diagnosis]:
    """The interpreter, and the modules it lacks."""
    python = shutil.which("python3")
    if python is None:
        return [
            targets.Diagnosis("missing", "Python of atc", "no python3 on PATH", "install Python 3.7 to 3.10")
        ]
    try:
        done = system.run_child([python, "-c", _LOOK, *MODULES], timeout=SECONDS)
        found = msgspec.json.decode(done.stdout.splitlines()[-1], type=_Found)
    except (errors.ProcessError, msgspec.MsgspecError, RecursionError, IndexError) as error:
        return [
            targets.Diagnosis("missing", "Python of atc", f"{python} fails: {error}", "repair or replace it")
        ]
    return [_interpreter(python, found.python), *_modules(python, found.modules)]


def _interpreter(python: str, version: tuple[int, ...]) -> targets.Diagnosis:
    shown = f"{'.'.join(map(str, version))} at {python}"
    if version < OLDEST:
        return targets.Diagnosis(
            "missing", "Python of atc", shown, "put 3.7 to 3.10 first on PATH (ATC says E40002)"
        )
    if version > NEWEST:
        advice = "CANN 8.1 fails with 3.11 and later (FrameLocalsProxy): put 3.7 to 3.10 first on PATH"
        return targets.Diagnosis("note", "Python of atc", shown, advice)
    return targets.Diagnosis("ok", "Python of atc", shown)


def _modules(python: str, versions: dict[str, str | None]) -> list[targets.Diagnosis]:
    lacking = [package for name, package in MODULES.items() if versions.get(name) is None]
    numpy = versions.get("numpy")
    new = numpy is not None and numpy.split(".")[0].isdigit() and int(numpy.split(".")[0]) >= 2
    found = []
    if lacking:
        words = " ".join(f"'{package}'" if "<" in package else package for package in lacking)
        advice = f"{python} -m pip install {words}"
        found.append(targets.Diagnosis("missing", "modules of atc", f"without {', '.join(lacking)}", advice))
    if new:
        advice = f"{python} -m pip install 'numpy<2'"
        found.append(targets.Diagnosis("missing", "modules of atc", f"numpy {numpy}", advice))
    return found or [targets.Diagnosis("ok", "modules of atc", f"all of {', '.join(MODULES.values())}")]
