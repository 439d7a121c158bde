# SPDX-License-Identifier: Apache-2.0
"""8 connections that lease 100 accounts at a time and report each of them."""

import leasing


def run(bench):
    return leasing.run(bench, leasing.Case(
        "lease-100", connections=8, batch=100, queue_target=1.0, rows_target=0.5,
        accounts=4_000_000, quick_accounts=1_000_000, quick_seconds=1, quick_warm_up=0, agencies=4))
