# SPDX-License-Identifier: Apache-2.0
"""What the agency holds, as far as replies and pushes tell, and the digest over it."""

from dataclasses import dataclass, replace
from typing import Dict, Iterable, Iterator, List, Optional, Sequence, Tuple

from .digest import HeldDigest
from .replies import NEWS, PAID_NEWS, RECALL_NEWS, STARTED_NEWS, Account, Comparison, Extended, Lease, Push, Reply
from .requests import Request
from .state import Change
from .wire import Fields

#: Codes that say of an account under an epoch that it is not held any more.
ENDING_CODES = ("EXPIRED", "REASSIGNED", "RECALLED", "CLOSED", "UNKNOWN")

#: What a data line of HELD has besides what LEASE said of the account.
OF_GRANT = ("delegation", "grant", "strategy", "contract", "portfolio", "term", "ceiling", "work-by", "grace")


@dataclass(frozen=True)
class Difference:
    """What a comparison with the server found.

    `lost` was believed to be held and is not; `found` is held and was not known here; `renewed` is held under another
    epoch, grant or term than was believed. Of `told` something came that was not known: a payment, one that was taken
    back, a recall or what became of it.
    """

    held: int
    lost: Tuple[Account, ...] = ()
    found: Tuple[Account, ...] = ()
    renewed: Tuple[Account, ...] = ()
    told: Tuple[Account, ...] = ()

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
        """A final recall ends what is held; a notice and a payment are news of it. Anything else is for the owner.

        Both say how things stand, so that it does no harm to hear one twice, or after a comparison that told it already.
        """
        fields = push.fields
        if push.name == "RECALL" and fields.get("final") == "yes":
            return self._over(fields)
        mine = self._of(fields)
        if mine is None or push.name not in ("RECALL", "UPDATE"):
            return []
        if push.name == "UPDATE" and fields.get("change") not in (None, "payment", "payment-reversed"):
            # What happened to the debtor; of payments it says nothing.
            happened = {"changed": fields["change"]}
            if "on" in fields:
                happened["changed-on"] = fields["on"]
            return self._heard(mine, STARTED_NEWS, happened)
        if push.name == "UPDATE":
            # Nothing paid is said, so that it is not overlooked, and kept as comparisons tell it: by leaving it out.
            return self._heard(mine, PAID_NEWS, {key: value for key, value in fields.items() if value != "0.00"})
        decision = fields.get("decision")
        news: Dict[str, str] = {}
        if decision != "withdrawn":
            news = {"recall": fields.get("from", ""), "recall-reason": fields.get("reason", "")}
            if decision == "upheld":
                news["objection"] = "refused"
        return self._heard(mine, RECALL_NEWS, news)

    def hear(self, pages: Iterable[Comparison]) -> Tuple[Tuple[Account, ...], List[Change]]:
        """What came of accounts that both sides agree on, and the changes that keep it."""
        changes: List[Change] = []
        for page in pages:
            for account in page.accounts:
                mine = self._accounts.get((account.delegation, account.account))
                if mine is not None and mine.epoch == account.epoch:
                    changes += self._heard(mine, NEWS, account.fields)
        return tuple(change.account for change in changes if change.account is not None), changes

    def compare(self, pages: Iterable[Comparison]) -> Tuple[Difference, List[Change]]:
        """What differs from the server's whole list, and the changes that mend it."""
        theirs: Dict[Tuple[int, int], Account] = {}
        for page in pages:
            theirs.update({(account.delegation, account.account): account for account in page.accounts})
        lost = tuple(mine for place, mine in self._accounts.items() if place not in theirs)
        found: List[Account] = []
        renewed: List[Account] = []
        told: List[Account] = []
        for place, account in theirs.items():
            mine = self._accounts.get(place)
            if mine is None:
                found.append(account)
            else:
                # What was said when it was leased still holds if it is the same deal.
                is_same = mine.epoch == account.epoch
                kept = _merged(mine.fields, NEWS, account.fields) if is_same else account.fields
                if (mine.epoch, mine.grant, mine.term) != (account.epoch, account.grant, account.term):
                    renewed.append(replace(account, fields=kept))
                elif kept != mine.fields:
                    told.append(replace(mine, fields=kept))
        changes = [Change(ended=(account.delegation, account.account)) for account in lost]
        changes += [Change(account=account) for account in (*found, *renewed, *told)]
        return Difference(len(theirs), lost, tuple(found), tuple(renewed), tuple(told)), changes

    def complete(self, lines: Iterable[Fields]) -> List[Change]:
        """What data lines of HELD tell of accounts of which not all is known that LEASE said.

        News stays as the comparison and the pushes after it told it: a page may be older. What is of the whole grant is not
        of the account.
        """
        changes: List[Change] = []
        for line in lines:
            mine = self._of(line)
            if mine is not None and not mine.is_complete:
                said = {name: value for name, value in line.items() if name not in NEWS + OF_GRANT}
                changes.append(Change(account=replace(mine, fields={**said, **mine.fields})))
        return changes

    def refreshed(self, difference: Difference) -> Difference:
        """The same difference with its accounts as they are known by now."""

        def known(accounts: Tuple[Account, ...]) -> Tuple[Account, ...]:
            return tuple(self._accounts.get((one.delegation, one.account), one) for one in accounts)

        return replace(difference, found=known(difference.found), renewed=known(difference.renewed))

    def _heard(self, mine: Account, names: Sequence[str], news: Dict[str, str]) -> List[Change]:
        fields = _merged(mine.fields, names, news)
        return [Change(account=replace(mine, fields=fields))] if fields != mine.fields else []

    def _of(self, fields: Dict[str, str]) -> Optional[Account]:
        """Which of ours a line is about."""
        try:
            place = (int(fields["delegation"]), int(fields["account"]))
            epoch = int(fields["epoch"])
        except (KeyError, ValueError):
            return None
        mine = self._accounts.get(place)
        return mine if mine is not None and mine.epoch == epoch else None

    def _over(self, fields: Dict[str, str]) -> List[Change]:
        mine = self._of(fields)
        return [] if mine is None else [Change(ended=(mine.delegation, mine.account))]

    def _put(self, account: Account) -> None:
        place = (account.delegation, account.account)
        self._remove(place)
        self._accounts[place] = account
        self.digest.add(account.delegation, account.account, account.epoch)

    def _remove(self, place: Tuple[int, int]) -> None:
        old = self._accounts.pop(place, None)
        if old is not None:
            self.digest.remove(old.delegation, old.account, old.epoch)


def _merged(before: Dict[str, str], names: Sequence[str], news: Dict[str, str]) -> Dict[str, str]:
    """The fields with those of `names` as `news` has them: what is not there any more is taken out."""
    kept = {name: value for name, value in before.items() if name not in names}
    kept.update({name: news[name] for name in names if name in news})
    return kept
