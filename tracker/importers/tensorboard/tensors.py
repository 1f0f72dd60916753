"""The one number in a TensorProto, where it holds just one.

Field numbers are those of tensorflow/core/framework/tensor.proto and types.proto.
"""

from __future__ import annotations

import struct

import numpy as np

from tracker.importers.protobuf import Malformed, Value, double, fields, float32, signed, text, varints

__all__ = ["string_in", "value_in"]

_FLOAT, _DOUBLE, _STRING, _BFLOAT16, _HALF = 1, 2, 7, 14, 19
# By type: how one value is packed in tensor_content.
_PACKED = {
    3: "<i", 4: "<B", 5: "<h", 6: "<b", 9: "<q", 10: "<?", 17: "<H", 22: "<I", 23: "<Q",
}  # fmt: skip
_REPEATED_INTEGERS = (7, 10, 11, 16, 17)  # int_val, int64_val, bool_val, uint32_val, uint64_val
_CONTENT, _FLOAT_VAL, _DOUBLE_VAL, _STRING_VAL, _HALF_VAL = 4, 5, 6, 8, 13


def _parts(message: bytes) -> tuple[int, list[int], dict[int, list[Value]]]:
    """Its type, its shape, and what else it has, by field."""
    dtype, shape, found = 0, [], {}  # type: ignore[var-annotated]
    for number, value in fields(message):
        if number == 1 and isinstance(value, int):
            dtype = value
        elif number == 2 and isinstance(value, bytes):
            sizes = [dict(fields(dim)) for key, dim in fields(value) if key == 2 and isinstance(dim, bytes)]
            shape = [signed(size.get(1, 0)) for size in sizes]
        else:
            found.setdefault(number, []).append(value)
    return dtype, shape, found


def value_in(message: bytes) -> float | None:
    """The number as a float64; ``None`` where there are several, or none, or no float64 is equal to it.

    Raises:
        Malformed: the bytes are no tensor.
    """
    dtype, shape, found = _parts(message)
    if any(size != 1 for size in shape):
        return None
    if dtype == _FLOAT:
        return _single(found, _FLOAT_VAL, 4, float32)
    if dtype == _DOUBLE:
        return _single(found, _DOUBLE_VAL, 8, double)
    if dtype in (_HALF, _BFLOAT16):
        return _half(found, dtype)
    return _integer(found, dtype) if dtype in _PACKED else None


def string_in(message: bytes) -> str | None:
    """The first text in the tensor; ``None`` where it holds none."""
    dtype, _, found = _parts(message)
    texts = found.get(_STRING_VAL)
    return text(texts[0]) if dtype == _STRING and texts else None


def _single(found: dict[int, list[Value]], number: int, size: int, read: object) -> float:
    packed = (found.get(_CONTENT) or found.get(number) or [b"\0" * size])[0]
    if not isinstance(packed, bytes) or len(packed) < size:
        raise Malformed("a tensor without its value")
    value: float = read(packed[:size])  # type: ignore[operator]
    return value


def _half(found: dict[int, list[Value]], dtype: int) -> float:
    if content := found.get(_CONTENT):
        (bits,) = struct.unpack("<H", content[0]) if isinstance(content[0], bytes) else (content[0],)
    else:
        (bits,) = varints((found.get(_HALF_VAL) or [0])[0])[:1]
    if dtype == _BFLOAT16:
        return float32(struct.pack("<I", bits << 16))
    return float(np.array([bits], np.uint16).view(np.float16)[0])


def _integer(found: dict[int, list[Value]], dtype: int) -> float | None:
    if content := found.get(_CONTENT):
        if not isinstance(content[0], bytes) or len(content[0]) != struct.calcsize(_PACKED[dtype]):
            raise Malformed("a tensor without its value")
        (number,) = struct.unpack(_PACKED[dtype], content[0])
    else:
        values = next((found[key] for key in _REPEATED_INTEGERS if key in found), [0])
        number = varints(values[0])[0]
        number = number if dtype in (22, 23) else signed(number)
    return float(number) if float(number) == number and int(float(number)) == number else None
