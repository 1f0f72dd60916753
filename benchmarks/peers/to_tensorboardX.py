"""tensorboardX: one `add_scalar` a value, defaults of `SummaryWriter`; read by TensorBoard."""

from tensorboardX import SummaryWriter


def start(folder):
    """A writer with its defaults: a queue of 10 events, flushed every 120 s."""
    writer = SummaryWriter(str(folder / "log"))
    add = writer.add_scalar

    def log(step, values):
        for name, value in values.items():
            add(name, value, step)

    return log, writer.close


def points(folder, names):
    """What TensorBoard's own loader finds; it stops at a torn record."""
    from tensorboard.backend.event_processing.event_file_loader import EventFileLoader

    del names
    found = []
    for path in sorted((folder / "log").glob("events*")):
        for event in EventFileLoader(str(path)).Load():
            found += [(event.step, value.tag) for value in event.summary.value]
    return found
