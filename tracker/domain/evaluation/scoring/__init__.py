"""Scores of answers as pure functions: metrics, uncertainty, comparisons, judges and their agreement."""
