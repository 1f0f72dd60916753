"""1,797 handwritten digits; source and licence are in DIGITS-LICENSE.txt beside this file."""

from __future__ import annotations

from importlib.resources import files
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Digits", "load"]

VALIDATION_SHARE = 0.2


class Digits(NamedTuple):
    """Images as float64 (n, 64) in 0..1, labels as int64 (n,) in 0..9."""

    train_images: NDArray[np.float64]
    train_labels: NDArray[np.int64]
    val_images: NDArray[np.float64]
    val_labels: NDArray[np.int64]


def load() -> Digits:
    """The digits, always split in the same way."""
    with files("tracker.demo").joinpath("digits.npz").open("rb") as file, np.load(file) as arrays:
        images = arrays["images"].astype(np.float64) / 16
        labels = arrays["labels"].astype(np.int64)
    order = np.random.default_rng(0).permutation(len(labels))
    held = int(len(labels) * VALIDATION_SHARE)
    val, train = order[:held], order[held:]
    return Digits(images[train], labels[train], images[val], labels[val])
