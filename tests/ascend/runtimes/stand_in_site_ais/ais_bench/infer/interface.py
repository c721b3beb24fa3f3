"""The stand-in for ``ais_bench.infer.interface``, where a child finds it."""

from tests.ascend.runtimes import stand_in_aclruntime as stand_in

InferSession = stand_in.OldInferSession if "old" in stand_in.FLAVOUR else stand_in.InferSession
MemorySummary = stand_in.Memory
