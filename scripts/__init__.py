"""Scripts of the project itself, run as modules by the Makefile."""
