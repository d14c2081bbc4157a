"""What that needs of a GPU: named components, phases of which the largest counts."""
