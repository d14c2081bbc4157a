"""The `tunestack` command."""
