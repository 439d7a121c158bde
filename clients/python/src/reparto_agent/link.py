# SPDX-License-Identifier: Apache-2.0
"""A connection on its socket: moves bytes and keeps the one timer. It decides nothing."""

import asyncio
import hashlib
import ssl
from dataclasses import replace
from typing import Callable, Dict, List, Optional, Tuple

from .connection import Answered, Connection, Ended, Event, Login
from .errors import ConnectionFailed
from .replies import Reply
from .requests import Request
from .settings import Address

OnEvent = Callable[["Link", Event], None]


class Link(asyncio.Protocol):
    """One socket and the connection on it."""

    def __init__(self, address: Address, login: Login, reply_timeout: float, on_event: OnEvent) -> None:
        self.address = address
        self.core = Connection(login, 0.0)
        self._login = login
        self._reply_timeout = reply_timeout
        self._on_event = on_event
        self._loop = asyncio.get_running_loop()
        self._transport: Optional[asyncio.Transport] = None
        self._timer: Optional[asyncio.TimerHandle] = None
        self._asked: Dict[str, "asyncio.Future[Reply]"] = {}
        #: Done when the connection has ended.
        self.ended: "asyncio.Future[Ended]" = self._loop.create_future()

    def now(self) -> float:
        return self._loop.time()

    async def ask(self, request: Request) -> Reply:
        """Sends one request on this connection and waits; nothing is repeated. Raises ConnectionFailed once it has ended."""
        if self.core.is_ended:
            # Nobody would ever answer, and who waits for the answer holds up the next connection.
            raise ConnectionFailed("the connection was closed")
        answer: "asyncio.Future[Reply]" = self._loop.create_future()
        self._asked[self.core.send(request, self.now())] = answer
        self.flush()
        return await answer

    def flush(self) -> None:
        """Sends what is to be sent, and sets the timer anew."""
        output = self.core.take_output()
        if output and self._transport is not None:
            self._transport.write(output)
        if self._timer is not None:
            self._timer.cancel()
        deadline = self.core.next_deadline
        self._timer = None if deadline is None else self._loop.call_at(deadline, self._tick)

    def cut(self) -> None:
        """Ends the connection without a word."""
        self._perform(self.core.end_of_stream())

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        encrypted = transport.get_extra_info("ssl_object")
        login = self._login
        if isinstance(encrypted, (ssl.SSLObject, ssl.SSLSocket)):
            certificate = encrypted.getpeercert(binary_form=True) or b""
            login = replace(login, certificate=hashlib.sha256(certificate).digest())
        self.core = Connection(login, self.now(), reply_timeout=self._reply_timeout)
        self.flush()

    def data_received(self, data: bytes) -> None:
        self._perform(self.core.receive(data, self.now()))

    def eof_received(self) -> None:
        self._perform(self.core.end_of_stream())

    def connection_lost(self, error: Optional[Exception]) -> None:
        self._perform(self.core.end_of_stream())

    def _tick(self) -> None:
        self._timer = None
        self._perform(self.core.tick(self.now()))

    def _perform(self, events: List[Event]) -> None:
        for event in events:
            if isinstance(event, Answered) and event.tag in self._asked:
                answer = self._asked.pop(event.tag)
                if not answer.done():
                    answer.set_result(event.reply)
                continue
            if isinstance(event, Ended):
                self._finish(event)
            self._on_event(self, event)
        self.flush()
        if self.core.is_ended and self._transport is not None:
            self._transport.close()

    def _finish(self, event: Ended) -> None:
        for answer in self._asked.values():
            if not answer.done():
                answer.set_exception(ConnectionFailed(event.why))
                # Nobody may wait for it any more.
                answer.exception()
        self._asked.clear()
        if not self.ended.done():
            self.ended.set_result(event)


async def connect(
    address: Address,
    login: Login,
    on_event: OnEvent,
    *,
    tls: Optional[ssl.SSLContext],
    tls_name: Optional[str],
    connect_timeout: float,
    reply_timeout: float,
) -> Link:
    """Opens a socket. Raises ConnectionFailed."""
    loop = asyncio.get_running_loop()
    host, port = address
    name = (tls_name or host) if tls is not None else None
    try:
        made: Tuple[asyncio.BaseTransport, Link] = await asyncio.wait_for(
            loop.create_connection(
                lambda: Link(address, login, reply_timeout, on_event), host, port, ssl=tls, server_hostname=name
            ),
            connect_timeout,
        )
    except asyncio.TimeoutError:
        raise ConnectionFailed(f"cannot connect to {host} port {port}: no answer in {connect_timeout:g} s") from None
    except ConnectionRefusedError:
        raise ConnectionFailed(f"cannot connect to {host} port {port}: nobody listens there") from None
    except OSError as error:
        raise ConnectionFailed(f"cannot connect to {host} port {port}: {error}") from None
    return made[1]
