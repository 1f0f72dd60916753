"""The machine underneath: its clock, and ids."""
