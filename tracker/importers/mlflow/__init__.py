"""MLflow's local stores: the folder of files (``mlruns``) and the SQLite database (``mlflow.db``).

Both are read as they lie on disk, so any version's files can be read, and without MLflow.
"""
