"""Evaluating language models on datasets: what is evaluated, how it goes on after a crash, what it scores."""
