"""Operator domains: their versions, and the one where the vendor operators live inside the pipeline."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:  # every command needs the name below, few need onnx
    import onnx

DOMAIN = "convertkit.ascend"
"""The vendor's parser looks for its operators in the default domain only (ascend-facts: parser-opsets; a node of
another domain is E13010), so the last step before the compiler has to move them there."""


def plain(domain: str) -> str:
    """The empty domain and ``ai.onnx`` are the same (ascend-facts: parser-key)."""
    return "" if domain == "ai.onnx" else domain


def set_versions(model: onnx.ModelProto, wanted: dict[str, int]) -> None:
    """Writes the imports, one per domain, in alphabetical order."""
    import onnx

    del model.opset_import[:]
    for domain in sorted(wanted):
        model.opset_import.append(onnx.helper.make_opsetid(domain, wanted[domain]))
