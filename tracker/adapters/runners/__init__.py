"""What runs the workers of jobs: processes of this machine, or a Ray cluster."""
