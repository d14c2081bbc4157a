"""The kit's own rules on steps, one a file: the service takes what breaks one, and this kit doesn't.

A policy has the form of a check, its file's name is the rule's, and its docstring says what it wants. A new one is a
new file here.
"""

from tunestack.definition.found_by_file import checks_in

POLICIES = checks_in(__name__, __path__)
