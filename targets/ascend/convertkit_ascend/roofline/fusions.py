"""What ATC is said to fuse in the unified buffer (UB), of what detectors have.

Documented, nothing of it was seen run (ascend-facts: chip-fusion). Fusions with other operators (quantisation, AIPP
with a convolution, a convolution with its Concat) are left out.
"""

from __future__ import annotations

from convertkit.api.targets import Fusion

ELEMENTWISE = (
    "Abs", "Add", "Cast", "Ceil", "Clip", "Div", "Elu", "Exp", "Floor", "HardSigmoid", "LeakyRelu", "Log", "Max",
    "Min", "Mul", "Neg", "PRelu", "Pow", "Reciprocal", "Relu", "Round", "Sigmoid", "Softplus", "Sqrt", "Sub", "Tanh",
)  # fmt: skip
"""ONNX operators that become Elemwise ones."""

FUSIONS = (
    Fusion(("Conv",), ELEMENTWISE, 2, "Conv and up to two elementwise (TbeConvDoubleInFusionPass)"),
    Fusion(
        ("Gemm", "MatMul"),
        ("Add", "Div", "Relu"),
        2,
        "MatMul and up to two of Add, Div, Relu (TbeBatchMatmulElementWiseFusionPass, ATbeMatMulElemwiseFusionPass)",
    ),
    Fusion(
        ("ConvTranspose",),
        ("Add", "LeakyRelu", "PRelu", "Relu"),
        1,
        "ConvTranspose and one of Add, Relu, LeakyRelu, PRelu (TbeDxElemwisePass)",
    ),
    Fusion(ELEMENTWISE, ELEMENTWISE, 27, "up to 28 elementwise in a row (AutomaticUbFusion)"),
)
