"""Texts, images and sounds as bytes: what the libraries that read them find there."""

from __future__ import annotations

import wave
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from tests.tries import tries
from tracker.domain.errors import Invalid
from tracker.run.media import Encoded, encoded
from tracker.warning import TrackerWarning


class Tensor:
    """What torch offers of a tensor on a GPU."""

    def __init__(self, array: np.ndarray, dtype: str = "torch.float32") -> None:
        self._array = array
        self.dtype = dtype
        self._is_here = False

    def detach(self) -> Tensor:
        return Tensor(self._array, self.dtype)

    def cpu(self) -> Tensor:
        found = Tensor(self._array, self.dtype)
        found._is_here = True
        return found

    def float(self) -> np.ndarray:
        return self._array.astype(np.float32)

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        if not self._is_here or "bfloat16" in self.dtype:
            raise TypeError("can't convert it to numpy")
        return self._array


def taken(kind: str, value: Any, **options: Any) -> tuple[Encoded, list[str]]:
    told: list[str] = []
    return encoded(kind, value, tell=told.append, **options), told


def pixels(data: bytes) -> np.ndarray:
    return np.asarray(PIL.Image.open(BytesIO(data)))


sides = st.integers(1, 20)
shapes = st.tuples(sides, sides) | st.tuples(sides, sides, st.sampled_from([1, 2, 3, 4]))


@settings(max_examples=tries(100), deadline=None)
@given(shapes.flatmap(lambda shape: npst.arrays(np.uint8, shape)))
def test_every_pixel_of_an_array_is_in_its_png(array: np.ndarray):
    found, told = taken("image", array)
    assert np.array_equal(pixels(found.data).reshape(array.shape), array)
    assert (found.media_type, found.suffix, told) == ("image/png", ".png", [])
    assert found.metadata == {"height": array.shape[0], "width": array.shape[1]}


def test_channels_may_stand_first_where_that_is_clear():
    array = np.random.default_rng(1).integers(0, 256, (3, 8, 9), np.uint8)
    for image in (array, Tensor(array), Tensor(array[np.newaxis])):
        assert np.array_equal(pixels(taken("image", image)[0].data), np.moveaxis(array, 0, 2))
    small = np.zeros((3, 4, 4), np.uint8)
    assert pixels(taken("image", small)[0].data).shape == (3, 4, 4), "of an array they stand last"
    assert pixels(taken("image", Tensor(small))[0].data).shape == (4, 4, 3)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_real_numbers_from_0_to_1_are_levels_from_0_to_255(dtype: type):
    found, told = taken("image", np.array([[0, 0.5, 1]], dtype))
    assert pixels(found.data).tolist() == [[0, 128, 255]]
    assert told == []
    assert pixels(taken("image", Tensor(np.array([[0, 1.0]]), "torch.bfloat16"))[0].data).tolist() == [
        [0, 255]
    ]


@pytest.mark.parametrize(
    ("values", "levels", "said"),
    [
        ([[-1.0, 0.5, 1.5]], [[0, 128, 255]], "-1 to 1.5 were cut to 0 to 1"),
        ([[0.0, 100.0, 254.6]], [[0, 100, 255]], "taken as 0 to 255"),
        ([[np.nan, np.inf, 1.0]], [[0, 0, 255]], "2 numbers are NaN or infinite"),
        ([[-3, 7, 300]], [[0, 7, 255]], "-3 to 300 were cut"),
        ([[True, False]], [[255, 0]], None),
    ],
)
def test_numbers_beyond_a_level_are_told(values: Any, levels: Any, said: str | None):
    found, told = taken("image", np.array(values))
    assert pixels(found.data).tolist() == levels
    assert [said in text for text in told] == ([] if said is None else [True])


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "HSV", "F"])
def test_an_image_of_pillow_is_kept_in_any_mode(mode: str):
    image = (
        PIL.Image.new("RGB", (4, 3), (200, 10, 30))
        .convert("L" if mode in ("LA", "F") else "RGB")
        .convert(mode)
    )
    found, _ = taken("image", image, caption="a caption")
    assert PIL.Image.open(BytesIO(found.data)).size == (4, 3)
    assert found.metadata == {"caption": "a caption", "width": 4, "height": 3}


def test_a_figure_of_matplotlib_draws_itself_without_pyplot():
    import matplotlib.figure

    figure = matplotlib.figure.Figure(figsize=(2, 1), dpi=50)
    axes = figure.subplots()
    axes.plot([1, 2, 3])
    for image in (figure, axes):
        assert PIL.Image.open(BytesIO(taken("image", image)[0].data)).size == (100, 50)


@pytest.mark.parametrize(
    ("format", "media_type"),
    [("PNG", "image/png"), ("JPEG", "image/jpeg"), ("GIF", "image/gif"), ("WebP", "image/webp"),
     ("BMP", "image/bmp"), ("TIFF", "image/tiff")],
)  # fmt: skip
def test_an_image_file_is_kept_as_it_is(tmp_path: Path, format: str, media_type: str):
    path = tmp_path / "picture"
    PIL.Image.new("RGB", (4, 3)).save(path, format)
    for image in (path, str(path), path.read_bytes()):
        found, _ = taken("image", image)
        assert (found.data, found.media_type) == (path.read_bytes(), media_type)


@pytest.mark.parametrize(
    ("kind", "value", "options", "field"),
    [
        ("image", np.zeros(3), {}, "image"),
        ("image", np.zeros((2, 5, 5, 3)), {}, "image"),
        ("image", np.zeros((5, 5, 5)), {}, "image"),
        ("image", np.zeros((0, 5)), {}, "image"),
        ("image", np.zeros((1, 40_000)), {}, "image"),
        ("image", np.array([["a"]]), {}, "image"),
        ("image", [[1j]], {}, "image"),
        ("image", None, {}, "image"),
        ("image", b"GIF", {}, "image"),
        ("image", "no/such/file.png", {}, "image"),
        ("image", "a\x00b", {}, "image"),
        ("audio", np.zeros(3), {}, "rate"),
        ("audio", np.zeros(3), {"rate": 0}, "rate"),
        ("audio", np.zeros(3), {"rate": 44.1}, "rate"),
        ("audio", np.zeros((40, 40)), {"rate": 8000}, "audio"),
        ("audio", np.zeros(0), {"rate": 8000}, "audio"),
        ("audio", np.zeros((0, 2)), {"rate": 8000}, "audio"),
        ("audio", "no/such.wav", {}, "audio"),
        ("audio", b"RIFF", {}, "audio"),
        ("text", "a", {"format": "html"}, "format"),
        ("film", "a", {}, "kind"),
    ],
)
def test_what_is_no_medium_is_refused_by_its_field(
    kind: str, value: Any, options: dict[str, Any], field: str
):
    with pytest.raises(Invalid) as caught:
        encoded(kind, value, **options)
    assert caught.value.problems[0].loc == (field,)


def sound(data: bytes) -> tuple[np.ndarray, int]:
    with wave.open(BytesIO(data)) as file:
        assert file.getsampwidth() == 2
        frames = np.frombuffer(file.readframes(file.getnframes()), "<i2")
        return frames.reshape(-1, file.getnchannels()), file.getframerate()


@pytest.mark.parametrize(
    ("samples", "levels"),
    [
        (np.array([-1.0, 0.0, 1.0]), [[-32767], [0], [32767]]),
        (np.array([-1.0, 0.5], np.float32), [[-32767], [16384]]),
        (np.array([-(2**15), 7], np.int16), [[-(2**15)], [7]]),
        (np.array([0, 128, 255], np.uint8), [[-(2**15)], [0], [127 * 256]]),
        (np.array([-(2**31), 2**31 - 1], np.int32), [[-(2**15)], [2**15 - 1]]),
        (np.array([2**31, 0], np.uint32), [[0], [-(2**15)]]),
        (np.array([[0.0, 1.0]] * 3), [[0, 32767]] * 3),
        (Tensor(np.array([[0.0] * 3, [1.0] * 3])), [[0, 32767]] * 3),
        (np.zeros((2, 20)), [[0, 0]] * 20),
        ([0.0, 1.0], [[0], [32767]]),
    ],
)
def test_samples_are_kept_as_16_bits(samples: Any, levels: list[list[int]]):
    found, told = taken("audio", samples, rate=16_000, caption="hm")
    frames, rate = sound(found.data)
    assert (frames.tolist(), rate, told) == (levels, 16_000, [])
    assert found.metadata["seconds"] == len(levels) / 16_000
    assert (found.media_type, found.suffix) == ("audio/wav", ".wav")
    assert taken("audio", found.data)[0].data == found.data


def test_samples_that_are_too_loud_or_no_numbers_are_told():
    found, told = taken("audio", np.array([2.0, np.nan]), rate=8000)
    assert sound(found.data)[0].tolist() == [[32767], [0]]
    assert len(told) == 2 and "1 samples are NaN" in told[0] and "reach 2" in told[1]
    with pytest.warns(TrackerWarning, match="reach 2"):
        encoded("audio", [2.0], rate=8000)


def test_a_text_is_kept_letter_by_letter():
    found, told = taken("text", "# Ä\x00\n", format="markdown")
    assert (found.data.decode(), found.suffix, told) == ("# Ä\x00\n", ".md", [])
    odd, told = taken("text", "a\ud800")
    assert odd.data == b"a?" and len(told) == 1
    assert taken("text", 3.5)[0].data == b"3.5"
