"""``cut-loops``: the graph ends in front of its loops, and the host does the rest."""

from __future__ import annotations

from convertkit.api import passes


class CutLoops(passes.LightPass):
    """End the graph in front of its loops: what they read becomes outputs, and the host does the rest.

    Exporters write what is done detection by detection at the very end as a Loop: torchvision pastes each mask into the
    picture, and reads key points from heat maps scaled to each box. The outputs that hang on it give way to the
    fewest bytes that they can be computed from: a mask of fixed size, or a heat map, for each detection. Boxes that
    are an output already cost nothing. What follows a loop may be arithmetic only, and the new outputs have to have
    fixed sizes.

    It is checked with the rest of the graph behind it, bit for bit. ``part=rest`` gives that rest, the graph
    for the host, instead; its inputs are outputs of the other part, so that ``opt`` has to be told ``--no-check``.

    Options:
        part: ``front`` or ``rest``.
    """

    name = "cut-loops"
    effect = "exact"
    subgraphs = "reads"
    after = (
        "simplify", "fold-constants", "resolve-if", "cast-int64-to-int32", "fuse-multilevel-roialign",
        "fuse-multiclass-nms",
    )  # fmt: skip
    before = ("legalize-ascend",)
    part: str = "front"

    def __post_init__(self) -> None:
        if self.part not in ("front", "rest"):
            raise passes.UsageError(f"pass {self.name}: part is {self.part!r}", hint="it is front or rest")

    def run(self, model: passes.LightModel) -> passes.LightModel:
        from convertkit_passes.flow import tail

        cut = tail.find(model)
        if cut is None:
            return model
        return tail.front(model, cut) if self.part == "front" else tail.rest(model, cut.tensors, cut.lost)

    def rest(self, before: passes.LightModel, after: passes.LightModel) -> passes.LightModel | None:
        from convertkit_passes.flow import tail

        given = [value.name for value in after.proto.graph.output]
        lost = [value.name for value in before.proto.graph.output if value.name not in given]
        return tail.rest(before, given, lost) if self.part == "front" and lost else None

    def explain(self, model: passes.LightModel) -> tuple[passes.Finding, ...]:
        """The loops that go, and where the graph ends instead."""
        from convertkit_passes.flow import tail

        try:
            cut = tail.find(model)
        except passes.PassError as error:
            return (passes.Finding("refused", "graph", f"{error.message} ({error.hint})"),)
        if cut is None:
            return ()
        why = f"{', '.join(cut.lost)} can be computed from {', '.join(cut.tensors)}"
        return tuple(passes.Finding("matched", node.name or node.output[0], why) for node in cut.loops)
