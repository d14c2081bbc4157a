"""Reads any pipeline definition: its expressions, its graph, its jobs, and everything that can be checked of it."""
