"""Statistics in plain floats: Student's t, comparisons of means, Holm's procedure, robust spread."""
