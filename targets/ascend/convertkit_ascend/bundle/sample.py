"""How ``model.om`` runs where there is CANN and nothing of ours: through aclruntime, and in C++ through AscendCL."""

from __future__ import annotations

from pathlib import Path

from convertkit.api import targets
from convertkit_ascend.bundle.names import OM

CPP = "sample.cpp"

RUN = """
def run(model, feeds):  # inputs by name where the compiler kept it, else by position
    import aclruntime
    session = aclruntime.InferenceSession(model, 0, aclruntime.session_options())
    session.set_staticbatch()
    tensors = [aclruntime.Tensor(feeds.get(it.name, own)) for it, own in zip(session.get_inputs(), feeds.values())]
    for tensor in tensors:
        tensor.to_device(0)
    outputs = session.run([item.name for item in session.get_outputs()], tensors)
    for tensor in outputs:
        tensor.to_host()
    return [np.array(tensor) for tensor in outputs]
"""


def sample() -> targets.SampleCode:
    """The sample of an artifact for any chip."""
    text = Path(__file__).with_name(CPP).read_text(encoding="utf-8")
    return targets.SampleCode(OM, RUN, {CPP: text})
