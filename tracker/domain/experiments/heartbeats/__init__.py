"""Whether the processes of runs are alive."""
