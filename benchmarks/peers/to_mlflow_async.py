"""MLflow on a SQLite file, asynchronous: `mlflow.log_metrics(..., synchronous=False)`."""

import to_mlflow

points = to_mlflow.points


def start(folder):
    """A run whose metrics go through the queue of its client."""
    return to_mlflow.start(folder, synchronous=False)
