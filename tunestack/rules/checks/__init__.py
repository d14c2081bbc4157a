"""The rules, one a file.

A rule says in `KINDS` which types of resource it looks at (None: all), in its docstring what it wants, and yields what
is wrong with one. A new one is a new file here.
"""
