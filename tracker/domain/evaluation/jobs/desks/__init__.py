"""What the installation answers the workers that it sent."""
