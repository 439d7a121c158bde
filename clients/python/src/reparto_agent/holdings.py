# SPDX-License-Identifier: Apache-2.0
"""What the agency holds, as far as replies and pushes tell, and the digest over it."""

from dataclasses import dataclass, replace
from typing import Dict, Iterable, Iterator, List, Optional, Tuple

from .digest import HeldDigest
from .replies import Account, Comparison, Extended, Lease, Push, Reply
from .requests import Request
from .state import Change

#: Codes that say of an account under an epoch that it is not held any more.
ENDING_CODES = ("EXPIRED", "REASSIGNED", "RECALLED", "CLOSED", "UNKNOWN")


@dataclass(frozen=True)
class Difference:
    """What a comparison with the server found.

    `lost` was believed to be held and is not; `found` is held and was not known here; `renewed` is held under another
    epoch, grant or term than was believed.
    """

    held: int
    lost: Tuple[Account, ...] = ()
    found: Tuple[Account, ...] = ()
    renewed: Tuple[Account, ...] = ()

    @property
    def match(self) -> bool:
        return not (self.lost or self.found or self.renewed)


class Holdings:
    """Accounts by delegation and number."""

    def __init__(self, accounts: Iterable[Account] = ()) -> None:
        self._accounts: Dict[Tuple[int, int], Account] = {}
        self.digest = HeldDigest()
        for account in accounts:
            self._put(account)

    def __len__(self) -> int:
        return len(self._accounts)

    def __iter__(self) -> Iterator[Account]:
        return iter(list(self._accounts.values()))

    def get(self, delegation: int, account: int) -> Optional[Account]:
        return self._accounts.get((delegation, account))

    def apply(self, changes: Iterable[Change]) -> None:
        for change in changes:
            if change.account is not None:
                self._put(change.account)
            if change.ended is not None:
                self._remove(change.ended)

    def after_reply(self, request: Request, reply: Reply) -> List[Change]:
        """What an answer changes."""
        if request.verb == "LEASE" and reply.ok:
            return [Change(account=account) for account in Lease.of(request, reply).accounts]
        if request.verb == "EXTEND" and reply.ok:
            term = Extended.of(reply).term
            grant = int(request.fields["grant"])
            of_grant = [a for a in self if a.delegation == request.delegation and a.grant == grant]
            return [Change(account=replace(account, term=term)) for account in of_grant]
        is_over = (request.verb == "RETURN" and reply.ok) or reply.code in ENDING_CODES
        return self._over(request.fields) if is_over else []

    @staticmethod
    def is_doubtful(request: Request, reply: Reply) -> bool:
        """Whether an answer shows that more is out of date than it names: a whole grant, or another epoch of ours."""
        if request.verb == "EXTEND":
            return reply.code in ENDING_CODES
        return reply.code == "REASSIGNED" and "epoch" in reply.fields

    def after_push(self, push: Push) -> List[Change]:
        """A final recall ends what is held; anything else is for the owner to look at."""
        if push.name == "RECALL" and push.fields.get("final") == "yes":
            return self._over(push.fields)
        return []

    def compare(self, pages: Iterable[Comparison]) -> Tuple[Difference, List[Change]]:
        """What differs from the server's whole list, and the changes that mend it."""
        theirs: Dict[Tuple[int, int], Account] = {}
        for page in pages:
            theirs.update({(account.delegation, account.account): account for account in page.accounts})
        lost = tuple(mine for place, mine in self._accounts.items() if place not in theirs)
        found: List[Account] = []
        renewed: List[Account] = []
        for place, account in theirs.items():
            mine = self._accounts.get(place)
            if mine is None:
                found.append(account)
            elif (mine.epoch, mine.grant, mine.term) != (account.epoch, account.grant, account.term):
                # What was said when it was leased still holds if it is the same deal.
                kept = mine.fields if mine.epoch == account.epoch else account.fields
                renewed.append(replace(account, fields=kept))
        changes = [Change(ended=(account.delegation, account.account)) for account in lost]
        changes += [Change(account=account) for account in (*found, *renewed)]
        return Difference(len(theirs), lost, tuple(found), tuple(renewed)), changes

    def _over(self, fields: Dict[str, str]) -> List[Change]:
        try:
            place = (int(fields["delegation"]), int(fields["account"]))
            epoch = int(fields["epoch"])
        except (KeyError, ValueError):
            return []
        mine = self._accounts.get(place)
        return [Change(ended=place)] if mine is not None and mine.epoch == epoch else []

    def _put(self, account: Account) -> None:
        place = (account.delegation, account.account)
        self._remove(place)
        self._accounts[place] = account
        self.digest.add(account.delegation, account.account, account.epoch)

    def _remove(self, place: Tuple[int, int]) -> None:
        old = self._accounts.pop(place, None)
        if old is not None:
            self.digest.remove(old.delegation, old.account, old.epoch)
