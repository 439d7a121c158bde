# SPDX-License-Identifier: Apache-2.0
"""What an agent tells its owner without being asked."""

import asyncio
import logging
from collections import deque
from dataclasses import dataclass
from typing import AsyncGenerator, Callable, Deque, Optional, Set, Union

from .holdings import Difference
from .replies import Admission, Push, Reply
from .requests import Request
from .settings import Address

logger = logging.getLogger("reparto_agent")

#: Events that a listener may leave unread; then it loses the oldest, and is told how many.
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


@dataclass(frozen=True)
class Missed:
    """So many events were thrown away here, because nobody read them.

    A push MISSED among them counts as those that it told of. What they told of leases is
    in `held()`; an answer among them is told again to who sends its request again under its key.
    """

    events: int

    def as_push(self) -> Push:
        return Push("MISSED", {"pushes": str(self.events)})


#: Pushes come as they are; a Difference follows each comparison of what is held.
AgentEvent = Union[Push, Difference, Late, Connected, Disconnected, Missed]


def _weight(event: AgentEvent) -> int:
    """As how many it counts where it is thrown away."""
    if not isinstance(event, Push) or event.name != "MISSED":
        return 1
    pushes = event.fields.get("pushes", "")
    return max(1, int(pushes)) if pushes.isascii() and pushes.isdigit() else 1


class _Unread:
    """What one listener has not read: the newest events, and before them how many were thrown away."""

    def __init__(self) -> None:
        self._events: Deque[AgentEvent] = deque()
        self._lost = 0
        self._is_over = False
        self._moved = asyncio.Event()

    def put(self, event: AgentEvent) -> None:
        if len(self._events) >= UNREAD_MAX:
            self._lost += _weight(self._events.popleft())
        self._events.append(event)
        self._moved.set()

    def end(self) -> None:
        self._is_over = True
        self._moved.set()

    async def take(self) -> Optional[AgentEvent]:
        """The next one; None at the end."""
        while True:
            if self._lost:
                lost, self._lost = self._lost, 0
                return Missed(lost)
            if self._events:
                return self._events.popleft()
            if self._is_over:
                return None
            self._moved.clear()
            await self._moved.wait()


class Events:
    """Hands each event to the callback and to whoever iterates. On the event loop only."""

    def __init__(self, on_event: Optional[Callable[[AgentEvent], None]]) -> None:
        self._on_event = on_event
        self._listeners: Set[_Unread] = set()
        self._is_closed = False

    def emit(self, event: AgentEvent) -> None:
        for listener in self._listeners:
            listener.put(event)
        if self._on_event is not None:
            try:
                self._on_event(event)
            except Exception:
                logger.exception("The owner's on_event failed")

    def close(self) -> None:
        self._is_closed = True
        for listener in self._listeners:
            listener.end()

    def listen(self) -> AsyncGenerator[AgentEvent, None]:
        """Events from this call on."""
        listener = _Unread()
        if self._is_closed:
            listener.end()
        self._listeners.add(listener)
        return self._read(listener)

    async def _read(self, listener: _Unread) -> AsyncGenerator[AgentEvent, None]:
        try:
            while True:
                event = await listener.take()
                if event is None:
                    return
                yield event
        finally:
            self._listeners.discard(listener)
