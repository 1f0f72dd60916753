"""Files of experiments: what they are called, of which bytes they are, and the code that ran."""
