"""What changed between experiments, and did it matter."""
