"""Scripts that know nothing of runs: what ``tracker run`` makes of their command line and their end."""
