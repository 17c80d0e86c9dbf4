"""Write ``core/chainrule/datasets/digits.gz`` from the copy that scikit-learn ships.

Run once, by hand: ``python tools/make_digits.py``. The same input gives the same file, byte for
byte up to the compressor's version; what it holds is described beside it, in ``README.md``.
"""

from __future__ import annotations

import gzip
from pathlib import Path

from sklearn.datasets import load_digits

TARGET = Path(__file__).parents[1] / "core" / "chainrule" / "datasets" / "digits.gz"


def main() -> None:
    """Pack all images, then all labels, one byte a number."""
    digits = load_digits()
    images = digits.images.astype("uint8")
    labels = digits.target.astype("uint8")
    assert (images == digits.images).all(), "pixels are whole numbers"

    # No time stamp, so that making the file again changes nothing.
    packed = gzip.compress(images.tobytes() + labels.tobytes(), compresslevel=9, mtime=0)
    TARGET.write_bytes(packed)
    print(f"{TARGET.name}: {images.shape[0]} images, {len(packed)} bytes")


if __name__ == "__main__":
    main()
