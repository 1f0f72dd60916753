"""In which project what belongs."""
