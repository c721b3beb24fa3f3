# Mask R-CNN, ResNet-50, FPN, as far as a test needs it: mmdet 2.8.0 has its configurations in its repository alone.
# test_cfg is in the words of mmdet 2.28.2, so that one variant's overrides hold for both.
def extractor(side):
    return dict(
        type="SingleRoIExtractor",
        roi_layer=dict(type="RoIAlign", output_size=side, sampling_ratio=0),
        out_channels=256,
        featmap_strides=[4, 8, 16, 32],
    )


def deltas(*stds):
    return dict(type="DeltaXYWHBBoxCoder", target_means=[0.0] * 4, target_stds=list(stds))


model = dict(
    type="MaskRCNN",
    backbone=dict(
        type="ResNet", depth=50, num_stages=4, out_indices=(0, 1, 2, 3), frozen_stages=1,
        norm_cfg=dict(type="BN", requires_grad=True), norm_eval=True, style="pytorch",
    ),
    neck=dict(type="FPN", in_channels=[256, 512, 1024, 2048], out_channels=256, num_outs=5),
    rpn_head=dict(
        type="RPNHead", in_channels=256, feat_channels=256, bbox_coder=deltas(1.0, 1.0, 1.0, 1.0),
        anchor_generator=dict(
            type="AnchorGenerator", scales=[8], ratios=[0.5, 1.0, 2.0], strides=[4, 8, 16, 32, 64]
        ),
        loss_cls=dict(type="CrossEntropyLoss", use_sigmoid=True),
    ),
    roi_head=dict(
        type="StandardRoIHead",
        bbox_roi_extractor=extractor(7),
        bbox_head=dict(
            type="Shared2FCBBoxHead", in_channels=256, fc_out_channels=1024, roi_feat_size=7, num_classes=80,
            bbox_coder=deltas(0.1, 0.1, 0.2, 0.2), reg_class_agnostic=False,
        ),
        mask_roi_extractor=extractor(14),
        mask_head=dict(type="FCNMaskHead", num_convs=4, in_channels=256, conv_out_channels=256, num_classes=80),
    ),
    test_cfg=dict(
        rpn=dict(nms_pre=1000, max_per_img=1000, nms=dict(type="nms", iou_threshold=0.7), min_bbox_size=0),
        rcnn=dict(
            score_thr=0.05, nms=dict(type="nms", iou_threshold=0.5), max_per_img=100, mask_thr_binary=0.5
        ),
    ),
)  # fmt: skip
del extractor, deltas
