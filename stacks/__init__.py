"""The deployable stacks, one per file: each wires constructs together and decides nothing else."""
