"""What goes with a workflow that is deleted."""
