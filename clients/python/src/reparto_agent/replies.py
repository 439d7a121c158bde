# SPDX-License-Identifier: Apache-2.0
"""What the server says: replies, with a typed view of those whose meaning is known, and pushes.

A field that this version does not know stays in `fields`; nothing that the server adds later is an error.
"""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Dict, List, Optional, Tuple

from .errors import ProtocolError
from .requests import Request
from .values import read_amount, read_instant, read_number
from .wire import Fields

#: Why a pull ended, in words.
STOPS: Dict[str, str] = {
    "limit": "as many as were asked for",
    "hand": "this hand ended and another of the same strategy has more: ask again at once",
    "empty": "nothing is left",
    "quota": "the contract holds as many as its share allows",
    "capacity": "its advisers can carry no more",
    "bond": "its bond covers no more",
    "paused": "a new deal is being made, or the strategy is paused, by you (QUIET) or by the institution",
    "suspended": "the contract or the agency is on hold",
}


#: Fields of an account that tell what came of it since it was leased: of payments, and of a recall.
PAID_NEWS = ("paid", "paid-on", "reversed")
STARTED_NEWS = ("changed", "changed-on")
RECALL_NEWS = ("recall", "recall-reason", "objection")
NEWS = PAID_NEWS + STARTED_NEWS + RECALL_NEWS


@dataclass(frozen=True)
class Reply:
    """One reply as it came: its data lines, its last line, and whether that was `OK`."""

    ok: bool
    code: Optional[str]
    fields: Fields
    lines: Tuple[Fields, ...] = ()

    @property
    def reply_class(self) -> Optional[str]:
        return None if self.ok else self.fields.get("class")

    @property
    def after(self) -> Optional[int]:
        """When to ask again, in seconds, where the server says so."""
        text = self.fields.get("after", "")
        return int(text) if text.isdecimal() else None


@dataclass(frozen=True)
class Push:
    """What the server said without being asked: its name and its fields, known to this version or not."""

    name: str
    fields: Fields


@dataclass(frozen=True)
class Account:
    """One account that the agency holds under an epoch.

    `fields` is what LEASE said of it, and what came since (see NEWS). Of an account that a comparison found, HELD is asked
    for what LEASE said; in a Difference `lost` is as it was known.
    """

    delegation: int
    account: int
    epoch: int
    grant: int
    term: datetime
    fields: Fields

    @property
    def is_complete(self) -> bool:
        """Whether what LEASE said is known."""
        return "due" in self.fields

    @property
    def due(self) -> Optional[Decimal]:
        return read_amount(self.fields["due"], "due") if "due" in self.fields else None

    @property
    def overdue(self) -> Optional[Decimal]:
        return read_amount(self.fields["overdue"], "overdue") if "overdue" in self.fields else None

    @property
    def tactic(self) -> Optional[str]:
        return self.fields.get("tactic")

    @property
    def band(self) -> Optional[str]:
        return self.fields.get("band")

    @property
    def reference(self) -> Optional[str]:
        return self.fields.get("reference")

    @property
    def window(self) -> Optional[str]:
        return self.fields.get("window")

    @property
    def next(self) -> Optional[str]:
        return self.fields.get("next")

    @property
    def paid(self) -> Optional[Decimal]:
        """What is known to be paid since the lease, less what was taken back of it; None where nothing is."""
        return read_amount(self.fields["paid"], "paid") if "paid" in self.fields else None

    @property
    def paid_on(self) -> Optional[date]:
        """The latest day of those payments."""
        return date.fromisoformat(self.fields["paid-on"]) if "paid-on" in self.fields else None

    @property
    def recall(self) -> Optional[datetime]:
        """When the institution takes the account back; None where it does not want to."""
        return read_instant(self.fields["recall"], "recall") if "recall" in self.fields else None

    @property
    def recall_reason(self) -> Optional[str]:
        return self.fields.get("recall-reason")

    @property
    def objection(self) -> Optional[str]:
        """What became of our objection: `open`, `refused`."""
        return self.fields.get("objection")

    @property
    def next_day(self) -> Optional[date]:
        """The day of `next`, where it has one."""
        try:
            return date.fromisoformat((self.next or "").rpartition("/")[2])
        except ValueError:
            return None


def need(fields: Fields, name: str) -> str:
    """A field that the reply has to have."""
    if name not in fields:
        raise ProtocolError(f"a reply has no {name}")
    return fields[name]


def _number(fields: Fields, name: str) -> int:
    return read_number(need(fields, name), name)


@dataclass(frozen=True)
class Admission:
    """We were let in."""

    held: int
    contracts: int
    reply: Reply

    @staticmethod
    def of(reply: Reply) -> "Admission":
        return Admission(_number(reply.fields, "held"), _number(reply.fields, "contracts"), reply)


@dataclass(frozen=True)
class Lease:
    """What a pull brought. `stop` says why it was not more; see STOPS. `ceiling` is the furthest term that extensions reach."""

    grant: Optional[int]
    contract: Optional[int]
    portfolio: Optional[str]
    granted: int
    term: Optional[datetime]
    ceiling: Optional[datetime]
    grace: Optional[int]
    left: Optional[int]
    stop: str
    after: Optional[int]
    accounts: Tuple[Account, ...]
    reply: Reply

    @staticmethod
    def of(request: Request, reply: Reply) -> "Lease":
        fields = reply.fields
        granted = _number(fields, "granted")
        if granted != len(reply.lines):
            raise ProtocolError(f"a lease of {granted} came with {len(reply.lines)} accounts")
        grant = _number(fields, "grant") if granted else None
        term = read_instant(need(fields, "term"), "term") if granted else None
        accounts: List[Account] = []
        if grant is not None and term is not None:
            for line in reply.lines:
                account, epoch = _number(line, "account"), _number(line, "epoch")
                accounts.append(Account(request.delegation, account, epoch, grant, term, line))
        return Lease(
            grant,
            _number(fields, "contract") if "contract" in fields else None,
            fields.get("portfolio"),
            granted,
            term,
            read_instant(fields["ceiling"], "ceiling") if "ceiling" in fields else None,
            _number(fields, "grace") if "grace" in fields else None,
            _number(fields, "left") if "left" in fields else None,
            need(fields, "stop"),
            reply.after,
            tuple(accounts),
            reply,
        )


@dataclass(frozen=True)
class Reported:
    """A report is recorded. `receipt` is the hash of the ledger's record; `marked` the contact rules that the work broke."""

    outcome: int
    receipt: str
    marked: Tuple[str, ...]
    reply: Reply

    @staticmethod
    def of(reply: Reply) -> "Reported":
        fields = reply.fields
        marked = tuple(fields["marked"].split("+")) if "marked" in fields else ()
        return Reported(_number(fields, "outcome"), need(fields, "receipt"), marked, reply)


@dataclass(frozen=True)
class Extended:
    """The new term of a grant, and how far further extensions reach."""

    term: datetime
    ceiling: datetime
    reply: Reply

    @staticmethod
    def of(reply: Reply) -> "Extended":
        fields = reply.fields
        return Extended(
            read_instant(need(fields, "term"), "term"), read_instant(need(fields, "ceiling"), "ceiling"), reply
        )


@dataclass(frozen=True)
class Comparison:
    """One page of the answer to RESUME."""

    held: int
    match: bool
    next: Optional[str]
    accounts: Tuple[Account, ...]
    reply: Reply

    @staticmethod
    def of(reply: Reply) -> "Comparison":
        fields = reply.fields
        accounts = tuple(
            Account(
                _number(line, "delegation"),
                _number(line, "account"),
                _number(line, "epoch"),
                _number(line, "grant"),
                read_instant(need(line, "term"), "term"),
                line,
            )
            for line in reply.lines
        )
        return Comparison(_number(fields, "held"), need(fields, "match") == "yes", fields.get("next"), accounts, reply)
