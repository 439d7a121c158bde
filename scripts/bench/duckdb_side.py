# SPDX-License-Identifier: Apache-2.0
"""DuckDB's side of policy-eval, in a process of its own: usage duckdb_side.py CSV THREADS, statements on the first line.

Answers each further line with one of JSON: seconds, and the rows of the query.
"""

import json
import sys
import time

import duckdb


def main():
    csv, threads = sys.argv[1:]
    statements = json.loads(sys.stdin.readline())
    link = duckdb.connect(":memory:")
    link.execute(f"SET threads = {int(threads)}")
    link.execute(statements["table"])
    link.execute(f"COPY account FROM '{csv}' (HEADER, DELIMITER ',', NULL '')")
    print(json.dumps({"version": duckdb.__version__}), flush=True)
    for _ in sys.stdin:
        start = time.monotonic()
        rows = link.execute(statements["query"]).fetchall()
        seconds = time.monotonic() - start
        print(json.dumps({"seconds": seconds, "rows": rows}), flush=True)


main()
