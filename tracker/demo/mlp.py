"""A classifier with one hidden layer, in plain numpy."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["Network"]

Floats = NDArray[np.float64]
Labels = NDArray[np.int64]


class Network:
    """64 pixels -> `width` rectified units -> 10 classes, trained by stochastic gradient descent.

    Args:
        width: hidden units.
        seed: of the initial weights (He et al. 2015).
    """

    def __init__(self, width: int, seed: int) -> None:
        draw = np.random.default_rng(seed)
        self._w1: Floats = draw.normal(0, np.sqrt(2 / 64), (64, width))
        self._b1: Floats = np.zeros(width)
        self._w2: Floats = draw.normal(0, np.sqrt(2 / width), (width, 10))
        self._b2: Floats = np.zeros(10)

    def evaluate(self, images: Floats, labels: Labels) -> tuple[float, float]:
        """Mean cross-entropy in nats, and the share of right answers."""
        logits = np.maximum(images @ self._w1 + self._b1, 0) @ self._w2 + self._b2
        return _scores(_log_softmax(logits), labels)

    def step(self, images: Floats, labels: Labels, *, lr: float, l2: float) -> tuple[float, float]:
        """One step down the gradient; loss and accuracy of the batch before it."""
        hidden = np.maximum(images @ self._w1 + self._b1, 0)
        log_p = _log_softmax(hidden @ self._w2 + self._b2)
        error = np.exp(log_p)
        error[np.arange(len(labels)), labels] -= 1
        error /= len(labels)
        back = (error @ self._w2.T) * (hidden > 0)
        self._w2 -= lr * (hidden.T @ error + l2 * self._w2)
        self._b2 -= lr * error.sum(axis=0)
        self._w1 -= lr * (images.T @ back + l2 * self._w1)
        self._b1 -= lr * back.sum(axis=0)
        return _scores(log_p, labels)


def _log_softmax(logits: Floats) -> Floats:
    shifted: Floats = logits - logits.max(axis=1, keepdims=True)
    normalised: Floats = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return normalised


def _scores(log_p: Floats, labels: Labels) -> tuple[float, float]:
    loss = -log_p[np.arange(len(labels)), labels].mean()
    return float(loss), float((log_p.argmax(axis=1) == labels).mean())
