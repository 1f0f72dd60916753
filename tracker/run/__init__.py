"""What a training script touches: the run, its buffer, and pictures of its curves."""
