"""Who runs a job: the facts of each framework's code that move its memory, with where each is to be read."""
