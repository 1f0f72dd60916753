"""Moving jobs on."""
