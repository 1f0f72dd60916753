"""Moving workflows on."""
