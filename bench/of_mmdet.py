"""mmdet's side of bench.photos, for the interpreter of its export environment: each line in, seconds of one call out.

    python of_mmdet.py WHAT ARRAYS.npz RESULT

The first call's result is kept in the file RESULT, to be compared.
"""

import json
import sys
import time

import numpy as np
import torch
from mmcv import ConfigDict
from mmdet.core import encode_mask_results
from mmdet.datasets.pipelines import Compose
from mmdet.models.roi_heads.mask_heads import FCNMaskHead


def letterbox(given, keep):
    """mmdet's test pipeline behind the reading of a file, to a tensor."""
    side, norm = int(given["side"]), {name: given[name].tolist() for name in ("mean", "std")}
    steps = [
        {"type": "Resize", "img_scale": (side, side), "keep_ratio": True},
        {"type": "Normalize", "to_rgb": True, **norm},
        {"type": "Pad", "size": (side, side)},
        {"type": "ImageToTensor", "keys": ["img"]},
    ]
    run, image = Compose(steps), given["image"]

    def work():
        shape = image.shape
        return run({"img": image, "img_fields": ["img"], "img_shape": shape, "ori_shape": shape})

    np.save(keep, work()["img"].numpy())
    return work


def paste(given, keep):
    """``get_seg_masks`` of the class that was predicted, and ``encode_mask_results``."""
    head = FCNMaskHead(num_convs=0, num_classes=80, class_agnostic=True)
    boxes, labels = torch.from_numpy(given["boxes"]), torch.zeros(len(given["boxes"]), dtype=torch.int64)
    masks, shape = given["masks"][:, None], tuple(int(side) for side in given["shape"])
    settings, scale = ConfigDict(mask_thr_binary=0.5), np.ones(4, np.float32)

    def work():
        found = head.get_seg_masks(masks, boxes, labels, settings, shape, scale, True)
        return encode_mask_results(found)[0]

    with open(keep, "w") as file:  # noqa: PTH123 - a script for an old Python as well
        json.dump([mask["counts"].decode() for mask in work()], file)
    return work


if __name__ == "__main__":
    what, arrays, result = sys.argv[1:]
    work = {"letterbox": letterbox, "paste": paste}[what](np.load(arrays), result)
    for line in sys.stdin:
        start = time.perf_counter()
        for _ in range(int(line)):
            work()
        print((time.perf_counter() - start) / int(line), flush=True)
