"""Code that runs inside the export environment, where torch, mmcv-full and mmdet live."""
