"""What has to hold before a job is made."""
