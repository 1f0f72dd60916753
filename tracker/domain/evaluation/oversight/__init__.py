"""Who looks after jobs and workflows."""
