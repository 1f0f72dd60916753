"""Offline runs of wandb.

wandb keeps a run as records of its own protocol buffers in a log of LevelDB's format. Its package no longer
has a Python reader of these logs (version 0.31 reads them in its compiled core only), so both formats are
read here, and nothing of wandb needs to be installed.
"""
