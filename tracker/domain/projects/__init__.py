"""Projects: what belongs together, which metrics count, how experiments are named."""
