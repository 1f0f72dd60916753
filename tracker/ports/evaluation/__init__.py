"""What the evaluation of language models needs from outside."""
