"""What a target adds to the sample that a build leaves beside its artifact."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class SampleCode:
    """How an artifact runs without convertkit.

    Attributes:
        model: the file of the artifact that is run.
        run: Python text of ``def run(model, feeds)``: the path of ``model``, arrays by name in the graph's order ->
            arrays in the order of the outputs; empty for onnxruntime. An input may not be in the graph.
        files: further files by name, which begins with ``sample.``, such as the same in another language.
    """

    model: str
    run: str = ""
    files: Mapping[str, str] = field(default_factory=dict)
