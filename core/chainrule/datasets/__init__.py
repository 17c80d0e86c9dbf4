"""A data set small enough to travel with the package, for the demo, the tutorials and the tests.

Images and labels come as plain `bytes`, because core knows no array library; any backend makes
tensors of them with `chainrule.frombuffer`.
"""

from __future__ import annotations

import gzip
from importlib import resources
from typing import NamedTuple

__all__ = ["Digits", "load_digits"]

NUMBER_OF_IMAGES = 1797
PIXELS_PER_IMAGE = 8 * 8


class Digits(NamedTuple):
    """Handwritten digits, one byte a number.

    Attributes:
        images: ``(1797, 8, 8)`` pixels in row-major order, from 0 (paper) to 16 (ink).
        labels: ``(1797,)`` digits from 0 to 9.
    """

    images: bytes
    labels: bytes


def load_digits() -> Digits:
    """Return the 1797 handwritten digits that the package carries.

    A `bytes` object is read-only; wrap it in a `bytearray` to get a tensor that may be written to:
    ``chainrule.frombuffer(bytearray(images), dtype=chainrule.uint8).view(-1, 8, 8)``.

    Returns:
        Images and labels, in the order of the original test set.

    Source:
        E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI Machine Learning
        Repository, 1998, doi:10.24432/C50P49, CC BY 4.0. See ``README.md`` beside this file.

    >>> images, labels = load_digits()
    >>> labels[0], len(labels)
    (0, 1797)
    >>> for row in range(8):
    ...     print("".join(" .:+*#%@@"[ink // 2] for ink in images[8 * row : 8 * row + 8]).rstrip())
      :%*
      %@#@:
     .@. #*
     :%  **
     :*  **
     :#  %+
     .@:#%
      +%#
    """
    numbers = gzip.decompress(resources.files(__name__).joinpath("digits.gz").read_bytes())
    end_of_images = NUMBER_OF_IMAGES * PIXELS_PER_IMAGE
    return Digits(images=numbers[:end_of_images], labels=numbers[end_of_images:])
