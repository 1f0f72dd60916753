"""Sounds as WAV files of 16 bits."""

from __future__ import annotations

import operator
import wave
from io import BytesIO
from pathlib import PurePath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tracker.domain.errors import Invalid
from tracker.run.media.arrays import array_of, is_tensor
from tracker.run.media.encoding import Encoded, Tell, read_file

__all__ = ["encoded_audio"]

_MOST_CHANNELS = 16
_HIGHEST_RATE = 768_000
_FULL = 2**15 - 1
_KINDS = (
    (b"fLaC", "audio/flac", ".flac"),
    (b"OggS", "audio/ogg", ".ogg"),
    (b"ID3", "audio/mpeg", ".mp3"),
    (b"\xff\xfb", "audio/mpeg", ".mp3"),
    (b"\xff\xf3", "audio/mpeg", ".mp3"),
)


def encoded_audio(samples: Any, rate: int | None = None, *, caption: str = "", tell: Tell) -> Encoded:
    """A sound as a WAV file of 16 bits, or as the file that it is.

    Args:
        samples: (n,) or (n, channels), of a tensor also (channels, n): real numbers from -1 to 1, or whole
            ones over the range of their type; or the path or the bytes of a WAV, FLAC, Ogg or MP3 file.
        rate: samples a second; a file has its own.
        caption: kept with it.
        tell: takes what was odd.

    Raises:
        Invalid: it is none of these, or has no rate.
    """
    extra: dict[str, Any] = {"caption": caption} if caption else {}
    if isinstance(samples, bytes | bytearray | memoryview):
        return _file(bytes(samples), extra)
    if isinstance(samples, str | PurePath):
        return _file(read_file(samples, "audio"), extra)
    try:
        frequency = operator.index(rate)  # type: ignore[arg-type]  # None is no index, as it should be
    except TypeError as error:
        raise Invalid.field("rate", "must be the whole number of samples a second, such as 16000") from error
    if not 1 <= frequency <= _HIGHEST_RATE:
        raise Invalid.field("rate", f"must be 1 to {_HIGHEST_RATE} samples a second, not {frequency}")
    frames = _frames(array_of(samples, "audio"), channels_first=is_tensor(samples))
    target = BytesIO()
    with wave.open(target, "wb") as file:
        file.setnchannels(frames.shape[1])
        file.setsampwidth(2)
        file.setframerate(frequency)
        file.writeframes(_sixteen_bits(frames, tell).tobytes())
    about = {"rate": frequency, "channels": frames.shape[1], "seconds": len(frames) / frequency}
    return Encoded(target.getvalue(), "audio/wav", ".wav", extra | about)


def _file(data: bytes, extra: dict[str, Any]) -> Encoded:
    if data[:4] == b"RIFF" and data[8:12] == b"WAVE":
        return Encoded(data, "audio/wav", ".wav", extra)
    for mark, kind, suffix in _KINDS:
        if data.startswith(mark):
            return Encoded(data, kind, suffix, extra)
    raise Invalid.field("audio", "its bytes are no WAV, FLAC, Ogg or MP3 file")


def _frames(array: NDArray[Any], *, channels_first: bool) -> NDArray[Any]:
    """(n, channels)."""
    shape = array.shape
    if array.ndim == 1:
        array = array[:, np.newaxis]
    if array.ndim != 2:
        raise Invalid.field("audio", f"has the shape {shape}; give (n,) or (n, channels)")
    first, last = array.shape[0] <= _MOST_CHANNELS, array.shape[1] <= _MOST_CHANNELS
    if len(shape) == 2 and first and (channels_first or not last):
        array = array.T
    elif not last:
        raise Invalid.field("audio", f"has the shape {shape}; at most {_MOST_CHANNELS} channels can be kept")
    if not array.size:
        raise Invalid.field("audio", "has no samples")
    return array


def _sixteen_bits(frames: NDArray[Any], tell: Tell) -> NDArray[np.int16]:
    """Any samples as little-endian whole numbers of 16 bits."""
    if frames.dtype.kind == "f":
        levels = _unit(frames, tell) * _FULL
    else:
        bits = 8 * frames.dtype.itemsize
        middle = 2.0 ** (bits - 1) if frames.dtype.kind in "ub" else 0.0  # unsigned ones rest in the middle
        levels = np.floor((frames.astype(np.float64) - middle) * 2.0 ** (16 - bits))
    written: NDArray[np.int16] = np.rint(levels).clip(-_FULL - 1, _FULL).astype("<i2")
    return written


def _unit(frames: NDArray[Any], tell: Tell) -> NDArray[np.float64]:
    """Finite real numbers from -1 to 1."""
    numbers = frames.astype(np.float64)
    finite = np.isfinite(numbers)
    if not finite.all():
        tell(f"audio: {numbers.size - np.count_nonzero(finite)} samples are NaN or infinite; they are silent")
        numbers = np.where(finite, numbers, 0.0)
    peak = float(np.abs(numbers).max())
    if peak > 1:
        tell(f"audio: samples reach {peak:g} and were cut to -1 to 1; scale them before")
    return numbers.clip(-1, 1)
