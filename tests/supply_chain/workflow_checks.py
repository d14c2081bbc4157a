"""GitHub's workflows: each event, permission, action and command is one that is known; whatever else is named."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

# Workflow → what starts it.
EVENTS: dict[str, Any] = {
    "ci.yml": {"push": {"branches": ["main"]}, "pull_request": None},
    "deliver.yml": {"push": {"branches": ["main"]}, "pull_request": None},
    "deploy.yml": {"workflow_call": {"inputs": {"environment": {"required": True, "type": "string"}}}},
    "release.yml": {"push": {"tags": ["v*"]}},
}
READS = {"contents": "read"}
DEPLOYS = {**READS, "id-token": "write"}
# Job → what its token may do; every other may read the sources.
PERMISSIONS = {
    "review": {**DEPLOYS, "pull-requests": "write"}, "deploy": DEPLOYS, "deploy-dev": DEPLOYS,
    "deploy-staging": DEPLOYS, "deploy-prod": DEPLOYS, "release": {"contents": "write"},
}  # fmt: skip
# Job → what must have ended well before.
NEEDS = {"deploy-dev": "check", "deploy-staging": "deploy-dev", "deploy-prod": "deploy-staging"}
# Job → parts of its condition.
CONDITIONS = {
    "review": (
        "github.event_name == 'pull_request'", "vars.TUNESTACK_DELIVERS == 'github'",
        "github.event.pull_request.head.repo.full_name == github.repository",
    ),
    "deploy-dev": ("github.event_name == 'push'", "vars.TUNESTACK_DELIVERS == 'github'"),
}  # fmt: skip
# Action → the inputs that it may be given.
ACTIONS: dict[str, dict[str, Any]] = {
    "actions/checkout": {"persist-credentials": False},
    "actions/setup-python": {"python-version": "3.11"},
    "aws-actions/configure-aws-credentials": {
        "role-to-assume": ("${{ vars.AWS_ROLE_ARN }}", "${{ vars.AWS_REVIEW_ROLE_ARN }}"),
        "aws-region": "${{ vars.AWS_REGION }}",
    },
}
WORKFLOW_KEYS = {"name", True, "on", "permissions", "concurrency", "jobs"}
JOB_KEYS = {"runs-on", "timeout-minutes", "steps", "if", "permissions", "env", "needs", "uses", "with", "environment"}
STEP_KEYS = {"uses", "with", "run", "env", "name"}
VARIABLES = {
    "ENVIRONMENTS": "dev", "ENVIRONMENT": "${{ inputs.environment }}", "GH_TOKEN": "${{ github.token }}",
    "NUMBER": "${{ github.event.pull_request.number }}", "TAG": "${{ github.ref_name }}",
}  # fmt: skip
COMMANDS = re.compile(
    r"\.ci/run|make (setup|check)|export PATH=\"\$PWD/\.venv/bin:\$PWD/node_modules/\.bin:\$PATH\""
    r"|: > comment\.md|for env in \$ENVIRONMENTS; do|done|cat \"cost-\$env\.md\" >> comment\.md"
    r"|cdk synth --quiet -c \"env=\$\w+\" --output (\"cdk\.out/\$env\"|cdk\.out)|tunestack access \"cdk\.out/\$env\""
    r"|tunestack cost review (\"cdk\.out/\$env\"|cdk\.out) --env \"\$\w+\" --out \S+"
    r"|\{ echo '<details><summary>Templates</summary>'; echo; echo '```'|echo '```'; echo '</details>'; \} >> comment\.md"
    r"|cdk diff --app \"cdk\.out/\$env\" 2>&1 \| head -c 40000|cat cost\.md >> \"\$GITHUB_STEP_SUMMARY\""
    r"|cdk deploy --all --app cdk\.out --require-approval never"
    r"|gh pr comment \"\$NUMBER\" --body-file comment\.md --edit-last --create-if-none"
    r"|python3 -m scripts\.release_notes \"\$TAG\" > notes\.md"
    r"|gh release create \"\$TAG\" --verify-tag --title \"\$TAG\" --notes-file notes\.md"
)
PINNED = re.compile(r"(?P<action>[\w.-]+/[\w.-]+)@[0-9a-f]{40}")
MOST_MINUTES = 90


def workflow_problems(text: str, *, file: str) -> Iterator[str]:
    """What is wrong with a workflow."""
    found = yaml.safe_load(text)
    yield from _unknown("workflow", found, WORKFLOW_KEYS)
    # YAML takes `on` for true.
    events = found.get(True, found.get("on"))
    if events != EVENTS.get(file):
        yield f"is started by {events}, and not by {EVENTS.get(file)}"
    if found.get("permissions") != READS:
        yield f"permissions {found.get('permissions')}: a workflow reads the sources, a job says what it needs beyond"
    if file not in ("deploy.yml",) and "concurrency" not in found:
        yield "concurrency is missing: two of them would run at once"
    if file in ("deliver.yml", "release.yml") and found.get("concurrency", {}).get("cancel-in-progress") is not False:
        yield "cancel-in-progress would end a deployment half-way"
    for name, job in found.get("jobs", {}).items():
        for problem in _job_problems(name, job):
            yield f"{name}: {problem}"


def _unknown(what: str, given: Mapping[Any, Any], known: set[Any]) -> Iterator[str]:
    for key in given.keys() - known:
        yield f"{what} has {key}, which isn't one of the keys that are known"


def _job_problems(name: str, job: Mapping[str, Any]) -> Iterator[str]:
    yield from _unknown("job", job, JOB_KEYS)
    if job.get("permissions", READS) != PERMISSIONS.get(name, READS):
        yield f"permissions {job.get('permissions', READS)} aren't {PERMISSIONS.get(name, READS)}"
    if job.get("needs") != NEEDS.get(name):
        yield f"needs {job.get('needs')}, and not {NEEDS.get(name)}"
    for part in CONDITIONS.get(name, ()):
        if part not in str(job.get("if")) or "||" in str(job.get("if")):
            yield f"if must ask for {part}"
    if name not in CONDITIONS and "if" in job:
        yield "if: it always runs, or never"
    yield from _variable_problems(job.get("env", {}))
    if "uses" in job:
        if job["uses"] != "./.github/workflows/deploy.yml" or job.get("with", {}).keys() != {"environment"}:
            yield f"uses {job['uses']} with {job.get('with')}"
        elif job["with"]["environment"] != name.removeprefix("deploy-"):
            yield f"deploys {job['with']['environment']}"
        return
    if job.get("runs-on") != "ubuntu-24.04":
        yield f"runs-on {job.get('runs-on')}: GitHub's own machines alone"
    if not 0 < job.get("timeout-minutes", 0) <= MOST_MINUTES:
        yield "timeout-minutes is missing, or too long"
    if name == "deploy" and job.get("environment") != "${{ inputs.environment }}":
        yield "environment is missing: nobody would be asked"
    for step in job.get("steps", []):
        yield from _step_problems(step)


def _step_problems(step: Mapping[str, Any]) -> Iterator[str]:
    yield from _unknown("step", step, STEP_KEYS)
    yield from _variable_problems(step.get("env", {}))
    if "uses" in step:
        pinned = PINNED.fullmatch(step["uses"])
        if pinned is None or pinned["action"] not in ACTIONS:
            yield f"uses {step['uses']}: not one of the known actions by a commit"
            return
        known, given = ACTIONS[pinned["action"]], step.get("with", {})
        for key, value in given.items():
            allowed = known.get(key)
            if value != allowed and not (isinstance(allowed, tuple) and value in allowed):
                yield f"{pinned['action']} is given {key}: {value}"
        if missing := known.keys() - given.keys():
            yield f"{pinned['action']} isn't given {', '.join(sorted(missing))}"
    lines = re.sub(r"\\\n\s*", "", step.get("run", "")).splitlines()
    for line in filter(None, map(str.strip, lines)):
        if not COMMANDS.fullmatch(line):
            yield f"runs {line[:80]}, which isn't one of the known commands"


def _variable_problems(variables: Mapping[str, Any]) -> Iterator[str]:
    for name, value in variables.items():
        if VARIABLES.get(name) != value:
            yield f"sets {name}: {value}, which isn't one of the known variables"
