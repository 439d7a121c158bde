# SPDX-License-Identifier: Apache-2.0
"""What can go wrong, and whose turn it is."""

from typing import TYPE_CHECKING, Dict, Optional, Type

if TYPE_CHECKING:
    from .replies import Reply


class AgentError(Exception):
    """Everything that this package raises on purpose."""


class SettingsError(AgentError):
    """A setting, a key file or a state folder is not as it must be. Nothing was sent."""


class RequestError(AgentError, ValueError):
    """A request cannot be written as a line: a value of the wrong kind, or too long. Nothing was sent."""


class ProtocolError(AgentError):
    """The server sent what version 1 does not allow."""


class ConnectionFailed(AgentError):
    """No address could be reached in the time that was given. Nothing of this request was sent."""


class Unanswered(AgentError):
    """The request was sent, and whether it was done is not known.

    One with a key stays in the state folder and is sent again on the next connection; the answer then comes as a Late
    event, and `unanswered()` lists it until then. A CONTACT is not sent again: it may have been disclosed, and asking
    again would be another disclosure.
    """


class AgentClosed(AgentError):
    """The agent was closed, by its owner or by a refusal of class `fatal`."""


class Refusal(AgentError):
    """The server answered `NO`. `code` says why, `reply_class` what to do, `fields` the rest.

    One subclass for each class: RetryRefusal, FixRefusal, RefreshRefusal, FatalRefusal.
    """

    def __init__(self, reply: "Reply") -> None:
        super().__init__(_describe(reply))
        self.reply = reply
        self.code: str = reply.code or ""
        self.reply_class: str = reply.reply_class or ""
        self.fields: Dict[str, str] = reply.fields
        #: The key of the request that is to be mended, where the server names one.
        self.field: Optional[str] = reply.fields.get("field")
        self.expected: Optional[str] = reply.fields.get("expected")

    @staticmethod
    def of(reply: "Reply") -> "Refusal":
        """The refusal of the class that the reply names."""
        return _BY_CLASS.get(reply.reply_class or "", Refusal)(reply)


class RetryRefusal(Refusal):
    """Not now; the same request again later. Raised only when the agent's own repetitions took too long."""


class FixRefusal(Refusal):
    """The request is refused again as it is: mend it."""


class RefreshRefusal(Refusal):
    """What was believed about a lease is out of date; but for NO-NOTICE and KEY-EXPIRED, which say nothing of a lease.

    A refused report is kept as evidence: `evidence` is its number, `counts` is `yes`, `no` or `pending`.
    """

    def __init__(self, reply: "Reply") -> None:
        super().__init__(reply)
        number = reply.fields.get("evidence", "")
        self.evidence: Optional[int] = int(number) if number.isdecimal() else None
        self.counts: Optional[str] = reply.fields.get("counts")


class FatalRefusal(Refusal):
    """The session is over, and the same start would end in the same way."""


_BY_CLASS: Dict[str, Type[Refusal]] = {
    "retry": RetryRefusal,
    "fix": FixRefusal,
    "refresh": RefreshRefusal,
    "fatal": FatalRefusal,
}

_TURNS: Dict[str, str] = {
    "retry": "it was not done; the same again, later",
    "fix": "the server takes it only when it is mended",
    "refresh": "what you believe of this account is out of date; the server's word counts",
}

_REMEDIES: Dict[str, str] = {
    "UNSUPPORTED": "this server does not serve it; it is the institution's to switch on",
    "AUTH": "not let in: the agency, its key or the server's name is wrong, and the server does not say which",
    "CLONE": "this instance's sequence was used before: the state folder was lost, copied or restored from a backup; "
    "begin with an empty state folder and another instance name",
    "NO-NOTICE": "no recall of this account waits for an objection; what you hold is not touched by it",
    "KEY-EXPIRED": "the key was used long ago, and nothing is done again; what you hold is not touched by it",
    "VERSION": "the server does not speak version 1",
    "KEY-REUSED": "the key was used with other content: the state folder was lost or restored from a backup",
}


def _describe(reply: "Reply") -> str:
    said = [f"{reply.code} class={reply.reply_class}"]
    said += [f"{key}={value}" for key, value in reply.fields.items() if key != "class"]
    remedy = _REMEDIES.get(reply.code or "") or _TURNS.get(reply.reply_class or "")
    return " ".join(said) + (f" ({remedy})" if remedy else "")
