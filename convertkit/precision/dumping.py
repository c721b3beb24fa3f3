"""Every tensor of the target graph on one photo: of a reference, and of what is predicted; as files of a vendor's tool.

onnxruntime keeps what it is asked for until the end of a run, so tensors are asked for in parts, each of a run of its
own. A graph of which more is asked is fused less, so a value may differ from the rung's in its last bits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import onnx
from msgspec import Struct

from convertkit.detection.batch import stacked
from convertkit.errors import UsageError
from convertkit.graph.input_shapes import free_inputs
from convertkit.graph.light import LightModel
from convertkit.graph.nested import nodes_inside
from convertkit.graph.shapes import inferred
from convertkit.precision.apart import apart
from convertkit.precision.stretches import bytes_of
from convertkit.rungs.profiled import Preparation
from convertkit.storage.files import atomic_directory
from convertkit.targets.capabilities import answers, emulate
from convertkit.targets.tensor_tool import Apart, Names, tensor_tool_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from convertkit.conversion.request import BuildRequest
    from convertkit.detection.types import Image
    from convertkit.graph.session import Arrays
    from convertkit.rungs.names import RungName

INDEX = "index.json"
INPUTS = "input"
ROOM = 512 << 20
"""Bytes of tensors that one run gives; more where a single tensor has."""


class Tensor(Struct, frozen=True):
    """One tensor of the main graph.

    Attributes:
        name: of the tensor.
        node, op, output: that make it; which output of the node.
        origin: of the node: a pass or a module of the framework's model.
        rule: by which the prediction makes it.
        shape, dtype: of its values.
        takes: other tensors of the dump, which the node takes.
        file: in the directory of each rung; empty where the vendor's tool could not find it by any name.
        predicted: how far it is from the reference, by rung.
    """

    name: str
    node: str
    op: str
    output: int
    origin: str
    rule: str
    shape: tuple[int, ...]
    dtype: str
    takes: tuple[str, ...]
    file: str
    predicted: dict[str, Apart]


class Dump(Struct, frozen=True):
    """``index.json``: what lies in a directory; ``tensors`` in the order of the graph.

    Attributes:
        target: whose tool the files are for.
        reference: the rung that the others are compared with; like them a directory of ``.npy``.
        inputs: files of the graph's inputs, raw bytes, in the order of the graph.
        untyped: tensors of the graph whose type no inference tells, which are left out.
        inside: nodes in branches, loops and other bodies, whose tensors are left out.
    """

    model: str
    variant: str
    target: str
    photo: str
    reference: str
    rungs: tuple[str, ...]
    inputs: tuple[str, ...]
    tensors: tuple[Tensor, ...]
    untyped: int = 0
    inside: int = 0


@dataclass(frozen=True)
class Dumper:
    """Writes the tensors of a graph.

    Args:
        model: the target graph.
        origins: of its nodes, by name.
        rungs: emulations of the target graph; the first is the reference.
        room: bytes of tensors that one run gives.
    """

    request: BuildRequest
    model: LightModel
    origins: Mapping[str, str]
    rungs: Sequence[RungName]
    room: int = ROOM

    def write(
        self,
        photo: str,
        image: Image,
        directory: Path,
        on_progress: Callable[[int], object] = lambda count: None,
    ) -> Dump:
        """Fills a new directory.

        Args:
            photo: its name. image: its pixels, ``(H, W, 3) uint8``, BGR.
            on_progress: told how many tensors are written.

        Raises:
            UsageError: the directory exists, or the target has no tool for such files.
            GraphError: a node fails.
        """
        tool = tensor_tool_of(self.request.target)
        if directory.exists():
            raise UsageError(f"{directory}: exists", hint="name a new directory")
        made = list(_made(self.model))
        names = tool.names([(one.node.name, one.output) for one in made])
        inputs = self._inputs(image)
        with atomic_directory(directory) as place:
            fed = self._prepare(place, inputs, names)
            tensors: list[Tensor] = []
            for part in _parts(made, self.room):
                values = [self._values(rung, part, inputs) for rung in self.rungs]
                tensors += [
                    self._tensor(one, [found[one.name] for found in values], names, place) for one in part
                ]
                on_progress(len(tensors))
            index = Dump(
                *(self.request.package.spec.name, self.request.variant.name, self.request.target.name),
                photo,
                self.rungs[0].text,
                tuple(rung.text for rung in self.rungs[1:]),
                fed,
                tuple(tensors),
                *_left_out(self.model, made),
            )
            (place / INDEX).write_bytes(msgspec.json.format(msgspec.json.encode(index), indent=1))
        return index

    def _inputs(self, image: Image) -> Arrays:
        package, variant = self.request.package, self.request.variant.spec
        settings = package.preprocess_spec(self.request.variant)
        if self.request.context.pixels is None:
            settings = settings.on_host()
        prepared, _ = Preparation(package, settings, [variant.size])(image)
        return stacked([prepared], variant.batch)

    def _prepare(self, place: Path, inputs: Arrays, names: Names) -> tuple[str, ...]:
        """Directories, what lies beside the tensors, and the inputs; gives the names of these."""
        for rung in self.rungs:
            (place / rung.text).mkdir()
            for name, text in names.beside.items():
                (place / rung.text / name).write_text(text)
        (place / INPUTS).mkdir()
        files: list[str] = []
        for value in free_inputs(self.model.proto.graph):
            files.append(f"{INPUTS}/input_{len(files)}.bin")
            np.ascontiguousarray(inputs[value.name]).tofile(place / files[-1])
        return tuple(files)

    def _values(self, rung: RungName, part: Sequence[_Made], inputs: Arrays) -> Mapping[str, NDArray[Any]]:
        proto = onnx.ModelProto()
        proto.CopyFrom(self.model.proto)
        del proto.graph.output[:]
        proto.graph.output.extend(one.value for one in part)
        asked = LightModel(proto, self.model.weights)
        runtime = emulate(self.request.target, asked, rung.emulation, rung.variation, self.request.context)
        return answers(runtime, inputs)

    def _tensor(self, one: _Made, values: Sequence[NDArray[Any]], names: Names, place: Path) -> Tensor:
        tool, file = tensor_tool_of(self.request.target), names.files.get((one.node.name, one.output), "")
        if file:
            for rung, array in zip(self.rungs, values, strict=True):
                np.save(place / rung.text / file, array)
        return Tensor(
            one.name,
            *(one.node.name, one.node.op_type, one.output),
            self.origins.get(one.node.name, ""),
            tool.rule(one.node.op_type, one.node.domain),
            values[0].shape,
            values[0].dtype.name,
            one.takes,
            file,
            {
                rung.text: apart(array, values[0])
                for rung, array in zip(self.rungs[1:], values[1:], strict=True)
            },
        )


@dataclass(frozen=True)
class _Made:
    node: onnx.NodeProto
    output: int
    value: onnx.ValueInfoProto
    takes: tuple[str, ...]

    @property
    def name(self) -> str:
        return self.value.name


def _made(model: LightModel) -> Iterator[_Made]:
    graph = inferred(model, strict=False).graph
    typed = {value.name: value for value in (*graph.value_info, *graph.output)}
    known: set[str] = set()
    for node in model.proto.graph.node:
        if node.op_type == "Constant":
            continue
        takes = tuple(name for name in dict.fromkeys(node.input) if name in known)
        for output, name in enumerate(node.output):
            if name in typed and typed[name].type.tensor_type.elem_type:
                known.add(name)
                yield _Made(node, output, typed[name], takes)


def _left_out(model: LightModel, made: Sequence[_Made]) -> tuple[int, int]:
    graph = model.proto.graph
    outputs = sum(bool(name) for node in graph.node if node.op_type != "Constant" for name in node.output)
    return outputs - len(made), nodes_inside(graph)


def _parts(made: Sequence[_Made], room: int) -> Iterator[list[_Made]]:
    part: list[_Made] = []
    held = 0
    for one in made:
        size = bytes_of(one.value)
        if part and held + size > room:
            yield part
            part, held = [], 0
        part.append(one)
        held += size
    if part:
        yield part
