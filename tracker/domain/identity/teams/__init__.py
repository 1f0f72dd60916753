"""Teams: people who share projects."""
