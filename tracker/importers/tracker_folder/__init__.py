"""A project as one folder of JSON and CSV or Parquet, which reads back as it was.

::

    manifest.json      what this is, the version of the format, and a SHA-256 of each other file
    project.json       the project, its saved queries, its hypotheses with their decisions
    experiments.jsonl  one experiment a line with all its fields, final values, artifacts and snapshots
    scalars.csv        every point and every tag of a step (or scalars.parquet)
    blobs/ab/abcd...   the bytes of artifacts and snapshots, by their SHA-256

JSON holds finite numbers only, in the shortest form that is read back as the same float64. How the scalars
keep every bit is told by :mod:`tracker.importers.scalar_files`.
"""
