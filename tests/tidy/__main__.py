"""Checks the sources for what no compiler checks: `python3 tests/tidy`, and `--self-test` for the checks."""

import subprocess
import sys
from pathlib import Path

import rules
from rules import RULES

ROOT = Path(__file__).resolve().parents[2]


def tracked():
    """The text of every file that is tracked, or would be."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, check=True, capture_output=True, text=True,
    )
    files = {}
    for name in filter(None, listed.stdout.split("\0")):
        path = ROOT / name
        if path.is_file():
            try:
                files[name] = path.read_text(encoding="utf-8")
            except UnicodeDecodeError:
                continue
    return files


def main():
    if sys.argv[1:] == ["--self-test"]:
        import self_test

        return self_test.main()
    files = tracked()
    wrong = [(rule, line) for rule in RULES for line in rule(files)]
    for rule, line in wrong:
        print(f"{line} [{rule.__name__}]", file=sys.stderr)
    print(f"tidy: {len(files)} files, {len(RULES)} rules, {len(wrong)} wrong")
    return 1 if wrong else 0


sys.exit(main())
