"""New experiments, before they are kept."""
