"""SwanLab offline: `swanlab.log` of a dict; read by the reader that its `sync` uses."""


def start(folder):
    """An offline run with its defaults."""
    import swanlab

    swanlab.init(project="p", mode="offline", logdir=str(folder / "log"))
    return lambda step, values: swanlab.log(values, step=step), swanlab.finish


def points(folder, names):
    """Step and name of each scalar record."""
    from swanlab.proto.swanlab.record.v1.record_pb2 import Record
    from swanlab.sdk.internal.core_python.store import DataStoreReader

    wanted, found = set(names), []
    for path in folder.glob("log/run-*/*.swanlab"):
        reader = DataStoreReader()
        reader.open(path)
        for data in reader:
            record = Record()
            record.ParseFromString(data)
            if record.HasField("scalar") and record.scalar.key in wanted:
                found.append((record.scalar.step, record.scalar.key))
    return found
