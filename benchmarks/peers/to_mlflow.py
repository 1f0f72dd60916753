"""MLflow on its default store, a SQLite file: `mlflow.log_metrics` of a dict, which waits for the commit."""

import os

SYNCHRONOUS = True


def start(folder, synchronous=SYNCHRONOUS):
    """A run in `mlflow.db`, system metrics off as by default."""
    import mlflow

    os.chdir(folder)
    run = mlflow.start_run()
    (folder / "run").write_text(run.info.run_id)

    def log(step, values):
        mlflow.log_metrics(values, step=step, synchronous=synchronous)

    def finish():
        if not synchronous:
            mlflow.flush_async_logging()
        mlflow.end_run()

    return log, finish


def points(folder, names):
    """What its client gives as the history of each metric."""
    from mlflow import MlflowClient

    os.chdir(folder)
    client, run = MlflowClient(), (folder / "run").read_text()
    return [(metric.step, name) for name in names for metric in client.get_metric_history(run, name)]
