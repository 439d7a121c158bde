# SPDX-License-Identifier: Apache-2.0
"""Whether the shipped policy places the calibrated portfolio as the institution published it.

Targets are for 5.5 million accounts, and are taken in proportion for other sizes.
"""

from harness import POLICIES, REAL_SIZE, Result, say

# Strategy, published accounts, and how many percent they may differ: ORA-11, ORA-13, and ORA-30 (69,107 sessions in a year).
PUBLISHED = [("preventive", 650_000, 5), ("dual", 110_000, 5), ("mediation", 5_800, 5)]


def run(bench):
    bench.month()
    report = bench.segmented(POLICIES[0])
    placed = {}
    for row in report["placed"]:
        placed[row["strategy"]] = placed.get(row["strategy"], 0) + row["accounts"]
    # An invitation is on top of dual: whom it reaches is still one of its accounts.
    placed["dual"] += placed.get("mediation", 0)
    for strategy, published, percent in PUBLISHED:
        wanted = published * bench.accounts / REAL_SIZE
        found = placed.get(strategy, 0)
        say(f"{strategy}: {found:,} accounts, published in proportion {wanted:,.0f}")
        yield Result(f"portfolio-{strategy}", f"{found:,}", f"{wanted:,.0f} +-{percent} %",
                     abs(found - wanted) <= wanted * percent / 100,
                     {"found": found, "published": round(wanted)})
