"""What goes with a job that is deleted."""
