"""Placeholder for torchvision, which mmcv 1.7 imports only to look up the URLs of its model zoo.

On sys.path only where the real package cannot be imported; nothing of it is ever called here.
"""

__version__ = "0.0.0"
