# SPDX-License-Identifier: Apache-2.0
"""The digest over what an agency holds, by which both sides find out whether they agree."""

import hashlib

_MODULUS = 2**128


class HeldDigest:
    """The sum modulo 2^128 of the first 16 bytes of SHA-256 over delegation, account and epoch, and how many they are.

    Order does not matter, and what ended is taken off again, so nothing is ever hashed twice.
    """

    def __init__(self) -> None:
        self.count = 0
        self._sum = 0

    def add(self, delegation: int, account: int, epoch: int) -> None:
        self.count += 1
        self._sum = (self._sum + _term(delegation, account, epoch)) % _MODULUS

    def remove(self, delegation: int, account: int, epoch: int) -> None:
        self.count -= 1
        self._sum = (self._sum - _term(delegation, account, epoch)) % _MODULUS

    def __str__(self) -> str:
        return f"{self._sum:032x}"


def _term(delegation: int, account: int, epoch: int) -> int:
    message = delegation.to_bytes(2, "big") + account.to_bytes(8, "big") + epoch.to_bytes(8, "big")
    return int.from_bytes(hashlib.sha256(message).digest()[:16], "big")
