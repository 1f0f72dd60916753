"""The least that a durable call can cost in Python: pack, checksum, one write."""

import os
import struct
import zlib


def start(folder):
    """One file without a buffer; what a name is stands in the file once a call, as numbers do."""
    file = os.open(folder / "floor.bin", os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o644)
    packers = {}

    def log(step, values):
        count = len(values)
        pack = packers.get(count) or packers.setdefault(count, struct.Struct(f"<qI{count}d").pack)
        body = pack(step, count, *values.values())
        os.write(file, struct.pack("<II", len(body), zlib.crc32(body)) + body)

    return log, lambda: os.close(file)


def points(folder, names):
    """Step and name of every point whose checksum is right."""
    data, at, found = (folder / "floor.bin").read_bytes(), 0, []
    while at + 8 <= len(data):
        length, checksum = struct.unpack_from("<II", data, at)
        body = data[at + 8 : at + 8 + length]
        if zlib.crc32(body) != checksum:
            break
        step, count = struct.unpack_from("<qI", body)
        found += [(step, name) for name in names[:count]]
        at += 8 + length
    return found
