"""trackio, local: `trackio.log` of a dict; read by its own SQLite storage."""

import os


def start(folder):
    """A local run with its defaults."""
    os.environ["TRACKIO_DIR"] = str(folder / "trackio")
    import trackio

    trackio.init(project="p", name="r", embed=False)
    return lambda step, values: trackio.log(values, step=step), trackio.finish


def points(folder, names):
    """Step and name of each value in its logs."""
    os.environ["TRACKIO_DIR"] = str(folder / "trackio")
    from trackio.sqlite_storage import SQLiteStorage

    rows = SQLiteStorage.get_logs("p", "r")
    return [(row["step"], name) for row in rows for name in names if name in row]
