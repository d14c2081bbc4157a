"""tunestack's CDK constructs, one per file."""
