"""The ModelZoo script's letterbox, written anew (ascend-facts: modelzoo-letterbox): it shares no line with
convertkit's."""

from __future__ import annotations

import cv2
import numpy as np

MEAN = np.array([123.675, 116.28, 103.53], np.float32)
STD = np.array([58.395, 57.12, 57.375], np.float32)


def letterbox_bytes(path, height, width):
    """Steps 2 to 6: the content of ``<stem>.bin`` for the photo at ``path``."""
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    rows, columns = image.shape[:2]
    scale = min(width / columns, height / rows)
    new_width, new_height = int(np.floor(columns * scale)), int(np.floor(rows * scale))
    image = cv2.resize(image, (new_width, new_height), interpolation=cv2.INTER_LINEAR).astype(np.float32)
    image = cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
    image = cv2.subtract(image, MEAN.reshape(1, -1).astype(np.float64))
    image = cv2.multiply(image, 1 / STD.reshape(1, -1).astype(np.float64))
    left, top = (width - new_width) // 2, (height - new_height) // 2
    image = cv2.copyMakeBorder(
        image,
        top,
        height - new_height - top,
        left,
        width - new_width - left,
        cv2.BORDER_CONSTANT,
        value=(0, 0, 0),
    )
    return np.ascontiguousarray(image.transpose(2, 0, 1)).tobytes()
