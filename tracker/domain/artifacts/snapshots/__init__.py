"""Use cases of snapshots."""
