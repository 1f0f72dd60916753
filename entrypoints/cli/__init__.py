"""The command line: the same use cases on a folder or against a server, from the shell."""
