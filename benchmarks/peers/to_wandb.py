"""wandb offline: `run.log` of a dict; its file is read through its own protobuf messages.

Its 0.31 has no Python reader of ``.wandb`` files any more (`wandb sync` reads them in Go and sends them
away), so the frames, those of a LevelDB log, are taken apart here.
"""

import struct

HEADER, BLOCK = 7, 32768


def start(folder):
    """An offline run with its defaults: system metrics and console capture on."""
    import wandb

    run = wandb.init(project="p", mode="offline", dir=str(folder))
    return lambda step, values: run.log(values, step=step), run.finish


def points(folder, names):
    """Step and name of each value in the history records."""
    from wandb.proto.wandb_internal_pb2 import Record

    wanted, found = set(names), []
    for path in folder.glob("wandb/offline-run-*/*.wandb"):
        for data in records(path.read_bytes()):
            record = Record()
            record.ParseFromString(data)
            if record.WhichOneof("record_type") == "history":
                step = record.history.step.num
                items = [item.key or "/".join(item.nested_key) for item in record.history.item]
                found += [(step, name) for name in items if name in wanted]
    return found


def records(data):
    """Whole records of a LevelDB log; a torn end is left out."""
    at, parts = HEADER, b""
    while at + HEADER <= len(data):
        if BLOCK - at % BLOCK < HEADER:
            at += BLOCK - at % BLOCK
            continue
        _, length, kind = struct.unpack_from("<IHB", data, at)
        body = data[at + HEADER : at + HEADER + length]
        if not kind or len(body) < length:
            return
        at += HEADER + length
        parts = body if kind in (1, 2) else parts + body
        if kind in (1, 4):
            yield parts
