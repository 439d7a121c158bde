# SPDX-License-Identifier: Apache-2.0
"""Requests of the hot path through codec and session by themselves: what a key costs.

A request with all the keys it may have must not allocate more than one with those it must have. Time stands beside that of a plain
pass over the same bytes, as a figure to compare runs by; it has no target.
"""

import json

from harness import BIN, Result, say


def run(bench):
    necessary = {}
    for line in json.loads(bench.output([BIN / "bench", "codec"])):
        verb, allocations = line["verb"], line["allocations"]
        say(f"codec, {verb} with {line['keys']} keys: {allocations:.2f} allocations, {line['nanoseconds']:.0f} ns, "
            f"{line['nanoseconds'] / line['passNanoseconds']:.1f} x a pass over its {line['bytes']} bytes")
        if verb in necessary:
            more = allocations - necessary[verb]
            yield Result(f"codec-{verb.lower()}", f"{more:.2f} more allocations", "0.00", more < 0.01,
                         {"keys": line["keys"], "bytes": line["bytes"], "allocations": allocations,
                          "nanoseconds": line["nanoseconds"], "reference": line["passNanoseconds"]})
        necessary.setdefault(verb, allocations)
