"""Aim in a local repository: `run.track` of a dict; read by its own SDK."""


def start(folder):
    """A run with its defaults."""
    import aim

    run = aim.Run(repo=str(folder))
    (folder / "run").write_text(run.hash)
    return lambda step, values: run.track(values, step=step), run.close


def points(folder, names):
    """Step and name of each value of its sequences; first it is indexed, as `aim up` does."""
    import aim
    from aim.sdk.index_manager import RepoIndexManager

    wanted, found, name = set(names), [], (folder / "run").read_text()
    repo = aim.Repo(str(folder))
    RepoIndexManager.get_index_manager(repo).index(name)
    repo.container_pool.clear()
    run = aim.Run(name, repo=aim.Repo(str(folder)), read_only=True)
    for metric in run.metrics():
        if metric.name in wanted:
            found += [(int(step), metric.name) for step in metric.values.sparse_numpy()[0]]
    return found
