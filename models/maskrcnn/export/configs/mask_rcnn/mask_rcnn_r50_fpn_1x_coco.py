_base_ = "../_base_/models/mask_rcnn_r50_fpn.py"
img_norm_cfg = dict(mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375], to_rgb=True)
