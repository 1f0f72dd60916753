"""Metrics by neural networks. Their packages bring torch, and fetch a model when they are first used."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from tracker.domain.errors import Unavailable

__all__ = ["bertscore", "comet"]

_COMET_MODEL = "Unbabel/eamt22-cometinho-da"


def bertscore(predictions: Sequence[str], truths: Sequence[str]) -> dict[str, list[float | None]]:
    """Precision, recall and F1 (T. Zhang et al., "BERTScore", ICLR 2020), by its model for English."""
    if not predictions:
        return {"precision": [], "recall": [], "f1": []}
    with _fetching("bertscore"):
        from bert_score import score  # noqa: PLC0415 - an extra, and it takes seconds

        precision, recall, f1 = score(list(predictions), list(truths), lang="en", verbose=False)
    return {"precision": precision.tolist(), "recall": recall.tolist(), "f1": f1.tolist()}


def comet(predictions: Sequence[str], truths: Sequence[str], sources: Sequence[str]) -> list[float | None]:
    """COMET (R. Rei et al., EMNLP 2020) by the small model ``eamt22-cometinho-da``."""
    if not predictions:
        return []
    with _fetching("comet"):
        from comet import download_model, load_from_checkpoint  # noqa: PLC0415 - it takes seconds

        model = load_from_checkpoint(download_model(_COMET_MODEL))
        rows = zip(sources, predictions, truths, strict=True)
        data = [{"src": source, "mt": answer, "ref": truth} for source, answer, truth in rows]
        found = model.predict(data, batch_size=8, gpus=0, progress_bar=False)
    return [float(score) for score in found.scores]


@contextmanager
def _fetching(name: str) -> Iterator[None]:
    """Around what may fetch a model."""
    try:
        yield
    except (OSError, ImportError, RuntimeError) as error:
        raise Unavailable(f"{name}: its model cannot be fetched or loaded: {error}", 60) from error
