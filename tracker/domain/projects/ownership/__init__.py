"""Who owns projects: handing them over, and what becomes of them when their owner goes."""
