"""What a file is, by its first bytes: a page for a download, a pointer for the file, another framework's format."""

from __future__ import annotations

import re

from export.errors import JobError

HEAD = 512
AGAIN = "fetch it again, and compare its size and sha256 with the source"
_UNPACK = "unpack it, and give the checkpoint that is in it"
_OTHER = "only checkpoints of PyTorch and safetensors are read"

#: Patterns of a file's first bytes, what it is then, and what to do.
_FOREIGN = (
    (
        rb"version https://git-lfs",
        "a Git LFS pointer, not the file itself",
        "fetch the file with: git lfs pull",
    ),
    (rb"(\xef\xbb\xbf)?\s*<(?i:!doctype|html|head|body|\?xml|!--)", "a web page (a login, an error)", AGAIN),
    (rb"\x1f\x8b", "a gzip archive", _UNPACK),
    (rb"BZh|\xfd7zXZ|\x28\xb5\x2f\xfd|7z\xbc\xaf|Rar!", "a compressed archive", _UNPACK),
    (rb"(?s:.{257})ustar", "a tar archive", _UNPACK),
    (rb"\x89HDF", "an HDF5 file, as Keras writes it", _OTHER),
    (rb"\x93NUMPY", "an array of NumPy", _OTHER),
    (rb"(?s:.{4})TFL3", "a model of TensorFlow Lite", _OTHER),
    (rb"GGUF", "a GGUF file", _OTHER),
    (rb"\x08[\x01-\x1f][\x12\x1a\x22\x2a\x32\x3a\x42]", "an ONNX graph", "name it as the variant's 'stock'"),
    (rb"\x00{64}", "filled with zeros: a download that broke off", AGAIN),
)


def kind(head: bytes, size: int) -> str:
    """Name the format: ``zip``, ``pickle`` or ``safetensors``.

    Raises:
        JobError: it is another; the message goes on after the file's name.
    """
    if size == 0:
        raise JobError("is empty", AGAIN)
    if head.startswith(b"PK"):
        return "zip"
    # A header of 128 bytes begins as a pickle does: one that is whole is asked for first, one that is cut last.
    header = int.from_bytes(head[:8], "little") if head[8:9] == b"{" else 0
    if 2 <= header <= size - 8:
        return "safetensors"
    if head[:1] == b"\x80" and head[1:2] <= b"\x05":
        return "pickle"
    if header >= 2:
        return "safetensors"
    for pattern, what, advice in _FOREIGN:
        if re.match(pattern, head):
            raise JobError(f"is {what}", advice)
    shown = head[:40].decode("ascii", "replace").split("\n")[0].rstrip()
    if shown and all(" " <= letter <= "~" for letter in shown):
        raise JobError(f"is text that begins with {shown!r}", AGAIN)
    raise JobError(f"is no format of PyTorch: it begins with bytes {head[:8].hex(' ')}", AGAIN)
