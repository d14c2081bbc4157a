"""Pure Python behind tunestack: free of CDK, usable from the stacks, the CLI, tests and notebooks."""
