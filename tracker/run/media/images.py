"""Images, from arrays, figures, imaging libraries and files."""

from __future__ import annotations

from io import BytesIO
from pathlib import PurePath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tracker.domain.errors import Invalid
from tracker.run.media.arrays import array_of, is_tensor
from tracker.run.media.encoding import Encoded, Tell, read_file
from tracker.run.media.png import png, png_size

__all__ = ["encoded_image"]

_LONGEST_SIDE = 2**15
_CHANNELS = (1, 2, 3, 4)
_PNG_MODES = ("1", "L", "LA", "P", "RGB", "RGBA", "I;16")
_KINDS = (
    (b"\x89PNG\r\n\x1a\n", "image/png", ".png"),
    (b"\xff\xd8\xff", "image/jpeg", ".jpg"),
    (b"GIF8", "image/gif", ".gif"),
    (b"BM", "image/bmp", ".bmp"),
    (b"II*\x00", "image/tiff", ".tif"),
    (b"MM\x00*", "image/tiff", ".tif"),
)
_FORMS = (
    "an array (height, width) or (height, width, 1 to 4), a tensor (1 to 4, height, width), an image of "
    "Pillow, a figure of matplotlib, or the path or bytes of an image file"
)


def encoded_image(image: Any, *, caption: str = "", tell: Tell) -> Encoded:
    """An image as a PNG file, or as the file that it is.

    Args:
        image: numbers as real ones from 0 to 1, whole ones from 0 to 255, or bools; an image of Pillow; a
            figure or axes of matplotlib; the path or the bytes of a PNG, JPEG, GIF, WebP, BMP, TIFF or SVG
            file.
        caption: kept with it.
        tell: takes what was odd.

    Raises:
        Invalid: it is none of these.
    """
    if isinstance(image, bytes | bytearray | memoryview):
        return _file(bytes(image), caption)
    if isinstance(image, str | PurePath):
        return _file(read_file(image, "image"), caption)
    drawn = _drawn(image)
    if drawn is not None:
        return _file(drawn, caption)
    pixels = _pixels(array_of(image, "image"), channels_first=is_tensor(image), tell=tell)
    return _file(png(pixels), caption)


def _file(data: bytes, caption: str) -> Encoded:
    kind = next(((kind, suffix) for mark, kind, suffix in _KINDS if data.startswith(mark)), None)
    if kind is None and data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        kind = "image/webp", ".webp"
    if kind is None and b"<svg" in data[:1000].lower():
        kind = "image/svg+xml", ".svg"
    if kind is None:
        raise Invalid.field("image", f"its bytes are no image file; give {_FORMS}")
    metadata: dict[str, Any] = {"caption": caption} if caption else {}
    if (size := png_size(data)) is not None:
        metadata["width"], metadata["height"] = size
    return Encoded(data, kind[0], kind[1], metadata)


def _drawn(image: Any) -> bytes | None:
    """The PNG file of something that can draw itself; ``None`` of anything else."""
    if not hasattr(image, "savefig") and hasattr(image, "get_figure"):
        image = image.get_figure()  # axes, and what they hold
    target = BytesIO()
    try:
        if hasattr(image, "savefig"):
            image.savefig(target, format="png")
        elif hasattr(image, "save") and hasattr(image, "convert") and hasattr(image, "mode"):
            # Imaging modes such as CMYK are not PNG's.
            (image if image.mode in _PNG_MODES else image.convert("RGB")).save(target, format="PNG")
        else:
            return None
    except Exception as error:  # whatever their libraries raise
        raise Invalid.field("image", f"{type(image).__qualname__} does not draw itself: {error}") from error
    return target.getvalue()


def _pixels(array: NDArray[Any], *, channels_first: bool, tell: Tell) -> NDArray[np.uint8]:
    """uint8 (height, width, channels)."""
    shape = array.shape
    if array.ndim == 4 and shape[0] == 1:
        array = array[0]
    if array.ndim == 2:
        array = array[:, :, np.newaxis]
    elif array.ndim == 3 and array.shape[0] in _CHANNELS:
        # A tensor has its channels first and an array last, unless its shape says otherwise.
        is_first = channels_first or array.shape[2] not in _CHANNELS
        array = np.moveaxis(array, 0, 2) if is_first else array
    if array.ndim != 3 or array.shape[2] not in _CHANNELS:
        raise Invalid.field("image", f"has the shape {shape}; give {_FORMS}")
    if not all(0 < side <= _LONGEST_SIDE for side in array.shape[:2]):
        raise Invalid.field("image", f"has the shape {shape}; a side has 1 to {_LONGEST_SIDE} pixels")
    return _levels(array, tell)


def _levels(array: NDArray[Any], tell: Tell) -> NDArray[np.uint8]:
    """Any numbers as 0 to 255."""
    if array.dtype == np.uint8:
        return array
    if array.dtype.kind == "b":
        return _bytes(array) * np.uint8(255)
    if array.dtype.kind in "iu":
        if array.min() < 0 or array.max() > 255:
            tell(f"image: whole numbers from {array.min()} to {array.max()} were cut to 0 to 255")
        return _bytes(np.clip(array, 0, 255))
    numbers = array.astype(np.float64)
    finite = np.isfinite(numbers)
    if not finite.all():
        tell(f"image: {numbers.size - np.count_nonzero(finite)} numbers are NaN or infinite; they are black")
        numbers = np.where(finite, numbers, 0.0)
    low, high = float(numbers.min()), float(numbers.max())
    if low >= 0 and high > 2:  # nobody's idea of 0 to 1
        tell(f"image: real numbers from {low:g} to {high:g} were taken as 0 to 255; divide them by 255")
        numbers = numbers / 255
    elif low < 0 or high > 1:
        tell(f"image: real numbers from {low:g} to {high:g} were cut to 0 to 1; scale them before")
    return _bytes(np.rint(np.clip(numbers, 0, 1) * 255))


def _bytes(levels: NDArray[Any]) -> NDArray[np.uint8]:
    return levels.astype(np.uint8)
