"""Operator domains of a model: normalised, and which of them nodes use."""

from __future__ import annotations

from collections.abc import Iterator

import onnx


def plain(domain: str) -> str:
    """The empty domain and ``ai.onnx`` are the same (frontend, "Key")."""
    return "" if domain == "ai.onnx" else domain


def every_node(graph: onnx.GraphProto) -> Iterator[onnx.NodeProto]:
    """The nodes of a graph and of the subgraphs in them."""
    for node in graph.node:
        yield node
        for attribute in node.attribute:
            for inner in [*([attribute.g] if attribute.HasField("g") else []), *attribute.graphs]:
                yield from every_node(inner)


def versions(model: onnx.ModelProto) -> dict[str, int]:
    """The opset of each domain; of two imports of one domain the last wins, as in the vendor's parser."""
    return {plain(item.domain): item.version for item in model.opset_import}


def set_versions(model: onnx.ModelProto, wanted: dict[str, int]) -> None:
    """Writes the imports, one per domain, in alphabetical order."""
    del model.opset_import[:]
    for domain in sorted(wanted):
        model.opset_import.append(onnx.helper.make_opsetid(domain, wanted[domain]))
