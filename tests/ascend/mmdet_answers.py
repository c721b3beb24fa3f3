"""Run by the interpreter of the export environment: what mmdet and mmcv themselves compute for given arrays.

Usage: ``mmdet_answers.py EXPORT_DIRECTORY INPUTS.npz OUTPUTS.npz``.
"""

import sys

import numpy as np


def pooled(given):
    from mmdet.models.roi_heads.roi_extractors import SingleRoIExtractor

    levels = [given[f"level{index}"] for index in range(4)]
    for aligned in (0, 1):
        for samples in (0, 2):
            layer = {
                "type": "RoIAlign",
                "output_size": 7,
                "sampling_ratio": samples,
                "aligned": bool(aligned),
            }
            extractor = SingleRoIExtractor(layer, out_channels=4, featmap_strides=[4, 8, 16, 32])
            yield f"pooled_{aligned}_{samples}", extractor(levels, given["rois"])


def kept(given):
    from mmcv import ConfigDict
    from mmdet.core import multiclass_nms

    options = ConfigDict(type="nms", iou_threshold=0.5)
    for name, boxes in (("shared", given["boxes"][:, 0]), ("own", given["boxes"].flatten(1))):
        dets, labels = multiclass_nms(boxes, given["scores"], 0.05, options, 100)
        yield f"dets_{name}", dets
        yield f"labels_{name}", labels


def main(export, inputs, outputs):
    sys.path.insert(0, export)
    import environment

    environment.prepare()
    import torch

    given = {name: torch.from_numpy(array) for name, array in np.load(inputs).items()}
    answers = dict([*pooled(given), *kept(given)])
    np.savez(outputs, **{name: tensor.numpy() for name, tensor in answers.items()})


if __name__ == "__main__":
    main(*sys.argv[1:])
