"""PyPI's packages whose names promise what they are not, and those it does not have (ascend-facts: pypi-names)."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

from convertkit.api import targets

TRAPS = {
    "cann": ("a package that only warns", "CANN is no Python package: install Huawei's toolkit"),
    "ascend-cann-toolkit": (
        "not the toolkit as Huawei publishes it",
        "install the .run or .deb of the toolkit",
    ),
    "msprobe": ("unrelated to Ascend", "the debugger is mindstudio-probe"),
    "ais-bench-benchmark": (
        "evaluates language models",
        "the measuring tool is ais_bench, from Ascend/tools or msit",
    ),
}
"""Name on PyPI -> what it is, and what to do instead."""

RUNTIMES = ("aclruntime", "ais_bench")


def examine() -> list[targets.Diagnosis]:
    """A line for each trap that somebody walked into; none on most machines."""
    return [
        targets.Diagnosis(
            "note", f"package {name}", f"{installed}, {what}", f"{instead}; pip uninstall {name}"
        )
        for name, (what, instead) in TRAPS.items()
        if (installed := _installed(name))
    ]


def runtimes() -> list[targets.Diagnosis]:
    """The wheels that run a compiled model from Python; worth a line only where there is a chip."""
    found = [f"{name} {installed}" for name in RUNTIMES if (installed := _installed(name))]
    if found:
        return [targets.Diagnosis("ok", "Ascend runtime", ", ".join(found))]
    advice = (
        "aclruntime and ais_bench are not on PyPI: pip install Huawei's wheels, or msit install benchmark"
    )
    return [targets.Diagnosis("note", "Ascend runtime", "neither aclruntime nor ais_bench", advice)]


def _installed(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
