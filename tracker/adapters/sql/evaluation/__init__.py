"""What evaluations of language models keep, in SQL."""
