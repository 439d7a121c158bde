# SPDX-License-Identifier: Apache-2.0
"""docs/protocol.md, cut into what can be executed."""

from pathlib import Path
from typing import List

SECRET = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
ROOT = Path(__file__).resolve().parents[3]
LINES = (ROOT / "docs" / "protocol.md").read_text(encoding="utf-8").split("\n")


def blocks(kind: str) -> List[List[str]]:
    """The fenced blocks of one kind."""
    found = []
    for start, line in enumerate(LINES):
        if line == "```" + kind:
            found.append(LINES[start + 1 : LINES.index("```", start + 1)])
    return found


def table(heading: str) -> List[List[str]]:
    """The cells of the table whose heading starts like that, row by row."""
    start = next(index for index, line in enumerate(LINES) if line.startswith(heading))
    rows = []
    for line in LINES[start + 2 :]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.split("|")[1:-1]])
    return rows
