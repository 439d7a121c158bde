# SPDX-License-Identifier: Apache-2.0
"""Requests: a verb and its fields, each written as the protocol spells it.

The functions check what can be known here: kinds, ranges and fields that belong together. Words such as a channel or a
result go through as they are, so that a newer server's words work with this client.
"""

from dataclasses import dataclass, field, replace
from typing import Dict, Mapping, Optional, Union

from .errors import RequestError
from .values import (
    AmountLike,
    DayLike,
    InstantLike,
    write_amount,
    write_day,
    write_instant,
    write_name,
    write_number,
)

#: Verbs whose requests carry a key, so that they can be repeated without a second effect.
KEYED_VERBS = ("LEASE", "REPORT", "EXTEND", "RETURN", "OBJECT")
#: Verbs that have no key and of which each time counts: a disclosure of contact data is a record of the ledger. They are
#: sent once.
ONCE_VERBS = ("CONTACT",)


@dataclass(frozen=True)
class Request:
    """One request without its tag. Requests of keyed verbs get their key when they are sent."""

    verb: str
    fields: Dict[str, str] = field(default_factory=dict)

    @property
    def is_keyed(self) -> bool:
        """Whether the verb carries a key."""
        return self.verb in KEYED_VERBS

    @property
    def is_once(self) -> bool:
        """Whether it must not be sent again where its answer was lost."""
        return self.verb in ONCE_VERBS

    @property
    def key(self) -> Optional[int]:
        text = self.fields.get("key")
        return None if text is None else int(text)

    @property
    def delegation(self) -> int:
        return int(self.fields.get("delegation", "0"))

    def with_key(self, key: int) -> "Request":
        fields = {"key": write_number(key, "key")}
        fields.update({name: value for name, value in self.fields.items() if name != "key"})
        return replace(self, fields=fields)


def _number(fields: Dict[str, str], name: str, value: Optional[int]) -> None:
    if value is not None:
        fields[name] = write_number(value, name)


def _text(fields: Dict[str, str], name: str, value: Optional[str]) -> None:
    if value is not None:
        if not value:
            raise RequestError(f"{name} is empty")
        fields[name] = value


def lease(
    delegation: int,
    strategy: str,
    max: int,
    *,
    contract: Optional[int] = None,
    portfolio: Optional[str] = None,
    tactic: Optional[str] = None,
) -> Request:
    """The next accounts of a delegation and strategy, in the order of the deal."""
    fields: Dict[str, str] = {}
    _number(fields, "delegation", delegation)
    _text(fields, "strategy", strategy)
    _number(fields, "max", max)
    _number(fields, "contract", contract)
    _text(fields, "portfolio", portfolio)
    _text(fields, "tactic", tactic)
    return Request("LEASE", fields)


#: What a result needs besides; the server says so too.
_NEEDS = {"promise": ("amount", "promised"), "agreement-signed": ("solution",), "other-with-code": ("branch",)}


def report(
    delegation: int,
    account: int,
    epoch: int,
    *,
    at: InstantLike,
    channel: str,
    contact: str,
    result: str,
    amount: Optional[AmountLike] = None,
    promised: Optional[DayLike] = None,
    branch: Optional[str] = None,
    motive: Optional[str] = None,
    position: Optional[str] = None,
    solution: Optional[str] = None,
    evidence: Optional[str] = None,
) -> Request:
    """One gestión. `at` is when the work was done, not when it is reported."""
    fields: Dict[str, str] = {}
    _number(fields, "delegation", delegation)
    _number(fields, "account", account)
    _number(fields, "epoch", epoch)
    fields["at"] = write_instant(at, "at")
    for name, value in (("channel", channel), ("contact", contact), ("result", result)):
        _text(fields, name, value)
    if amount is not None:
        fields["amount"] = write_amount(amount, "amount")
    if promised is not None:
        fields["promised"] = write_day(promised, "promised")
    more = {"branch": branch, "motive": motive, "position": position, "solution": solution, "evidence": evidence}
    for name, text in more.items():
        _text(fields, name, text)
    missing = [name for name in _NEEDS.get(result, ()) if name not in fields]
    if missing:
        raise RequestError(f"{result} needs {' and '.join(missing)}")
    return Request("REPORT", fields)


def extend(delegation: int, grant: int, until: InstantLike) -> Request:
    """More time for a whole grant."""
    fields: Dict[str, str] = {}
    _number(fields, "delegation", delegation)
    _number(fields, "grant", grant)
    fields["until"] = write_instant(until, "until")
    return Request("EXTEND", fields)


def give_back(delegation: int, account: int, epoch: int, reason: str) -> Request:
    """RETURN: one account goes back."""
    fields = _held(delegation, account, epoch)
    _text(fields, "reason", reason)
    return Request("RETURN", fields)


def resume(count: int, digest: str, after: Optional[str] = None, since: Optional[str] = None) -> Request:
    """Whether both sides agree on what is held, and what came of it since an instant where they do.

    `after` is the `next=` of the page before, `since` an instant as the server writes it.
    """
    fields = {"count": write_number(count, "count"), "digest": digest}
    _text(fields, "after", after)
    _text(fields, "since", since)
    return Request("RESUME", fields)


def ping() -> Request:
    return Request("PING")


def bye() -> Request:
    return Request("BYE")


def contact(delegation: int, account: int, epoch: int) -> Request:
    """CONTACT: the contact data of a held account. Each answer is a disclosure in the ledger."""
    return Request("CONTACT", _held(delegation, account, epoch))


def object_to_recall(delegation: int, account: int, epoch: int, reason: str) -> Request:
    """OBJECT: says no to a recall that was noticed, with a reason."""
    fields = _held(delegation, account, epoch)
    _text(fields, "reason", reason)
    return Request("OBJECT", fields)


def held(delegation: Optional[int] = None, max: Optional[int] = None, after: Optional[str] = None) -> Request:
    """HELD: one page of what is held, with all that LEASE said and what came since."""
    fields: Dict[str, str] = {}
    _number(fields, "delegation", delegation)
    _number(fields, "max", max)
    _text(fields, "after", after)
    return Request("HELD", fields)


def status(delegation: Optional[int] = None, strategy: Optional[str] = None) -> Request:
    """STATUS: what is free, held and left of each contract and strategy."""
    fields: Dict[str, str] = {}
    _number(fields, "delegation", delegation)
    _text(fields, "strategy", strategy)
    return Request("STATUS", fields)


def explain(delegation: int, *, account: Optional[int] = None, strategy: Optional[str] = None) -> Request:
    """EXPLAIN: why the agency has or had an account, or why it gets as many of a strategy as it gets."""
    fields: Dict[str, str] = {}
    _number(fields, "delegation", delegation)
    _number(fields, "account", account)
    _text(fields, "strategy", strategy)
    if account is None and strategy is None:
        raise RequestError("explain needs an account or a strategy")
    return Request("EXPLAIN", fields)


def quiet(delegation: int, strategy: str, is_on: bool) -> Request:
    """QUIET: no accounts of a strategy for now, or again."""
    fields: Dict[str, str] = {}
    _number(fields, "delegation", delegation)
    _text(fields, "strategy", strategy)
    fields["state"] = "on" if is_on else "off"
    return Request("QUIET", fields)


def call(verb: str, fields: Optional[Mapping[str, Union[str, int]]] = None) -> Request:
    """Any verb with any fields, for what this package has no function for."""
    texts = {
        name: write_number(value, name) if isinstance(value, int) else value for name, value in (fields or {}).items()
    }
    return Request(verb, texts)


def hello(agency: str, client: Optional[str], instance: str, sequence: int, nonce: bytes) -> Request:
    """Who we are. The connection sends it by itself."""
    fields = {"version": "1", "agency": agency}
    _text(fields, "client", client)
    fields["instance"] = write_name(instance, "instance")
    fields["sequence"] = write_number(sequence, "sequence")
    fields["nonce"] = nonce.hex()
    return Request("HELLO", fields)


def authenticate(proof: bytes) -> Request:
    """The proof of it. The connection sends it by itself."""
    return Request("AUTH", {"method": "ed25519", "proof": proof.hex()})


def _held(delegation: int, account: int, epoch: int) -> Dict[str, str]:
    fields: Dict[str, str] = {}
    _number(fields, "delegation", delegation)
    _number(fields, "account", account)
    _number(fields, "epoch", epoch)
    return fields
