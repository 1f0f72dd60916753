"""Single actions granted to, or denied, a person on one project or team."""
