"""Passwords, signatures, secrets and letters. What needs the extra ``team`` is imported when it is used."""
