"""Turn trained detection models into verified artifacts for accelerators.

Plugins import the parts of :mod:`convertkit.api`, and nothing else of it.
"""

import os

# onnxruntime 1.29 and later reports models (names, hashes of graph and weights) to its maker unless told not to,
# at import. Whoever wants that sets the variable to something else.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

del os
