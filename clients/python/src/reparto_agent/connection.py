# SPDX-License-Identifier: Apache-2.0
"""One connection without its socket: bytes and the time in, bytes and events out.

    greeting ──login──▶ admitting ──AUTH OK──▶ open ──DRAINING or bye──▶ leaving ──▶ ended

It knows no clock, file or thread. `now` is any clock that only rises, in seconds.
"""

from dataclasses import dataclass, field
from typing import Dict, List, Optional, Tuple, Union

from . import requests
from .authentication import AgencyKey, Claim
from .errors import ProtocolError, RequestError
from .replies import Admission, Push, Reply, need
from .requests import Request
from .values import read_bytes, read_instant, read_number
from .wire import Fields, LineFramer, ServerLine, format_request, is_tag, parse_server_line

#: The longest line that is taken from a server; the protocol states no bound in this direction.
SERVER_LINE_MAX = 1 << 20


@dataclass(frozen=True)
class Login:
    """Who connects. `sequence` is greater than that of every earlier connection of the instance."""

    agency: str
    key: AgencyKey
    instance: str
    sequence: int
    nonce: bytes
    client: Optional[str] = None
    #: SHA-256 of the server's certificate where the connection is encrypted.
    certificate: Optional[bytes] = None


@dataclass(frozen=True)
class Greeted:
    """The server spoke first."""

    fields: Fields


@dataclass(frozen=True)
class Admitted:
    """AUTH succeeded: requests flow from now on."""

    admission: Admission


@dataclass(frozen=True)
class Answered:
    """One request has its reply, `OK` or `NO`."""

    tag: str
    request: Request
    reply: Reply


@dataclass(frozen=True)
class Pushed:
    """Something to know, no answer needed."""

    push: Push


@dataclass(frozen=True)
class Ended:
    """The connection is over. `reply` is what the server said at last, where it gave a reason.

    Of `unanswered` it is unknown whether they were done.
    """

    why: str
    reply: Optional[Reply]
    unanswered: Tuple[Tuple[str, Request], ...]


Event = Union[Greeted, Admitted, Answered, Pushed, Ended]


@dataclass
class _Waiting:
    request: Request
    since: float
    lines: List[Fields] = field(default_factory=list)


class Connection:
    """The client's half of one session."""

    def __init__(
        self, login: Login, now: float, *, reply_timeout: float = 60.0, greeting_timeout: float = 10.0
    ) -> None:
        self.login = login
        self.greeting: Fields = {}
        self.is_open = False
        self.is_ended = False
        self.is_draining = False
        self.window = 1
        self.accounts_window: Optional[int] = None
        self.batch_max: Optional[int] = None
        self.line_max = 1024
        self._idle: Optional[int] = None
        self._framer = LineFramer(SERVER_LINE_MAX)
        self._output = bytearray()
        self._in_flight: Dict[str, _Waiting] = {}
        self._tags = 0
        self._opened = now
        self._said = now
        self._heard = now
        self._reply_timeout = reply_timeout
        self._greeting_timeout = greeting_timeout
        self._leaving: Optional[str] = None

    # Sending

    def send_login(self, now: float, hello_tag: Optional[str] = None, auth_tag: Optional[str] = None) -> None:
        """HELLO and AUTH in one go: the proof needs only the greeting."""
        self.send_hello(now, hello_tag)
        self.send_auth(now, auth_tag)

    def send_hello(self, now: float, tag: Optional[str] = None) -> str:
        login = self.login
        return self._write(
            requests.hello(login.agency, login.client, login.instance, login.sequence, login.nonce), tag, now
        )

    def send_auth(self, now: float, tag: Optional[str] = None) -> str:
        login = self.login
        claim = Claim(
            need(self.greeting, "node"),
            read_bytes(need(self.greeting, "nonce"), "nonce"),
            login.nonce,
            login.agency,
            login.instance,
            login.sequence,
            login.certificate,
        )
        return self._write(requests.authenticate(login.key.sign(claim)), tag, now)

    def has_room(self, request: Request) -> bool:
        """Whether the server would read this request now. What is sent in spite of it waits unread over there."""
        if not self.is_open or self.is_draining or self._leaving is not None or len(self._in_flight) >= self.window:
            return False
        if self.accounts_window is None or request.verb != "LEASE":
            return True
        asked = [int(w.request.fields.get("max", "0")) for w in self._in_flight.values() if w.request.verb == "LEASE"]
        return not asked or sum(asked) + int(request.fields.get("max", "0")) <= self.accounts_window

    def send(self, request: Request, now: float, tag: Optional[str] = None) -> str:
        """Sends a request and returns its tag. Raises RequestError where no line can carry it."""
        return self._write(request, tag, now)

    def send_raw(self, line: str, tag: str, now: float) -> None:
        """Sends a line that was typed by hand, mistakes included, and waits for the reply to `tag`."""
        self._output += line.encode("utf-8") + b"\n"
        self._in_flight[tag] = _Waiting(Request(line), now)
        self._said = now

    def leave(self, now: float) -> None:
        """Says BYE: what is in flight is answered first, then the connection ends."""
        if self._leaving is None and not self.is_ended:
            self._leaving = self._write(requests.bye(), None, now)

    def take_output(self) -> bytes:
        """The bytes that are to be sent now; asked once, they are gone."""
        output = bytes(self._output)
        self._output.clear()
        return output

    @property
    def in_flight(self) -> int:
        """How many requests were sent and have no reply."""
        return len(self._in_flight)

    # Receiving

    def receive(self, data: bytes, now: float) -> List[Event]:
        """What bytes of the server's mean. After an Ended the connection takes nothing more."""
        if self.is_ended:
            return []
        self._heard = now
        events: List[Event] = []
        try:
            for line in self._framer.feed(data):
                self._take(parse_server_line(line), now, events)
                if self.is_ended:
                    break
        except ProtocolError as error:
            events.append(self._end(f"the server broke the protocol: {error}", None))
        return events

    def end_of_stream(self) -> List[Event]:
        """The stream ended, or the socket broke."""
        said = "the connection was closed" if self.greeting else "the server hung up without a greeting"
        return [] if self.is_ended else [self._end(said, None)]

    @property
    def next_deadline(self) -> Optional[float]:
        """When `tick` is due."""
        if self.is_ended:
            return None
        if not self.is_open:
            return self._opened + self._greeting_timeout
        deadlines = [waiting.since + self._reply_timeout for waiting in self._in_flight.values()]
        if self._idle is not None and not self._in_flight and self._leaving is None:
            deadlines.append(self._said + self._idle / 3)
        return min(deadlines, default=None)

    def tick(self, now: float) -> List[Event]:
        """A deadline may have passed: says PING where it was quiet, gives up where nothing was answered."""
        if self.is_ended:
            return []
        if not self.is_open:
            if now >= self._opened + self._greeting_timeout:
                return [self._end("the server did not let us in in time", None)]
            return []
        if any(now >= waiting.since + self._reply_timeout for waiting in self._in_flight.values()):
            return [self._end("a request was not answered in time", None)]
        if self._idle is not None and not self._in_flight and now >= self._said + self._idle / 3:
            self._write(requests.ping(), None, now)
        return []

    # Inside

    def _new_tag(self) -> str:
        self._tags += 1
        return f"r{self._tags}"

    def _format(self, tag: str, request: Request) -> bytes:
        try:
            return format_request(tag, request.verb, request.fields, self.line_max)
        except ValueError as error:
            raise RequestError(str(error)) from None

    def _write(self, request: Request, tag: Optional[str], now: float) -> str:
        tag = tag or self._new_tag()
        if not is_tag(tag) or tag in self._in_flight:
            raise RequestError(f"the tag {tag} is in use or is none")
        self._output += self._format(tag, request)
        self._in_flight[tag] = _Waiting(request, now)
        self._said = now
        return tag

    def _take(self, line: ServerLine, now: float, events: List[Event]) -> None:
        if not self.greeting:
            self._greet(line, events)
        elif line.tag is not None:
            self._reply(line, line.tag, now, events)
        elif line.kind == "end":
            reply = Reply(False, line.word, line.fields)
            events.append(self._end(f"the server ended the session with {line.word}", reply))
        else:
            if line.word == "DRAINING":
                self.is_draining = True
            events.append(Pushed(Push(line.word, line.fields)))

    def _greet(self, line: ServerLine, events: List[Event]) -> None:
        if line.kind == "end":
            reply = Reply(False, line.word, line.fields)
            events.append(self._end(f"the server ended the session with {line.word}", reply))
            return
        if line.kind != "push" or line.word != "REPARTO":
            raise ProtocolError("the first line is not a greeting")
        fields = line.fields
        self._limits(fields)
        self.greeting = fields
        events.append(Greeted(fields))
        if "1" not in need(fields, "versions").split(","):
            reply = Reply(False, "VERSION", {"class": "fatal", "versions": fields["versions"]})
            events.append(self._end("the server does not speak version 1", reply))

    def _limits(self, fields: Fields) -> None:
        read_bytes(need(fields, "nonce"), "nonce")
        read_instant(need(fields, "time"), "time")
        need(fields, "node")
        self.line_max = read_number(need(fields, "line-max"), "line-max")
        read_number(need(fields, "line-max-open"), "line-max-open")
        self.window = max(1, read_number(need(fields, "window"), "window"))
        self._idle = max(1, read_number(need(fields, "idle"), "idle"))
        if "batch-max" in fields:
            self.batch_max = read_number(fields["batch-max"], "batch-max")
        if "accounts-window" in fields:
            self.accounts_window = read_number(fields["accounts-window"], "accounts-window")

    def _reply(self, line: ServerLine, tag: str, now: float, events: List[Event]) -> None:
        waiting = self._in_flight.get(tag)
        if waiting is None:
            raise ProtocolError("a reply came to a request that nobody made")
        if line.kind == "data":
            # A long reply is progress.
            waiting.since = now
            waiting.lines.append(line.fields)
            return
        del self._in_flight[tag]
        request = waiting.request
        ok = line.kind == "ok"
        reply = Reply(ok, None if ok else line.word, line.fields, tuple(waiting.lines))
        events.append(Answered(tag, request, reply))
        if request.verb in ("HELLO", "AUTH") and not ok:
            events.append(self._end(f"not let in: {line.word}", reply))
        elif reply.reply_class == "fatal":
            events.append(self._end(f"the server ended the session with {line.word}", reply))
        elif tag == self._leaving:
            events.append(self._end("we said goodbye", None))
        elif request.verb == "AUTH":
            events.append(Admitted(Admission.of(reply)))
            self.line_max = read_number(self.greeting["line-max-open"], "line-max-open")
            self.is_open = True

    def _end(self, why: str, reply: Optional[Reply]) -> Ended:
        self.is_ended = True
        self.is_open = False
        unanswered = tuple((tag, waiting.request) for tag, waiting in self._in_flight.items())
        self._in_flight.clear()
        return Ended(why, reply, unanswered)
