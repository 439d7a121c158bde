# SPDX-License-Identifier: Apache-2.0
"""What an agent tells its owner without being asked."""

import asyncio
import logging
from dataclasses import dataclass
from typing import AsyncIterator, Callable, Optional, Set, Union

from .holdings import Difference
from .replies import Admission, Push, Reply
from .requests import Request
from .settings import Address

logger = logging.getLogger("reparto_agent")

#: Events that a listener may leave unread; then it loses the oldest.
UNREAD_MAX = 1024


@dataclass(frozen=True)
class Connected:
    """We were let in by this node."""

    address: Address
    admission: Admission


@dataclass(frozen=True)
class Disconnected:
    """A connection ended; the agent connects again by itself unless it is closed."""

    address: Address
    why: str


@dataclass(frozen=True)
class Late:
    """The answer to a request that nobody waits for any more: left from an earlier run, or given up on."""

    request: Request
    reply: Reply


#: Pushes come as they are; a Difference follows each comparison of what is held.
AgentEvent = Union[Push, Difference, Late, Connected, Disconnected]


class Events:
    """Hands each event to the callback and to whoever iterates. On the event loop only."""

    def __init__(self, on_event: Optional[Callable[[AgentEvent], None]]) -> None:
        self._on_event = on_event
        self._listeners: Set["asyncio.Queue[Optional[AgentEvent]]"] = set()
        self._is_closed = False

    def emit(self, event: AgentEvent) -> None:
        for listener in self._listeners:
            if listener.qsize() >= UNREAD_MAX:
                listener.get_nowait()
            listener.put_nowait(event)
        if self._on_event is not None:
            try:
                self._on_event(event)
            except Exception:
                logger.exception("The owner's on_event failed")

    def close(self) -> None:
        self._is_closed = True
        for listener in self._listeners:
            listener.put_nowait(None)

    def listen(self) -> AsyncIterator[AgentEvent]:
        """Events from this call on."""
        listener: "asyncio.Queue[Optional[AgentEvent]]" = asyncio.Queue()
        if self._is_closed:
            listener.put_nowait(None)
        self._listeners.add(listener)
        return self._read(listener)

    async def _read(self, listener: "asyncio.Queue[Optional[AgentEvent]]") -> AsyncIterator[AgentEvent]:
        try:
            while True:
                event = await listener.get()
                if event is None:
                    return
                yield event
        finally:
            self._listeners.discard(listener)
