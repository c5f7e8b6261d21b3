"""Every example in the guides runs."""

import re

import pytest
from conftest import PACKAGE, python

GUIDES = [PACKAGE / "README.md", *sorted((PACKAGE / "docs").glob("*.md"))]
EXAMPLES = [(f"{guide.name} {number}", code) for guide in GUIDES
            for number, code in enumerate(re.findall(r"^```python\n(.*?)^```$", guide.read_text(), re.M | re.S), 1)]


@pytest.mark.parametrize("code", [code for _, code in EXAMPLES], ids=[name for name, _ in EXAMPLES])
def test_examples_run(code, tmp_path):
    done = python(code, cwd=tmp_path)
    assert done.returncode == 0 and "lost" not in done.stderr, done.stderr


def test_there_are_examples():
    assert len(EXAMPLES) >= 8
