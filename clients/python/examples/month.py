# SPDX-License-Identifier: Apache-2.0
"""An agency's day: take accounts, call, report, give back. Settings come from reparto-agent.ini or REPARTO_AGENT_*."""

import os
import sys

from reparto_agent import Agent, Push, RefreshRefusal
from reparto_agent.configuration import gather, settings


def told(event: object) -> None:
    if isinstance(event, Push):  # A recall, a node that stops: what the server says by itself.
        print("the server says", event.name, event.fields)


def main(delegation: int, strategy: str) -> None:
    with Agent(settings(gather({}, os.environ, None)), on_event=told) as agent:
        lease = agent.lease(delegation, strategy, max=10)
        print(f"{lease.granted} accounts until {lease.term}, because: {lease.stop}")
        for account in agent.held():  # Also those of an earlier day.
            now = agent.ping()  # The server's clock decides.
            try:
                done = agent.report(account, at=now, channel="phone-out", contact="none", result="no-answer")
                print(account.account, "reported, receipt", done.receipt[:16])
            except RefreshRefusal as refusal:  # Not ours any more; the report is kept as evidence.
                print(account.account, refusal.code, "counts:", refusal.counts)
        if lease.accounts:
            agent.give_back(lease.accounts[0], "unlocatable")


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
