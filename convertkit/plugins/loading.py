"""How passes, targets and models come in: entry points, single files, model packages, all by the same hooks."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import logging
import sys
from collections.abc import Callable, Iterable
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType
from typing import Any

import pluggy

from convertkit.errors import ConvertkitError, PluginError, suggestion
from convertkit.graph.domains import Domain, add_domain
from convertkit.heads.domain import DOMAIN as HEADS
from convertkit.models.base import Model
from convertkit.models.base import check_class as check_model
from convertkit.passes.base import Pass
from convertkit.passes.base import check_class as check_pass
from convertkit.passes.history import PassRecord
from convertkit.plugins import hookspecs
from convertkit.plugins.diagnosis import Diagnosis
from convertkit.registry import Registry
from convertkit.storage.files import sha256_bytes
from convertkit.targets.base import Target, check_target

LOG = logging.getLogger(__name__)

GROUP = "convertkit"
"""The entry point group in which installed plugins announce themselves."""

_REGISTER = ("register_passes", "register_targets", "register_models", "register_domains")


class Plugins:
    """Everything that plugins have registered so far.

    Attributes:
        passes: pass classes by name.
        targets: targets by name.
        models: model classes by name.
        origins: plugin name -> where it came from (``package 1.0`` or a path).
    """

    def __init__(self) -> None:
        self.passes: Registry[type[Pass]] = Registry("pass")
        self.targets: Registry[Target] = Registry("target")
        self.models: Registry[type[Model]] = Registry("model")
        self.origins: dict[str, str] = {}
        self._manager = pluggy.PluginManager(hookspecs.PROJECT)
        self._manager.add_hookspecs(hookspecs)
        add_domain(HEADS)

    def load_installed(self) -> None:
        """Loads every installed plugin of the entry point group.

        Raises:
            PluginError: one cannot be imported (names its distribution), or registers something impossible.
        """
        for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
            origin = f"{point.dist.name} {point.dist.version}" if point.dist else point.value
            try:
                module = point.load()
            except Exception as error:
                reason = f"{type(error).__name__}: {error}"
                raise PluginError(f"plugin {point.name} of {origin} cannot be loaded: {reason}") from error
            self.add(module, name=point.name, origin=origin)

    def load_file(self, path: Path) -> ModuleType:
        """Loads a plugin from a single Python file (``--plugin FILE.py``), once.

        Raises:
            PluginError: no such file, or it cannot be imported.
        """
        if not Path(path).is_file():
            raise PluginError(f"plugin {path}: no such file")
        path = Path(path).resolve()
        module = _import_file(unique_name("plugin", path), path)
        if str(path) not in self.origins:
            self.add(module, name=str(path), origin=str(path))
        return module

    def load_package(self, root: Path, plugin: str | None) -> None:
        """Loads a model package's plugin module, if any; the directory becomes a Python package of a unique name."""
        root = Path(root).resolve()
        if str(root) in self.origins:
            return
        if plugin is None:
            _import_directory(unique_name("model", root), root)
            return
        if not (root / plugin).is_file():
            raise PluginError(
                f"{root / plugin}: no such file", hint="it is named under 'plugin' in model.yaml"
            )
        name = unique_name("model", root)
        _import_directory(name, root)
        module = _import_submodule(name, root / plugin)
        self.add(module, name=str(root), origin=str(root))

    def add(self, module: object, *, name: str, origin: str) -> None:
        """Registers a plugin object: checks its hooks and takes in what it registers."""
        self._register(module, name)
        self.origins[name] = origin
        LOG.info("plugin %s from %s", name, origin)
        sinks: tuple[Callable[[Any], None], ...] = (
            lambda cls: self._take(self.passes, check_pass, cls, name),
            lambda target: self._take_target(target, name),
            lambda cls: self._take(self.models, check_model, cls, name),
            lambda domain: _take_domain(domain, name),
        )
        for hook, sink in zip(_REGISTER, sinks, strict=True):
            self._call(hook, module, sink, name)

    def observe(self, record: PassRecord) -> None:
        """Tells every observer about a pass that ran."""
        self._manager.hook.after_pass(record=record)

    def examine(self) -> list[Diagnosis]:
        """What every plugin says about this machine; one that fails is a diagnosis of its own, never an error."""
        found: list[Diagnosis] = []
        for name, module in self._manager.list_name_plugin():
            if module is None or not hasattr(module, "examine"):
                continue
            others = [other for other in self._manager.get_plugins() if other is not module]
            try:
                for answer in self._manager.subset_hook_caller("examine", others)():
                    found += answer
            except Exception as error:
                reason = f"examine fails: {type(error).__name__}: {error}"
                found.append(
                    Diagnosis("missing", f"plugin {name}", reason, "report this to the plugin's author")
                )
        return found

    def _call(self, hook: str, module: object, sink: Callable[[Any], None], name: str) -> None:
        """Calls one hook of one plugin, so that it is known who registers what."""
        others = [other for other in self._manager.get_plugins() if other is not module]
        try:
            self._manager.subset_hook_caller(hook, others)(register=sink)
        except ConvertkitError:
            raise
        except Exception as error:
            raise PluginError(f"plugin {name}: {hook} fails: {type(error).__name__}: {error}") from error

    def _take(self, registry: Registry[Any], check: Callable[[Any], None], cls: Any, plugin: str) -> None:
        if not isinstance(cls, type):
            raise PluginError(
                f"plugin {plugin} registers {cls!r} as a {registry.kind}", hint="register the class"
            )
        check(cls)
        registry.add(cls.name, cls, plugin=plugin)  # type: ignore[attr-defined]

    def _take_target(self, target: Any, plugin: str) -> None:
        if not isinstance(target, Target):
            hint = "register a target: an object, not its class" if isinstance(target, type) else None
            raise PluginError(f"plugin {plugin} registers {target!r} as a target", hint=hint)
        check_target(target)
        self.targets.add(target.name, target, plugin=plugin)

    def _register(self, module: object, name: str) -> None:
        """A misspelt hook would otherwise be ignored without a word."""
        try:
            self._manager.register(module, name)
            self._manager.check_pending()
        except pluggy.PluginValidationError as error:
            self._manager.unregister(name=name)
            reason = _argument_reason(module) or _hook_reason(error)
            raise PluginError(f"plugin {name}: {reason}") from error


def _take_domain(domain: Any, plugin: str) -> None:
    if not isinstance(domain, Domain):
        raise PluginError(f"plugin {plugin} registers {domain!r} as a domain", hint="register Domain(...)")
    add_domain(domain, plugin)


def open_plugins(files: Iterable[Path] = ()) -> Plugins:
    """The installed plugins and those in single files."""
    plugins = Plugins()
    plugins.load_installed()
    for file in files:
        plugins.load_file(file)
    return plugins


def _argument_reason(module: object) -> str | None:
    """What is wrong with the arguments of a plugin's hooks: they are given by name."""
    for hook, spec in vars(hookspecs).items():
        function = getattr(module, hook, None)
        if not hasattr(spec, f"{hookspecs.PROJECT}_spec") or not inspect.isfunction(function):
            continue
        known = list(inspect.signature(spec).parameters)
        for name in inspect.signature(function).parameters:
            if name not in known:
                return (
                    f"{hook}({name}): the argument is called {known[0]!r}"
                    if known
                    else f"{hook} has no arguments"
                )
    return None


def _hook_reason(error: pluggy.PluginValidationError) -> str:
    known = [
        name for name in vars(hookspecs) if hasattr(getattr(hookspecs, name), f"{hookspecs.PROJECT}_spec")
    ]
    text = str(error)
    wrong = (
        text.split("unknown hook ")[-1].split(" in plugin")[0].strip("'\"") if "unknown hook" in text else ""
    )
    return f"unknown hook {wrong!r} ({suggestion(wrong, known)})" if wrong else text


def unique_name(kind: str, path: Path) -> str:
    digest = sha256_bytes(str(path))[:8]
    return f"convertkit_{kind}_{path.stem.replace('-', '_').replace('.', '_')}_{digest}"


def _import_directory(name: str, root: Path) -> ModuleType:
    """A namespace for relative imports; the directory's ``__init__.py`` runs where there is one."""
    if name in sys.modules:
        return sys.modules[name]
    init = root / "__init__.py"
    if init.is_file():
        return _execute(name, init, search=[str(root)])
    module = ModuleType(name)
    module.__path__ = [str(root)]
    sys.modules[name] = module
    return module


def _import_submodule(package: str, path: Path) -> ModuleType:
    try:
        return importlib.import_module(f"{package}.{path.stem}")
    except (Exception, SystemExit) as error:
        raise PluginError(f"{path} cannot be loaded: {type(error).__name__}: {error}") from error


def _import_file(name: str, path: Path) -> ModuleType:
    return sys.modules[name] if name in sys.modules else _execute(name, path, search=None)


def _execute(name: str, path: Path, *, search: list[str] | None) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, path, submodule_search_locations=search)
    if spec is None or spec.loader is None:
        raise PluginError(f"{path} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        del sys.modules[name]
        raise PluginError(f"{path} cannot be loaded: {type(error).__name__}: {error}") from error
    return module
