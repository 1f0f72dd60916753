"""TensorBoard's event files: records, checksums, events, runs."""
