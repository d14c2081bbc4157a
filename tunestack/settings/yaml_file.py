"""A YAML file with the line of every key, so that a problem can say where it is."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tunestack.settings.problems import Problem, SettingsError

KeyPath = tuple[str | int, ...]
_NUMBERS = frozenset({"tag:yaml.org,2002:int", "tag:yaml.org,2002:float"})
# A merge key (`<<`) is read away; YAML 1.1 takes a bare `=` for a value of its own.
_TEXTS = frozenset({"tag:yaml.org,2002:str", "tag:yaml.org,2002:merge", "tag:yaml.org,2002:value"})
_OCTAL = re.compile(r"[-+]?0[0-7_]+")
# Of a file, with what its aliases stand for: a hundred times what ships.
MOST_NODES = 20_000


@dataclass(frozen=True, kw_only=True)
class YamlFile:
    """What a YAML file says, and on which line each key stands."""

    name: str
    data: dict[str, Any]
    lines: dict[KeyPath, int]

    def problem(self, path: KeyPath, message: str) -> Problem:
        """A problem at a key; the line is the key's own or its nearest parent's."""
        known = (self.lines.get(path[:length]) for length in range(len(path), 0, -1))
        line = next((line for line in known if line), None)
        return Problem(file=self.name, key=".".join(map(str, path)), line=line, message=message)


def read_yaml(path: Path, *, name: str) -> YamlFile:
    """Read a YAML file whose top is a mapping.

    Raises:
        SettingsError: the file is missing, not UTF-8, not YAML, has a key twice, or isn't a mapping.
    """
    if path.exists() and not path.is_file():
        raise SettingsError([Problem(file=name, message="is no regular file")])
    try:
        text = path.read_text(encoding="utf-8")
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        if isinstance(node, yaml.MappingNode):
            _refuse_endless(node, name)
            _refuse_keys_that_are_no_text(node, name)
        data = yaml.safe_load(text)
    except SettingsError:
        raise
    except FileNotFoundError:
        raise SettingsError([Problem(file=name, message="no such file")]) from None
    except OSError as error:
        raise SettingsError([Problem(file=name, message=f"can't be read: {error.strerror}")]) from None
    except RecursionError:
        raise SettingsError([Problem(file=name, message="is nested too deeply")]) from None
    except UnicodeDecodeError as error:
        raise SettingsError([Problem(file=name, message=f"not UTF-8: {error.reason} at byte {error.start}")]) from None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else None
        another = "another document" in str(error.problem)
        message = "one document alone: take the --- out" if another else f"not YAML: {error.problem}"
        raise SettingsError([Problem(file=name, line=line, message=message)]) from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        message = f"not YAML: a control character (U+{error.character:04X}) that no text has"
        raise SettingsError([Problem(file=name, line=line, message=message)]) from None
    except ValueError as error:
        # A date that no calendar has, as YAML reads `2026-13-01`.
        reason = "a number of thousands of digits" if "integer string conversion" in str(error) else str(error)
        raise SettingsError([Problem(file=name, message=f"not YAML: {reason}; put it in quotes")]) from None
    if not isinstance(node, yaml.MappingNode):
        raise SettingsError([Problem(file=name, message="must be a mapping of keys to values")])
    lines: dict[KeyPath, int] = {}
    problems: list[Problem] = []
    _index(node, (), name, lines, problems)
    if problems:
        raise SettingsError(problems)
    return YamlFile(name=name, data=data, lines=lines)


def _refuse_endless(top: yaml.MappingNode, name: str) -> None:
    """See that no alias holds itself, and that aliases of aliases don't grow to more than anybody wrote.

    Raises:
        SettingsError: they do.
    """
    count, waiting = 0, [(top, frozenset[int]())]
    while waiting:
        node, above = waiting.pop()
        count += 1
        line = node.start_mark.line + 1
        if id(node) in above:
            raise SettingsError([Problem(file=name, line=line, message="an alias (*) holds itself")])
        if count > MOST_NODES:
            raise SettingsError(
                [Problem(file=name, message=f"more than {MOST_NODES:,} values; aliases (*) count, too")]
            )
        parts = node.value if isinstance(node, yaml.CollectionNode) else ()
        for part in parts:
            for child in part if isinstance(part, tuple) else (part,):
                waiting.append((child, above | {id(node)}))


def _refuse_keys_that_are_no_text(node: yaml.Node, name: str) -> None:
    """See that every key is text: a number, nothing, a list or a mapping names no setting.

    Raises:
        SettingsError: one isn't.
    """
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            _refuse_keys_that_are_no_text(item, name)
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode) or key.tag not in _TEXTS:
                shown = key.value if isinstance(key, yaml.ScalarNode) else f"a {key.id}"
                message = f"a key must be text, got {shown}"
                raise SettingsError([Problem(file=name, line=key.start_mark.line + 1, message=message)])
            _refuse_keys_that_are_no_text(value, name)


def _misread(node: yaml.Node) -> str | None:
    """What YAML 1.1 makes another number of: sixties (`1:30` is 90), and eights (`010` is 8)."""
    if not isinstance(node, yaml.ScalarNode) or node.tag not in _NUMBERS:
        return None
    if ":" not in node.value and not _OCTAL.fullmatch(node.value):
        return None
    number = yaml.safe_load(node.value)
    return f"{node.value} is {number} to YAML: write {number}, or what you mean, without ':' and leading zeros"


def _index(node: yaml.Node, path: KeyPath, name: str, lines: dict[KeyPath, int], problems: list[Problem]) -> None:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            here = (*path, str(key.value))
            line = key.start_mark.line + 1
            if here in lines:
                message = f"given twice, first on line {lines[here]}"
                problems.append(Problem(file=name, key=".".join(map(str, here)), line=line, message=message))
            lines[here] = line
            if misread := _misread(value):
                problems.append(Problem(file=name, key=".".join(map(str, here)), line=line, message=misread))
            _index(value, here, name, lines, problems)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            lines[(*path, index)] = value.start_mark.line + 1
            _index(value, (*path, index), name, lines, problems)
