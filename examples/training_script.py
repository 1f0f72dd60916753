"""A training script that tracks itself; run it from an empty folder."""

import tracker

with tracker.init("example", params={"lr": 0.1}, data="data") as run:
    for step in range(100):
        run.log({"loss": 1 / (step + 1)}, step=step)
    run.metric("accuracy", 0.9)
