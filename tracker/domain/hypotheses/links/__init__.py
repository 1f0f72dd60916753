"""What is linked to hypotheses."""
