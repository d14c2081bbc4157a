"""How fast a training is: FLOPs, memory traffic, communication, and the answers that are generated for it."""
