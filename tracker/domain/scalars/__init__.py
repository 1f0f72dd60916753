"""Time series: batches in, series and samples out, all as numpy columns."""
