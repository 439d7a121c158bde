# SPDX-License-Identifier: Apache-2.0
"""32 connections that lease and report one account at a time."""

import leasing


def run(bench):
    return leasing.run(bench, leasing.Case(
        "lease-1", connections=32, batch=1, queue_target=2.5, rows_target=0.5,
        accounts=2_000_000, quick_accounts=200_000, quick_seconds=2, quick_warm_up=1, agencies=29))
