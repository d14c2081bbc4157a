"""Typed settings and recipes: the only reader of `config/`."""
