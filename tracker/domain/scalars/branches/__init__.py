"""What resumed runs left behind."""
