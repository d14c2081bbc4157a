"""Code that runs in a job or a function: what it may import, call and reach. What isn't known is named."""

import ast
import re
from collections.abc import Iterator
from typing import Any

# Calls that run what a file holds, or bring what nobody has pinned.
FORBIDDEN_CALLS = {
    "torch.load": "runs what a pickle holds: use safetensors",
    "pickle.load": "runs what a pickle holds",
    "pickle.loads": "runs what a pickle holds",
    "joblib.load": "runs what a pickle holds",
    "dill.load": "runs what a pickle holds",
    "yaml.load": "makes any object: use safe_load",
    "yaml.unsafe_load": "makes any object: use safe_load",
    "eval": "runs text",
    "exec": "runs text",
    "os.system": "runs text in a shell",
    "snapshot_download": "brings what nobody has pinned",
    "hf_hub_download": "brings what nobody has pinned",
    "huggingface_hub.snapshot_download": "brings what nobody has pinned",
    "huggingface_hub.hf_hub_download": "brings what nobody has pinned",
    "urllib.request.urlopen": "brings what nobody has pinned",
    "requests.get": "brings what nobody has pinned",
}
# Modules that code may import, by where it runs; those that reach further, in the one file that needs them.
_PLAIN = frozenset(
    [
        "argparse",
        "asyncio",
        "base64",
        "codecs",
        "collections",
        "collections.abc",
        "concurrent.futures",
        "contextlib",
        "csv",
        "dataclasses",
        "datetime",
        "decimal",
        "gc",
        "gzip",
        "functools",
        "hashlib",
        "importlib.resources",
        "io",
        "itertools",
        "json",
        "logging",
        "math",
        "os",
        "pathlib",
        "random",
        "re",
        "resource",
        "shutil",
        "signal",
        "sqlite3",
        "statistics",
        "sys",
        "threading",
        "time",
        "traceback",
        "typing",
        "unicodedata",
        "warnings",
        "zlib",
    ]
)
TRAINING = _PLAIN | frozenset(
    [
        "datasets",
        "jinja2",
        "peft",
        "pyarrow",
        "pyarrow.ipc",
        "pyarrow.parquet",
        "pydantic",
        "safetensors.torch",
        "torch",
        "transformers",
        "transformers.utils",
        "trl",
    ]
)
FUNCTIONS = _PLAIN
IN_ONE_FILE = {
    "__main__.py": {"importlib"},
    "answer.py": {"urllib.request"},
    "aws.py": {"boto3", "botocore.config"},
    "dry_run.py": {"functools", "tempfile"},
    "look.py": {"tempfile"},
    "image_check.py": {"importlib", "importlib.metadata", "subprocess", "sysconfig"},
    "near_duplicates.py": {"rensa"},
    "package.py": {"tarfile", "tempfile"},
    "prepare.py": {"tempfile"},
    "train.py": {"tempfile"},
    "serve.py": {"starlette.applications", "starlette.requests", "starlette.responses", "starlette.routing", "uvicorn"},
}
OWN_PACKAGES = ("tunestack_training", "tunestack_functions")
# Of modules that can do anything, what is used.
MEMBERS = {
    "os": {"environ", "cpu_count"},
    "sys": {"argv", "exit", "stdout", "version_info"},
    "shutil": {"copytree", "rmtree", "ignore_patterns", "copyfile", "disk_usage", "unpack_archive"},
    "signal": {"signal", "SIGTERM", "SIGALRM", "setitimer", "ITIMER_REAL"},
    "subprocess": {"run"},
    "importlib": {"import_module", "metadata", "resources"},
    "urllib": {"request"},
}
# Names that find what the rest of these checks can't see.
HIDES = {"__import__", "compile", "globals", "locals", "vars", "setattr", "delattr", "breakpoint"}
WEAK = {"hashlib.md5": "breaks", "hashlib.sha1": "breaks", "tempfile.mktemp": "can be taken by another"}
REMOTE_CODE = ("False", "recipe.model.trust_remote_code")
WEIGHTS = re.compile(r"Auto(Model\w*)\.from_pretrained")
ROW_NAMES = frozenset(
    {"row", "rows", "text", "texts", "prompt", "prompts", "completion", "answer", "answers", "messages"}
)
LOG_CALLS = re.compile(r"(log|logger|logging)\.(debug|info|warning|error|exception|critical)|print")


def code_problems(source: str, *, file: str, allowed: frozenset[str]) -> Iterator[str]:
    """What is wrong with code of a file that may import the allowed modules, and its own package."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            yield from _call_problems(node, file)
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                yield from _offline(ast.unparse(target), node.value)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            yield from _import_problems(node, allowed | IN_ONE_FILE.get(file, set()))
        elif isinstance(node, ast.Attribute):
            yield from _member_problems(node)
        elif isinstance(node, ast.ExceptHandler):
            yield from _handler_problems(node)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from _address_problems(node.value)
        elif isinstance(node, ast.Name) and node.id in HIDES:
            yield f"{node.id} hides what is called"


def _import_problems(node: ast.Import | ast.ImportFrom, allowed: frozenset[str]) -> Iterator[str]:
    names = [item.name for item in node.names] if isinstance(node, ast.Import) else [node.module or ""]
    for name in names:
        if name not in allowed and name.split(".")[0] not in OWN_PACKAGES:
            yield f"import of {name}: it isn't one of the modules that this code uses"
    if isinstance(node, ast.ImportFrom) and node.module in MEMBERS:
        for item in node.names:
            if item.name not in MEMBERS[node.module]:
                yield f"{node.module}.{item.name} isn't one of what this code uses of {node.module}"


def _member_problems(node: ast.Attribute) -> Iterator[str]:
    if isinstance(node.value, ast.Name) and node.value.id in MEMBERS and node.attr not in MEMBERS[node.value.id]:
        yield f"{node.value.id}.{node.attr} isn't one of what this code uses of {node.value.id}"
    if node.attr.startswith("__") and node.attr.endswith("__") and node.attr not in ("__init__", "__name__", "__doc__"):
        yield f"{node.attr} hides what is called"
    if name := WEAK.get(ast.unparse(node)):
        yield f"{ast.unparse(node)} {name}"


def _handler_problems(node: ast.ExceptHandler) -> Iterator[str]:
    """An error of any kind that nobody hears of."""
    wide = node.type is None or ast.unparse(node.type) in ("Exception", "BaseException")
    silent = all(isinstance(item, ast.Pass | ast.Continue) or _is_plain(item) for item in node.body)
    if node.type is None or (wide and silent):
        yield "swallows every error: say which, or say what happened"


def _is_plain(node: ast.stmt) -> bool:
    """A statement that uses nothing of the error: a bare value, or a return of a constant."""
    value = node.value if isinstance(node, ast.Return | ast.Expr) else ast.Constant("else")
    return isinstance(node, ast.Return | ast.Expr) and (value is None or isinstance(value, ast.Constant))


def _address_problems(text: str) -> Iterator[str]:
    if re.match(r"(https?|ftp|wss?|ssh|gs|hf)://", text) and " " not in text:
        yield f"{text[:60]}: an address outside: whatever a job needs lies in its channels"
    if re.match(r"/(etc|root|home|var|tmp|proc|dev|usr|bin)\b", text):
        yield f"{text[:60]}: a place outside of /opt/ml"


def _call_problems(node: ast.Call, file: str) -> Iterator[str]:
    name = ast.unparse(node.func)
    keywords = {keyword.arg: keyword.value for keyword in node.keywords}
    if (message := FORBIDDEN_CALLS.get(name)) and name not in IN_ONE_FILE.get(file, ()) and file != "answer.py":
        yield f"{name} {message}"
    by_name = name == "getattr" and not (len(node.args) > 1 and isinstance(node.args[1], ast.Constant))
    # A dtype by the recipe's name of it.
    if by_name and ast.unparse(node.args[0]) != "torch":
        yield "getattr of a name that is worked out hides what is called"
    remote = keywords.get("trust_remote_code")
    if remote is not None and ast.unparse(remote) not in REMOTE_CODE:
        yield f"{name}: trust_remote_code runs what came with the model"
    if _is(keywords.get("allow_pickle"), True):
        yield f"{name} runs what a pickle holds"
    if _is(keywords.get("shell"), True):
        yield f"{name} runs text in a shell"
    if _is(keywords.get("verify"), False):
        yield f"{name} doesn't look at a certificate"
    if WEIGHTS.fullmatch(name) and not _is(keywords.get("use_safetensors"), True):
        yield f"{name} takes pickled weights: say use_safetensors=True"
    if name.endswith("extractall") and "filter" not in keywords:
        yield f"{name} may write anywhere: say filter='data'"
    if name.endswith("load_dataset"):
        yield f"{name} brings what nobody has pinned"
    if re.fullmatch(r"Auto\w+\.from_pretrained", name) and not _is(keywords.get("local_files_only"), True):
        yield f"{name} may go to the hub: say local_files_only=True"
    if name.endswith("environ.setdefault") and len(node.args) == 2:
        yield from _offline(ast.unparse(node.args[0]), node.args[1])
    if LOG_CALLS.fullmatch(name):
        yield from _logged_rows(node)


def _logged_rows(node: ast.Call) -> Iterator[str]:
    for part in node.args:
        for inner in ast.walk(part):
            counted = isinstance(inner, ast.Call) and ast.unparse(inner.func) in ("len", "sum")
            if counted:
                break
            if isinstance(inner, ast.Name) and inner.id in ROW_NAMES:
                yield f"{ast.unparse(node.func)} writes the content of rows: {inner.id}"


def _offline(target: str, value: ast.expr) -> Iterator[str]:
    if "OFFLINE" in target and isinstance(value, ast.Constant) and str(value.value).lower() in ("0", "false", "no", ""):
        yield f"{target} is switched off: jobs would load from the hub"


def _is(value: Any, wanted: object) -> bool:
    return isinstance(value, ast.Constant) and value.value is wanted
