"""Sparse tensors written out: onnx-graphsurgeon takes their raw data for zeros, and loses those of Constant nodes."""

from __future__ import annotations

import math

import numpy as np
import onnx
from onnx.external_data_helper import uses_external_data

from convertkit.errors import GraphError
from convertkit.graph.nested import every_graph

MOST = 2**31 - 1
"""Bytes of one tensor in an ONNX file."""


def write_out(proto: onnx.ModelProto) -> None:
    """Makes every sparse initializer and Constant a dense one, those of subgraphs and functions included.

    Raises:
        GraphError: one would not fit into a file, or lies in another file.
    """
    for top in (proto.graph, *proto.functions):
        for part in every_graph(top):
            for node in part.node:
                for item in node.attribute:
                    if item.HasField("sparse_tensor") and node.op_type == "Constant":
                        item.CopyFrom(onnx.helper.make_attribute("value", _dense(item.sparse_tensor)))
            if isinstance(part, onnx.GraphProto):
                part.initializer.extend(_dense(item) for item in part.sparse_initializer)
                part.ClearField("sparse_initializer")


def _dense(tensor: onnx.SparseTensorProto) -> onnx.TensorProto:
    name = tensor.values.name
    if uses_external_data(tensor.values) or uses_external_data(tensor.indices):
        raise GraphError(f"sparse tensor {name!r} lies in another file")
    size = math.prod(tensor.dims) * onnx.helper.tensor_dtype_to_np_dtype(tensor.values.data_type).itemsize
    if size > MOST:
        raise GraphError(f"sparse tensor {name!r} has {size} bytes written out, more than an ONNX file holds")
    places, values = (onnx.numpy_helper.to_array(part) for part in (tensor.indices, tensor.values))
    dense = np.zeros(tuple(tensor.dims), values.dtype)
    if places.ndim == 1:  # counted through the whole tensor
        dense.reshape(-1)[places] = values
    else:
        dense[tuple(places.T)] = values
    return onnx.numpy_helper.from_array(dense, name)
