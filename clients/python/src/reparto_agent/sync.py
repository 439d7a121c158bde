# SPDX-License-Identifier: Apache-2.0
"""The agent for programs without asyncio: the same agent on an event loop of its own, in a thread."""

import asyncio
import queue
import threading
from datetime import datetime
from typing import (
    Any,
    Callable,
    Coroutine,
    Dict,
    Iterable,
    Iterator,
    List,
    Mapping,
    Optional,
    Sequence,
    Tuple,
    TypeVar,
    Union,
)

from .aio import AsyncAgent, Outcome
from .errors import AgentClosed, AgentError
from .events import UNREAD_MAX, AgentEvent, Missed
from .holdings import Difference
from .replies import Account, Extended, Lease, Push, Reply, Reported
from .requests import Request
from .settings import Settings
from .values import AmountLike, DayLike, InstantLike

Value = TypeVar("Value")
#: Who passes events on to a thread, and what it waits for between two of them.
Listener = Tuple["asyncio.Task[None]", asyncio.Semaphore]


class Agent:
    """An agency's installation. `with Agent(settings) as agent:` opens and closes it.

    Any number of threads may call it. Its own thread keeps the connection alive between calls, and calls `on_event`,
    which must not call the agent itself. What each method does and raises stands with AsyncAgent.
    """

    def __init__(self, settings: Settings, on_event: Optional[Callable[[AgentEvent], None]] = None) -> None:
        self.settings = settings
        self._agent = AsyncAgent(settings, on_event)
        self._loop: Optional[asyncio.AbstractEventLoop] = None
        self._thread: Optional[threading.Thread] = None
        #: Who passes events on to listeners' threads, each with what it waits for between two of them.
        self._listeners: List[Listener] = []

    def __enter__(self) -> "Agent":
        self.open()
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        self.close()

    def open(self) -> None:
        if self._loop is not None:
            raise AgentClosed("an agent is opened once")
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="reparto-agent", daemon=True)
        self._thread.start()
        try:
            self._run(self._agent.open())
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        if self._loop is None or self._thread is None or not self._thread.is_alive():
            return
        try:
            try:
                self._run(self._agent.close())
            finally:
                self._run(self._pass_on_the_rest())
        finally:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()

    # What is known

    @property
    def instance(self) -> str:
        return self._agent.instance

    @property
    def is_connected(self) -> bool:
        return self._agent.is_connected

    @property
    def greeting(self) -> Dict[str, str]:
        return dict(self._agent.greeting)

    def held(self) -> List[Account]:
        """What the agency holds, as far as this installation knows."""

        async def read() -> List[Account]:
            return self._agent.held()

        return self._run(read())

    def server_time(self) -> datetime:
        return self._agent.server_time()

    def unanswered(self) -> List[Request]:
        async def read() -> List[Request]:
            return self._agent.unanswered()

        return self._run(read())

    # Requests

    def lease(
        self,
        delegation: int,
        strategy: str,
        max: int,
        *,
        contract: Optional[int] = None,
        portfolio: Optional[str] = None,
        tactic: Optional[str] = None,
    ) -> Lease:
        return self._run(
            self._agent.lease(delegation, strategy, max, contract=contract, portfolio=portfolio, tactic=tactic)
        )

    def report(
        self,
        account: Account,
        *,
        channel: str,
        contact: str,
        result: str,
        at: Optional[InstantLike] = None,
        amount: Optional[AmountLike] = None,
        promised: Optional[DayLike] = None,
        branch: Optional[str] = None,
        motive: Optional[str] = None,
        position: Optional[str] = None,
        solution: Optional[str] = None,
        evidence: Optional[str] = None,
    ) -> Reported:
        return self._run(
            self._agent.report(
                account,
                channel=channel,
                contact=contact,
                result=result,
                at=at,
                amount=amount,
                promised=promised,
                branch=branch,
                motive=motive,
                position=position,
                solution=solution,
                evidence=evidence,
            )
        )

    def report_many(self, reports: Iterable[Request]) -> List[Union[Reported, AgentError]]:
        return self._run(self._agent.report_many(reports))

    def extend(self, delegation: int, grant: int, until: InstantLike) -> Extended:
        return self._run(self._agent.extend(delegation, grant, until))

    def give_back(self, account: Account, reason: str) -> Reply:
        return self._run(self._agent.give_back(account, reason))

    def ping(self) -> datetime:
        return self._run(self._agent.ping())

    def resume(self) -> Difference:
        return self._run(self._agent.resume())

    def contact(self, account: Account) -> Reply:
        return self._run(self._agent.contact(account))

    def object_to_recall(self, account: Account, reason: str) -> Reply:
        return self._run(self._agent.object_to_recall(account, reason))

    def status(self, delegation: Optional[int] = None, strategy: Optional[str] = None) -> Reply:
        return self._run(self._agent.status(delegation, strategy))

    def explain(self, delegation: int, *, account: Optional[int] = None, strategy: Optional[str] = None) -> Reply:
        return self._run(self._agent.explain(delegation, account=account, strategy=strategy))

    def quiet(self, delegation: int, strategy: str, is_on: bool) -> bool:
        return self._run(self._agent.quiet(delegation, strategy, is_on))

    def call(self, verb: str, fields: Optional[Mapping[str, Union[str, int]]] = None) -> Reply:
        return self._run(self._agent.call(verb, fields))

    def request(self, request: Request) -> Reply:
        return self._run(self._agent.request(request))

    def request_many(self, several: Sequence[Request]) -> List[Outcome]:
        return self._run(self._agent.request_many(several))

    # Events

    def events(self) -> Iterator[AgentEvent]:
        """What happens from this call on, until the agent is closed; blocks between two events.

        Who does not read loses the oldest of 1,024, and is told how many (Missed).
        """
        handed: "queue.SimpleQueue[Optional[AgentEvent]]" = queue.SimpleQueue()

        async def listen() -> Listener:
            heard = self._agent.events()
            taken = asyncio.Semaphore(0)

            async def pass_on() -> None:
                try:
                    # One at a time: what is not read waits where it is counted.
                    async for event in heard:
                        handed.put(event)
                        await taken.acquire()
                finally:
                    await heard.aclose()
                    handed.put(None)

            listener = (asyncio.get_running_loop().create_task(pass_on()), taken)
            self._listeners.append(listener)
            return listener

        return self._read(handed, self._run(listen()))

    def _read(
        self, handed: "queue.SimpleQueue[Optional[AgentEvent]]", listener: Listener
    ) -> Iterator[AgentEvent]:
        _, taken = listener
        try:
            while True:
                event = handed.get()
                if event is None:
                    break
                self._soon(taken.release)
                yield event
        finally:
            # Whoever reads no further, by whatever way, is told nothing more.
            self._soon(lambda: self._forget(listener))

    def _soon(self, work: Callable[[], None]) -> None:
        try:
            if self._loop is not None:
                self._loop.call_soon_threadsafe(work)
        except RuntimeError:
            # The agent is closed, and passed on the rest.
            pass

    def _forget(self, listener: Listener) -> None:
        if listener in self._listeners:
            self._listeners.remove(listener)
            listener[0].cancel()

    async def _pass_on_the_rest(self) -> None:
        """What nobody has read when the agent is closed; it has a bound, and nothing comes behind it."""
        for _, taken in self._listeners:
            for _ in range(UNREAD_MAX + 2):
                taken.release()
        # Somebody may stop reading just now, and is cancelled.
        await asyncio.gather(*(passing for passing, _ in self._listeners), return_exceptions=True)

    def pushes(self) -> Iterator[Push]:
        """As events(), of pushes alone; what was lost is said as the server would say it: MISSED."""
        heard = self.events()
        wanted = (event for event in heard if isinstance(event, (Missed, Push)))
        return (event.as_push() if isinstance(event, Missed) else event for event in wanted)

    def _run(self, work: Coroutine[Any, Any, Value]) -> Value:
        if self._loop is None or self._loop.is_closed():
            work.close()
            raise AgentClosed("the agent is not open")
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise
