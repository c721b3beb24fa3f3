"""What a pass is: a frozen dataclass with a name, a declared effect, options as fields and one method.

A subclass needs no decorator; defining the class makes it a frozen dataclass whose annotated fields are its
options::

    class Simplify(ModelPass):
        \"\"\"Fold, fuse and prune with onnxsim.\"\"\"

        name = "simplify"
        effect = "rounding"
        rounds: int = 3
"""

from __future__ import annotations

import dataclasses
import inspect
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, get_args

from typing_extensions import dataclass_transform

from convertkit.errors import PluginError
from convertkit.storage.files import tree_digest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import onnx
    import onnx_ir
    from numpy.typing import NDArray

    from convertkit.graph.finding import Finding
    from convertkit.graph.graph import Graph
    from convertkit.graph.light import LightModel

Effect = Literal["exact", "rounding", "semantic"]
"""``exact``: the same bits. ``rounding``: the same mathematics. ``semantic``: a different, declared result."""

Subgraphs = Literal["reads", "leaves"]
"""What a pass does with nodes inside of other nodes."""

_KEBAB = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


@dataclass_transform(frozen_default=True)
@dataclasses.dataclass(frozen=True)
class Pass:
    """A named rewrite. Derive from :class:`GraphPass`, :class:`LightPass`, :class:`ModelPass` or :class:`IrPass`.

    Class attributes:
        name: kebab-case; the name on the command line.
        effect: what the rewrite does to the outputs, and so under which tolerance it is checked.
        after: passes that, where present, must come earlier in the pipeline.
        before: passes that, where present, must come later.
        requires: passes that must be present, and earlier.
        heads: operators of detection heads that it is there for: where some stay, its line says how many and why.
        subgraphs: whether it ``reads`` the bodies of If, Loop and Scan too, or ``leaves`` them: its line then says how
            many nodes sit there.
    """

    name: ClassVar[str]
    effect: ClassVar[Effect]
    after: ClassVar[tuple[str, ...]] = ()
    before: ClassVar[tuple[str, ...]] = ()
    requires: ClassVar[tuple[str, ...]] = ()
    heads: ClassVar[tuple[str, ...]] = ()
    subgraphs: ClassVar[Subgraphs] = "leaves"

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for name in inspect.get_annotations(cls):
            default = cls.__dict__.get(name)
            if isinstance(default, (dict, list, set)):  # each instance gets its own copy, as authors mean it
                setattr(cls, name, dataclasses.field(default_factory=default.copy))
        dataclasses.dataclass(frozen=True)(cls)

    def added_inputs(self, model: LightModel) -> Mapping[str, NDArray[Any]]:
        """Values for graph inputs that the pass has added to ``model``, under which it computes what it did before.

        Checks use them where a sample has no value of its own.
        """
        return {}

    def input_shapes(self) -> Mapping[str, Sequence[int]]:
        """Sizes that it gives to graph inputs, by name, -1 for one that stays open: samples have them (optional)."""
        return {}

    def pads(self) -> bool:
        """Whether it gives outputs of open length a fixed one (optional): their first rows are compared.

        The rows behind must be all alike, so that none of them can be taken for a result.
        """
        return False

    def shortens(self) -> bool:
        """Whether it gives outputs fewer rows (optional): they are compared with the first there were."""
        return False

    def rest(self, before: LightModel, after: LightModel) -> LightModel | None:
        """The graph from the outputs of ``after`` to those that only ``before`` has (optional).

        For a pass that leaves some of the work to whoever runs the graph: checks run it behind. Outputs of one name
        are the same.
        """
        return None

    def explain(self, graph: Any) -> tuple[Finding, ...]:
        """What ``run`` would find, and what is in its way (optional).

        It is given what ``run`` is given, which is thrown away afterwards; a :class:`LightPass` must not change it.
        """
        raise NotImplementedError

    def probes(
        self, model: LightModel, sample: Mapping[str, NDArray[Any]]
    ) -> Sequence[Mapping[str, NDArray[Any]]]:
        """Inputs that can tell whether what the pass believes of ``model``, the graph before it, is true (optional).

        They are made from a sample input and run beside it; one on which that graph fails itself is left out.

        Raises:
            GraphError: there are none, and why.
        """
        return ()


class GraphPass(Pass):
    """A pass that edits an onnx-graphsurgeon graph in place."""

    def run(self, graph: Graph) -> Sequence[str] | None:
        """Edits ``graph``; unused nodes are removed and the rest is sorted afterwards.

        Returns:
            remarks of one line each that belong beside the result, such as what was left and why; None: none.
        """
        raise NotImplementedError


class LightPass(Pass):
    """A pass over a :class:`~convertkit.graph.light.LightModel`: a ``ModelProto`` whose large weights travel beside it.

    For tools that need the bytes of some weights and the type and shape of the others.
    """

    def run(self, model: LightModel) -> LightModel:
        """Returns the rewritten model; the one given must not be changed."""
        raise NotImplementedError


class ModelPass(Pass):
    """A pass that rewrites the ``ModelProto``: for simplifiers and converters that work on files.

    Large weights are detached: their initializers have a name, a type and a shape but no data. Set ``weights``
    to ``True`` to get the complete model instead, at the price of carrying all of it.
    """

    weights: ClassVar[bool] = False

    def run(self, model: onnx.ModelProto) -> onnx.ModelProto:
        """Returns the rewritten model (it may be the one given)."""
        raise NotImplementedError


class IrPass(Pass):
    """A pass over an ``onnx_ir.Model`` (weights included): for onnxscript rewrite rules and ``onnx_ir`` passes."""

    def run(self, model: onnx_ir.Model) -> onnx_ir.Model:
        """Returns the rewritten model (it may be the one given)."""
        raise NotImplementedError


def check_class(cls: type[Pass]) -> None:
    """Refuses a pass class that lacks what users and the pipeline rely on.

    Raises:
        PluginError: no kebab-case name, an unknown effect or handling of subgraphs, no docstring, or an option without
            default.
    """
    name = getattr(cls, "name", None)
    if not isinstance(name, str) or not _KEBAB.fullmatch(name):
        raise PluginError(
            f"pass class {cls.__qualname__}: name {name!r} is not kebab-case, like 'drop-dropout'"
        )
    effect = getattr(cls, "effect", None)
    if effect not in get_args(Effect):
        raise PluginError(f"pass {name}: effect {effect!r} is none of {', '.join(get_args(Effect))}")
    if cls.subgraphs not in get_args(Subgraphs):
        known = ", ".join(get_args(Subgraphs))
        raise PluginError(f"pass {name}: subgraphs {cls.subgraphs!r} is none of {known}")
    if not summary(cls):
        raise PluginError(f"pass {name}: it has no docstring; its first line is the help text")
    for option in dataclasses.fields(cls):
        if option.default is dataclasses.MISSING and option.default_factory is dataclasses.MISSING:
            raise PluginError(f"pass {name}: option {option.name!r} has no default")


def summary(cls: type[Pass]) -> str:
    """The first line of a pass's own docstring; empty where it has none."""
    doc = cls.__dict__.get("__doc__") or ""
    generated = doc.startswith(f"{cls.__name__}(")  # dataclass writes one where there is none
    return "" if generated or not doc.strip() else doc.strip().splitlines()[0]


def source_digest(cls: type[Pass]) -> str:
    """sha256 of the sources a pass is made of: editing them makes its cached results stale."""
    return tree_digest(class_source(cls))


def class_source(cls: type) -> Path:
    """The package directory a plugin class comes from, or its file where it is a single-file plugin.

    Raises:
        PluginError: the source is not to be found, so that its results could not be told apart.
    """
    package = cls.__module__.partition(".")[0]
    root = getattr(sys.modules.get(package), "__path__", None)
    if root:
        return Path(next(iter(root)))
    try:
        return Path(inspect.getfile(cls))
    except (TypeError, OSError) as error:
        raise PluginError(
            f"{cls.__qualname__}: its source is not to be found, results cannot be cached"
        ) from error
