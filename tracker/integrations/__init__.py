"""Callbacks and loggers that have a library's training tracked, one module for each library.

A module imports its library when it is imported itself, so nothing here is a dependency. Each takes a
run that is open already, or the arguments of :func:`tracker.init`, or else what the environment says
(``TRACKER_PROJECT`` and the like). A run that is passed stays open; one that was started here is
finished here. Starting may fail; from then on nothing that goes wrong reaches the training: it is
warned of, once, and the training goes on.
"""
