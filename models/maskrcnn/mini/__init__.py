"""The embedded demonstration model: a small Mask R-CNN and the synthetic scenes it was trained on."""
