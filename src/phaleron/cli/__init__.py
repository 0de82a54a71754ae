"""`phaleron …`: one file a command."""
