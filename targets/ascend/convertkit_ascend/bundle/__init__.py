"""What a build leaves for ATC, and what is done with it where ATC is.

``ascend.onnx`` (the file ATC reads), the files its options want, ``atc.json`` (options and exact command),
``compile.sh``, ``preflight.json`` and ``origins.json`` say all there is to say: finishing needs nothing else.

Nothing is imported here: a build that has nothing to do only wants :mod:`convertkit_ascend.bundle.remarks`.
"""
