"""Finding Huawei's two Python modules, and telling them from the packages that only bear their names.

Neither ``aclruntime`` nor ``ais_bench`` is on PyPI; ``ais-bench-benchmark`` there is an evaluation toolkit for
language models that brings a package ``ais_bench`` of its own (ascend-facts: pypi-names).
"""

from __future__ import annotations

import importlib
from types import ModuleType

from convertkit.api import targets

HOW = (
    "take the wheels aclruntime and ais_bench from aisbench.obs.myhuaweicloud.com or say msit install benchmark, "
    "neither is on PyPI; and source CANN's set_env.sh"
)


class NotInstalledError(targets.UnavailableError):
    """There is no module of that name at all."""


def find_aclruntime() -> ModuleType:
    """The module ``aclruntime``.

    Raises:
        UnavailableError: it is missing, cannot be loaded, or is another one.
    """
    module = _load("aclruntime")
    for name in ("InferenceSession", "session_options", "Tensor"):
        if not hasattr(module, name):
            raise targets.UnavailableError(
                f"module aclruntime at {_place(module)} is not Huawei's: it has no {name}", hint=HOW
            )
    return module


def find_ais_bench() -> ModuleType:
    """The module ``ais_bench.infer.interface``.

    Raises:
        UnavailableError: it is missing, cannot be loaded, or ``ais_bench`` is the evaluation toolkit of that name.
    """
    package = _load("ais_bench")
    try:
        module = importlib.import_module("ais_bench.infer.interface")
    except ModuleNotFoundError as error:
        if error.name is None or not error.name.startswith("ais_bench"):
            raise _broken("ais_bench.infer.interface", error) from error
        raise targets.UnavailableError(
            f"module ais_bench at {_place(package)} is not the inference tool: it has no {error.name} "
            "(ais-bench-benchmark from PyPI is a toolkit for language models)",
            hint=HOW,
        ) from error
    except ImportError as error:
        raise _broken("ais_bench.infer.interface", error) from error
    if not hasattr(module, "InferSession"):
        raise targets.UnavailableError(
            f"module ais_bench at {_place(package)} is not the inference tool: it has no InferSession",
            hint=HOW,
        )
    return module


def _load(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name == name:
            raise NotInstalledError(f"module {name} is not installed", hint=HOW) from error
        raise _broken(name, error) from error
    except ImportError as error:  # a shared library of CANN is not on the loader's path
        raise _broken(name, error) from error


def _broken(name: str, error: ImportError) -> targets.UnavailableError:
    hint = HOW if isinstance(error, ModuleNotFoundError) else "source CANN's set_env.sh in this shell"
    return targets.UnavailableError(f"module {name} is there but cannot be loaded: {error}", hint=hint)


def _place(module: ModuleType) -> str:
    where = getattr(module, "__file__", None) or next(iter(getattr(module, "__path__", [])), None)
    return str(where or "an unknown place")
