"""The API's rules that shapes don't show, one a file: what breaks one is refused.

A check says in `KINDS` which kinds of step it looks at (None: all), and yields what is wrong with one. A new one is a
new file here.
"""

from tunestack.definition.found_by_file import checks_in

CHECKS = checks_in(__name__, __path__)
