"""Two workflows of one evaluation, beside each other."""
