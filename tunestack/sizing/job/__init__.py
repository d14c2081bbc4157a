"""How it is trained: method, numbers, optimizer, and how it is spread over GPUs."""
