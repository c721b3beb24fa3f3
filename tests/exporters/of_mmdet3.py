"""Writes a checkpoint as mmdet 3.3.0 trains and saves it, and what mmdet 3.3.0 detects with it.

    python tests/exporters/of_mmdet3.py WHEEL DIRECTORY

WHEEL is where mmdet 3.3.0's wheel lies unpacked (it needs pycocotools, scipy, shapely and what it says); tried with
torch 2.4.1, torchvision 0.19.1, mmengine 0.10.7 and mmcv-lite 2.1.0. mmcv's compiled operators are not there:
torchvision's ``roi_align`` and ``nms`` stand in for the two that Mask R-CNN runs. Model, configuration, optimizer,
schedule and what writes the file are mmdet's and mmengine's own; the one step of training learns nothing.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch
import torchvision
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

WHEEL, DIRECTORY = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()
CLASSES = ("Signal (lit)", "Obst", "toy-kite")
SIZE = 128
CHANNELS = 8


class RoIAlign(nn.Module):
    """mmcv's by torchvision's: the same numbers where ``aligned``, with an adaptive number of samples."""

    def __init__(
        self, output_size: int, spatial_scale: float, sampling_ratio: int = 0, aligned: bool = True
    ) -> None:
        super().__init__()
        self.options = (output_size, spatial_scale, sampling_ratio or -1, aligned)
        self.output_size = (output_size, output_size)

    def forward(self, features: Tensor, rois: Tensor) -> Tensor:
        return torchvision.ops.roi_align(features, rois, *self.options)


def batched_nms(boxes: Tensor, scores: Tensor, groups: Tensor, options: Any) -> tuple[Tensor, Tensor]:
    """mmcv's: boxes of different groups do not suppress each other."""
    kept = torchvision.ops.batched_nms(boxes, scores, groups, options["iou_threshold"])
    kept = kept[: options.get("max_num", -1)] if options.get("max_num", -1) > 0 else kept
    return torch.cat([boxes[kept], scores[kept, None]], dim=1), kept


class Absent(nn.Module):
    """Any other operator of mmcv: named by a class, run by nobody here."""


def stand_in() -> None:
    """Lets mmdet import ``mmcv.ops``."""
    import mmcv.cnn.bricks.transformer as transformer

    transformer.MultiScaleDeformableAttention = Absent
    for part in (
        "",
        ".carafe",
        ".deform_conv",
        ".merge_cells",
        ".modulated_deform_conv",
        ".nms",
        ".point_sample",
        ".roi_align",
    ):
        module = sys.modules[f"mmcv.ops{part}"] = ModuleType(f"mmcv.ops{part}")
        module.__path__, module.__getattr__ = [], absent
        module.RoIAlign, module.batched_nms = RoIAlign, batched_nms


def absent(key: str) -> type[Absent]:
    if key.startswith("__"):
        raise AttributeError(key)
    return Absent


def configuration() -> Any:
    """mmdet's own configuration of Mask R-CNN, made small."""
    from mmengine.config import Config

    config = Config.fromfile(WHEEL / "mmdet/.mim/configs/mask_rcnn/mask-rcnn_r50_fpn_1x_coco.py")
    widths = [CHANNELS // 4 * 2**level for level in range(4)]
    head = {"in_channels": CHANNELS, "num_classes": len(CLASSES)}
    config.merge_from_dict(
        {
            "model": {
                "backbone": {"depth": 18, "base_channels": CHANNELS // 4, "init_cfg": None},
                "neck": {"in_channels": widths, "out_channels": CHANNELS},
                "rpn_head": {"in_channels": CHANNELS, "feat_channels": CHANNELS},
                "roi_head": {
                    "bbox_roi_extractor": {"out_channels": CHANNELS},
                    "mask_roi_extractor": {"out_channels": CHANNELS},
                    "bbox_head": {**head, "fc_out_channels": 16},
                    "mask_head": {**head, "conv_out_channels": CHANNELS, "num_convs": 1},
                },
                "test_cfg": {"rpn": {"nms_pre": 100, "max_per_img": 50}, "rcnn": {"max_per_img": 20}},
            },
            "metainfo": {"classes": CLASSES},
            "work_dir": ".",
        }
    )
    return config


class Photos(Dataset):
    """One picture of noise, and what mmengine asks a dataset for."""

    metainfo = {"classes": CLASSES, "palette": [(220, 20, 60), (119, 11, 32), (0, 0, 142)]}  # noqa: RUF012

    def __len__(self) -> int:
        return 1

    def __getitem__(self, index: int) -> int:
        return index


def trained(config: Any) -> Any:
    """mmengine's runner after an epoch of one step, which saves as it always does."""
    from mmengine.runner import Runner

    runner = Runner(
        model=config.model, work_dir=str(DIRECTORY), train_dataloader=DataLoader(Photos()), cfg=config,
        train_cfg={"by_epoch": True, "max_epochs": 1}, optim_wrapper=config.optim_wrapper,
        param_scheduler=config.param_scheduler, default_hooks={"checkpoint": config.default_hooks.checkpoint},
        randomness={"seed": 0}, default_scope="mmdet", experiment_name="mine",
    )  # fmt: skip
    runner._work_dir = "."  # it writes its absolute path into the checkpoint
    runner.model.init_weights()
    with torch.no_grad():  # else all scores are alike
        for name, spread in (
            ("rpn_cls", 0.5),
            ("rpn_reg", 0.1),
            ("fc_cls", 0.05),
            ("fc_reg", 0.2),
            ("conv_logits", 1),
        ):
            (layer,) = (part for place, part in runner.model.named_modules() if place.endswith(name))
            layer.weight.normal_(0, spread)
    runner.model.train_step = lambda data, optim_wrapper: {"loss": torch.tensor(0.5)}
    runner.train()
    return runner.model.eval()


def detected(model: Any, picture: np.ndarray) -> dict[str, Any]:
    """What mmdet 3 finds: boxes in pixels, scores, labels and areas of masks, best score first."""
    from mmdet.structures import DetDataSample

    sample = DetDataSample(
        metainfo={
            "img_shape": (SIZE, SIZE),
            "ori_shape": (SIZE, SIZE),
            "scale_factor": (1.0, 1.0),
            "pad_shape": (SIZE, SIZE),
        }
    )
    data = {"inputs": [torch.from_numpy(picture.transpose(2, 0, 1))], "data_samples": [sample]}
    with torch.no_grad():
        found = model.test_step(data)[0].pred_instances
    areas = found.masks.sum(dim=(1, 2))
    tables = {"boxes": found.bboxes, "scores": found.scores, "labels": found.labels, "areas": areas}
    return {key: value.tolist() for key, value in tables.items()}


def main() -> None:
    DIRECTORY.mkdir(parents=True, exist_ok=True)
    os.chdir(DIRECTORY)
    sys.path.insert(0, str(WHEEL))
    stand_in()
    import mmdet.models  # noqa: F401  registers them
    from mmengine.registry import init_default_scope

    init_default_scope("mmdet")
    model = trained(configuration())
    picture = (
        np.random.default_rng(0)
        .integers(0, 256, (8, 8, 3), np.uint8)
        .repeat(SIZE // 8, 0)
        .repeat(SIZE // 8, 1)
    )
    found = {
        "picture": "default_rng(0).integers(0, 256, (8, 8, 3), uint8), each 16 x 16 pixels",
        **detected(model, picture),
    }
    (DIRECTORY / "detections.json").write_text(json.dumps(found) + "\n")


if __name__ == "__main__":
    main()
