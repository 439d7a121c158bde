# SPDX-License-Identifier: Apache-2.0
"""The agent for asyncio."""

import asyncio
from datetime import datetime, timezone
from typing import AsyncGenerator, AsyncIterator, Callable, Dict, Iterable, List, Mapping, Optional, Sequence, Union

from . import requests
from .delivery import Delivery, Job
from .errors import AgentClosed, AgentError, ConnectionFailed, Refusal, Unanswered
from .events import AgentEvent, Events, Missed
from .holdings import Difference, Holdings
from .journal import Journal
from .replies import Account, Extended, Lease, Push, Reply, Reported, need
from .requests import Request
from .settings import Settings
from .state import Change
from .values import AmountLike, DayLike, InstantLike, read_instant

Outcome = Union[Reply, AgentError]
#: Answers that are waited for at a time, each lot for `timeout`.
_LOT = 256


class AsyncAgent:
    """An agency's installation. `async with AsyncAgent(settings) as agent:` opens and closes it.

    Requests of any number of tasks go over one connection, up to the server's window; what does not fit waits here.
    After a lost connection what was sent is sent again under the same keys, what is held is compared, and then the
    rest follows.
    """

    def __init__(self, settings: Settings, on_event: Optional[Callable[[AgentEvent], None]] = None) -> None:
        self.settings = settings
        self._events = Events(on_event)
        self._journal: Optional[Journal] = None
        self._delivery: Optional[Delivery] = None

    async def __aenter__(self) -> "AsyncAgent":
        await self.open()
        return self

    async def __aexit__(self, kind: object, error: object, trace: object) -> None:
        await self.close()

    async def open(self) -> None:
        """Opens the state folder, connects, sends what was left unanswered, and compares what is held.

        Raises SettingsError, FatalRefusal, or ConnectionFailed where no server let us in within `timeout`.
        """
        if self._journal is not None:
            raise AgentClosed("an agent is opened once")
        self._journal = journal = Journal()
        held, left, compared_at = await journal.open(self.settings)
        self._delivery = delivery = Delivery(self.settings, self._events, journal)
        delivery.holdings.apply(Change(account=account) for account in held)
        delivery.compared_at = compared_at
        delivery.begin([Job(one.request, one.id) for one in left])
        try:
            await asyncio.wait_for(delivery.ready.wait(), self.settings.timeout)
        except asyncio.TimeoutError:
            await self.close()
            raise ConnectionFailed(delivery.last_problem) from None
        except BaseException:
            await self.close()
            raise
        if delivery.failure is not None:
            await self.close()
            raise delivery.failure

    async def close(self) -> None:
        """Takes leave: what was sent is answered first, what was not sent is dropped. Leases are not touched."""
        delivery, self._delivery = self._delivery, None
        try:
            if delivery is not None and self._journal is not None:
                try:
                    await delivery.end()
                finally:
                    await self._journal.close()
        finally:
            self._events.close()

    # What is known

    @property
    def instance(self) -> str:
        """The installation's name."""
        if self._journal is None:
            raise AgentClosed("the agent is not open")
        return self._journal.instance

    @property
    def is_connected(self) -> bool:
        return self._delivery is not None and self._delivery.is_serving

    @property
    def holdings(self) -> Holdings:
        """What the agency holds, as far as this installation knows."""
        return self._open.holdings

    def held(self) -> List[Account]:
        """The same as a list."""
        return list(self._open.holdings)

    @property
    def greeting(self) -> Dict[str, str]:
        """What the server greeted with: its limits, its name."""
        return self._open.greeting

    def server_time(self) -> datetime:
        """The time by the server's clock, which is the one that decides."""
        return datetime.now(timezone.utc) + self._open.time_offset

    def unanswered(self) -> List[Request]:
        """What was sent and has no answer yet. It is sent again by itself; the answer comes as a Late event."""
        return self._open.unanswered()

    # Requests

    async def lease(
        self,
        delegation: int,
        strategy: str,
        max: int,
        *,
        contract: Optional[int] = None,
        portfolio: Optional[str] = None,
        tactic: Optional[str] = None,
    ) -> Lease:
        """Takes the next accounts of a delegation and strategy."""
        request = requests.lease(delegation, strategy, max, contract=contract, portfolio=portfolio, tactic=tactic)
        return Lease.of(request, await self.request(request))

    async def report(
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
        """Records one gestión on a held account. Without `at` it was done just now, by the server's clock."""
        request = requests.report(
            account.delegation,
            account.account,
            account.epoch,
            at=self.server_time() if at is None else at,
            channel=channel,
            contact=contact,
            result=result,
            amount=amount,
            promised=promised,
            branch=branch,
            motive=motive,
            position=position,
            solution=solution,
            evidence=evidence,
        )
        return Reported.of(await self.request(request))

    async def report_many(self, reports: Iterable[Request]) -> List[Union[Reported, AgentError]]:
        """Sends reports in one go, as `requests.report` makes them. Each has its own result, in the same order."""
        outcomes = await self.request_many(list(reports))
        return [one if isinstance(one, AgentError) else Reported.of(one) for one in outcomes]

    async def extend(self, delegation: int, grant: int, until: InstantLike) -> Extended:
        """More time for a whole grant."""
        return Extended.of(await self.request(requests.extend(delegation, grant, until)))

    async def give_back(self, account: Account, reason: str) -> Reply:
        """RETURN: one account goes back."""
        return await self.request(requests.give_back(account.delegation, account.account, account.epoch, reason))

    async def ping(self) -> datetime:
        """The server's time."""
        reply = await self.request(requests.ping())
        return read_instant(need(reply.fields, "time"), "time")

    async def resume(self) -> Difference:
        """Compares what is held with the server, and takes over what it says. Other requests wait meanwhile."""
        return await self._open.compare()

    async def contact(self, account: Account) -> Reply:
        """The contact data of a held account. Each answer is a disclosure in the ledger, so it is asked for once:

        where the connection is lost meanwhile this raises Unanswered, and the data may have been disclosed.
        """
        return await self.request(requests.contact(account.delegation, account.account, account.epoch))

    async def object_to_recall(self, account: Account, reason: str) -> Reply:
        """OBJECT: says no to a recall that was noticed."""
        request = requests.object_to_recall(account.delegation, account.account, account.epoch, reason)
        return await self.request(request)

    async def status(self, delegation: Optional[int] = None, strategy: Optional[str] = None) -> Reply:
        """What is free, held and left: one data line per delegation, contract, strategy and portfolio."""
        return await self.request(requests.status(delegation, strategy))

    async def explain(
        self, delegation: int, *, account: Optional[int] = None, strategy: Optional[str] = None
    ) -> Reply:
        """Why the agency has or had an account, or why it gets as many of a strategy as it gets."""
        return await self.request(requests.explain(delegation, account=account, strategy=strategy))

    async def quiet(self, delegation: int, strategy: str, is_on: bool) -> bool:
        """No accounts of a strategy for now, or again; whether it is paused there afterwards, by whomever."""
        reply = await self.request(requests.quiet(delegation, strategy, is_on))
        return need(reply.fields, "paused") == "yes"

    async def call(self, verb: str, fields: Optional[Mapping[str, Union[str, int]]] = None) -> Reply:
        """Any verb, for what this package has no method for, such as HELD.

        It is repeated after a lost connection, so it must be one that only reads, or one of the keyed ones.
        """
        return await self.request(requests.call(verb, fields))

    async def request(self, request: Request) -> Reply:
        """Sends one request and returns its `OK`. Raises Refusal, Unanswered, ConnectionFailed or RequestError."""
        outcome = (await self.request_many([request]))[0]
        if isinstance(outcome, AgentError):
            raise outcome
        return outcome

    async def request_many(self, several: Sequence[Request]) -> List[Outcome]:
        """Sends requests in one go, as many at a time as the window allows; results in the order of the requests.

        The server may do them in any order: what has to be first, wait for. `timeout` is for each 256 of them.
        """
        delivery = self._open
        assert self._journal is not None
        keyed = iter(await self._journal.prepare([one for one in several if one.is_keyed]))
        jobs: List[Job] = []
        for one in several:
            pending = next(keyed) if one.is_keyed else None
            jobs.append(Job(one, None) if pending is None else Job(pending.request, pending.id))
        delivery.submit(jobs)
        taken_back: List[Job] = []
        try:
            for start in range(0, len(jobs), _LOT):
                lot = [job.answer for job in jobs[start : start + _LOT]]
                _, late = await asyncio.wait(lot, timeout=self.settings.timeout)
                if late:
                    break
        finally:
            # Timed out or cancelled.
            taken_back = delivery.take_back(jobs)
            await delivery.drop(taken_back)
        gone = set(taken_back)
        return [self._outcome(job, job in gone, delivery) for job in jobs]

    def _outcome(self, job: Job, is_taken_back: bool, delivery: Delivery) -> Outcome:
        if is_taken_back and job.refused is not None:
            return Refusal.of(job.refused)
        if is_taken_back:
            return ConnectionFailed(f"{job.request.verb} was not done: {delivery.last_problem}")
        if not job.answer.done():
            if job.request.is_once:
                return Unanswered(f"{job.request.verb} has no answer: it may have been done, and is not sent again")
            kept = "; it stays in the state folder under its key" if job.pending is not None else ""
            why = f"; the server says {Refusal.of(job.refused)}" if job.refused is not None else ""
            return Unanswered(f"{job.request.verb} has no answer yet{kept}{why}")
        error = job.answer.exception()
        if isinstance(error, AgentError):
            return error
        reply = job.answer.result()
        return reply if reply.ok else Refusal.of(reply)

    # Events

    def events(self) -> AsyncGenerator[AgentEvent, None]:
        """What happens from now on, until the agent is closed. Who does not read loses the oldest of 1,024, and is told how
        many (Missed)."""
        return self._events.listen()

    async def pushes(self) -> AsyncIterator[Push]:
        """What the server says without being asked, known to this version or not.

        Where this iteration lost something because nobody read, it says so as the server would: MISSED.
        """
        async for event in self.events():
            if isinstance(event, Missed):
                yield event.as_push()
            elif isinstance(event, Push):
                yield event

    @property
    def _open(self) -> Delivery:
        if self._delivery is None:
            raise AgentClosed("the agent is not open")
        if self._delivery.failure is not None:
            raise AgentClosed(f"the agent is closed: {self._delivery.failure}") from self._delivery.failure
        return self._delivery
