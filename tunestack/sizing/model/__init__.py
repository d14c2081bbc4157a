"""What is trained: a model's architecture, read from its own `config.json`."""
