"""Lints resolved templates by two more opinions: cfn-lint with AWS's serverless rules, and checkov.

    lint.py DIRECTORY ACCEPTED

DIRECTORY has the templates of resolve.py. ACCEPTED says which findings stay, and why: by check and
by resource, where `*` stands for any letters. It is an error if a finding is not among them, or if
one of them is not found.
"""

import fnmatch
import json
import pathlib
import subprocess
import sys

PROGRAMS = pathlib.Path(sys.executable).parent


def run(*command):
    """What a linter prints, in JSON. Findings make it end with another status than 0."""
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        return json.loads(ended.stdout)
    except json.JSONDecodeError:
        raise SystemExit(f"{command[0]} failed:\n{ended.stdout}{ended.stderr}") from None


def by_cfn_lint(files):
    """Check, resource and message of each finding."""
    rules = "cfn_lint_serverless.rules"
    found = run(PROGRAMS / "cfn-lint", *files, "--append-rules", rules, "--format", "json")
    for one in found:
        path = one["Location"]["Path"]
        resource = path[1] if path and len(path) > 1 else "template"
        yield one["Rule"]["Id"], resource, one["Message"]


def by_checkov(directory):
    """Check, resource and message of each finding."""
    options = ["--framework", "cloudformation", "--skip-download", "--compact", "--output", "json"]
    found = run(PROGRAMS / "checkov", "--directory", directory, *options)
    for one in found["results"]["failed_checks"]:
        yield one["check_id"], one["resource"].split(".")[-1], one["check_name"]


def main(directory, accepted):
    accepted = json.loads(pathlib.Path(accepted).read_text(encoding="utf-8"))
    files = sorted(map(str, pathlib.Path(directory).glob("*.json")))
    findings = {*by_cfn_lint(files), *by_checkov(directory)}
    used, faults = set(), []
    for check, resource, message in sorted(findings):
        reasons = [
            position
            for position, one in enumerate(accepted)
            if one["check"] == check
            and any(fnmatch.fnmatch(resource, name) for name in one["resources"])
        ]
        used.update(reasons)
        if not reasons:
            faults.append(f"{check} {resource}: {message}")
    unused = [one["check"] for position, one in enumerate(accepted) if position not in used]
    faults += [f"{check} is accepted, and not found" for check in unused]
    for fault in faults:
        print(fault)
    print(f"templates: {len(files)}, findings: {len(findings)}, unexplained: {len(faults)}")
    return bool(faults)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
