"""What runs in the kit's Lambda functions, a module each, with its handler, its settings and its calls of AWS.

A function declares both: `Settings`, which it reads once from its environment, and `calls`, which grants, the
permission proof and a test of the code read. A new function is a new module here and a `KitFunction` in a stack.
"""
