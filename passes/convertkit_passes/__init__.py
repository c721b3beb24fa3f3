"""The passes that come with convertkit."""

from __future__ import annotations

from convertkit.api import passes


@passes.hookimpl
def register_passes(register):  # type: ignore[no-untyped-def]
    """Registers the built-in passes."""
    from convertkit_passes.absorb_score_filters import AbsorbScoreFilters
    from convertkit_passes.cast_int64 import CastInt64ToInt32
    from convertkit_passes.clip_to_picture import ClipToPicture
    from convertkit_passes.convert_opset import ConvertOpset
    from convertkit_passes.cut_loops import CutLoops
    from convertkit_passes.drop_offset_rounding import DropOffsetRounding
    from convertkit_passes.fold_constants import FoldConstants
    from convertkit_passes.freeze_defaults import FreezeDefaults
    from convertkit_passes.fuse_multiclass_nms import FuseMulticlassNms
    from convertkit_passes.fuse_multilevel_roialign import FuseMultilevelRoialign
    from convertkit_passes.inline_functions import InlineFunctions
    from convertkit_passes.limit_detections import LimitDetections
    from convertkit_passes.limit_proposals import LimitProposals
    from convertkit_passes.lower_heads import LowerHeads
    from convertkit_passes.onnxoptimizer_pass import Onnxoptimizer
    from convertkit_passes.onnxslim_pass import Onnxslim
    from convertkit_passes.prune_mask_head import PruneMaskHead
    from convertkit_passes.rename_io import RenameIo
    from convertkit_passes.resolve_if import ResolveIf
    from convertkit_passes.restore_rpn_levels import RestoreRpnLevels
    from convertkit_passes.select_class_masks import SelectClassMasks
    from convertkit_passes.set_input_shape import SetInputShape
    from convertkit_passes.set_opset_window import SetOpsetWindow
    from convertkit_passes.simplify import Simplify

    general = (
        SetInputShape,
        InlineFunctions,
        ResolveIf,
        FreezeDefaults,
        Simplify,
        Onnxslim,
        Onnxoptimizer,
        FoldConstants,
        CastInt64ToInt32,
        ConvertOpset,
        SetOpsetWindow,
        RenameIo,
        CutLoops,
    )
    heads = (
        AbsorbScoreFilters,
        FuseMultilevelRoialign,
        FuseMulticlassNms,
        DropOffsetRounding,
        RestoreRpnLevels,
        LimitProposals,
        LimitDetections,
        ClipToPicture,
        LowerHeads,
    )
    for cls in (*general, SelectClassMasks, PruneMaskHead, *heads):
        register(cls)
