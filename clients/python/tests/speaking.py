# SPDX-License-Identifier: Apache-2.0
"""How the client says a line of the document: by its own requests, not by copying the line."""

from typing import Callable, Dict, Optional, Tuple

import document
from reparto_agent import AgencyKey, requests
from reparto_agent.connection import Connection, Login
from reparto_agent.errors import AgentError
from reparto_agent.requests import Request
from reparto_agent.wire import RequestLine, parse_request

KEY = AgencyKey(document.SECRET)
Fields = Dict[str, str]


def _int(fields: Fields, name: str) -> Optional[int]:
    return int(fields[name]) if name in fields else None


def _number(fields: Fields, name: str) -> int:
    return int(fields[name])


def _text(fields: Fields, *names: str) -> Fields:
    return {name: fields[name] for name in names if name in fields}


def _place(fields: Fields) -> Tuple[int, int, int]:
    return _number(fields, "delegation"), _number(fields, "account"), _number(fields, "epoch")


_MORE = ("amount", "promised", "branch", "motive", "position", "solution", "evidence")
# How an owner of the client writes each request.
BUILDERS: Dict[str, Callable[[Fields], Request]] = {
    "LEASE": lambda f: requests.lease(
        _number(f, "delegation"),
        f["strategy"],
        _number(f, "max"),
        contract=_int(f, "contract"),
        **_text(f, "portfolio", "tactic"),
    ),
    "REPORT": lambda f: requests.report(
        *_place(f),
        at=f["at"],
        channel=f["channel"],
        contact=f["contact"],
        result=f["result"],
        **_text(f, *_MORE),  # type: ignore[arg-type]
    ),
    "EXTEND": lambda f: requests.extend(_number(f, "delegation"), _number(f, "grant"), f["until"]),
    "RETURN": lambda f: requests.give_back(*_place(f), reason=f["reason"]),
    "CONTACT": lambda f: requests.contact(*_place(f)),
    "OBJECT": lambda f: requests.object_to_recall(*_place(f), reason=f["reason"]),
    "HELD": lambda f: requests.held(_int(f, "delegation"), _int(f, "max"), f.get("after")),
    "STATUS": lambda f: requests.status(_int(f, "delegation"), f.get("strategy")),
    "EXPLAIN": lambda f: requests.explain(
        _number(f, "delegation"), account=_int(f, "account"), strategy=f.get("strategy")
    ),
    "QUIET": lambda f: requests.quiet(_number(f, "delegation"), f["strategy"], f["state"] == "on"),
    "RESUME": lambda f: (
        requests.call("RESUME", f)
        if "leases" in f
        else requests.resume(_number(f, "count"), f["digest"], f.get("after"), f.get("since"))
    ),
    "PING": lambda f: requests.ping(),
    "BYE": lambda f: requests.bye(),
}


def login() -> Login:
    """Who connects before HELLO tells."""
    return Login("ACE07", KEY, "mty-2", 481, b"", None)


def speak(connection: Connection, wanted: RequestLine) -> None:
    """Raises where the client would never say that."""
    fields = wanted.fields
    if wanted.verb == "HELLO":
        nonce = bytes.fromhex(fields["nonce"])
        if not fields["agency"].startswith("ACE"):
            raise ValueError("the settings take no such agency")
        connection.login = Login(
            fields["agency"], KEY, fields["instance"], int(fields["sequence"]), nonce, fields.get("client")
        )
        connection.send_hello(0.0, wanted.tag)
    elif wanted.verb == "AUTH":
        connection.send_auth(0.0, wanted.tag)
    else:
        builder = BUILDERS.get(wanted.verb)
        request = requests.call(wanted.verb, fields) if builder is None else builder(fields)
        if request.is_keyed:
            request = request.with_key(int(fields["key"]))
        connection.send(request, 0.0, wanted.tag)


def say(connection: Connection, line: str) -> Tuple[bytes, bool]:
    """The bytes for a line of the document, and whether the client made them: a mistake that it does not make is typed.

    Which of the spellings with and without quotes, and which order, is the client's choice.
    """
    before = connection.login
    try:
        wanted = parse_request(line)
        speak(connection, wanted)
        said = connection.take_output()
        if said.endswith(b"\n") and parse_request(said[:-1].decode()) == wanted:
            return said, True
    except (AgentError, KeyError, ValueError):
        pass
    connection.login = before
    connection.take_output()
    connection.send_raw(line, line.split(" ")[0], 0.0)
    return connection.take_output(), False
