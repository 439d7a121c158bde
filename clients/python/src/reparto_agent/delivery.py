# SPDX-License-Identifier: Apache-2.0
"""Brings every request to its answer: over one connection after another, under the same key.

On a new connection three things come in this order: what was sent before and has no answer, the comparison of what is
held, and then whatever waits. So the comparison never sees a request in flight. What the server answers with `retry` has
its answer for now: it waits aside for its time, and nothing waits for it.
"""

import asyncio
import logging
import os
from collections import deque
from datetime import datetime, timedelta, timezone
from typing import Any, Coroutine, Deque, Dict, Iterable, List, Optional, Sequence, Set

from . import requests
from .authentication import NONCE_BYTES
from .connection import Admitted, Answered, Ended, Event, Greeted, Login, Pushed
from .errors import AgentClosed, AgentError, ConnectionFailed, FatalRefusal, ProtocolError, Refusal, RequestError, Unanswered
from .events import Connected, Disconnected, Events, Late
from .holdings import Difference, Holdings
from .journal import Journal
from .link import Link, connect
from .replies import Comparison, Push, Reply
from .requests import Request
from .settings import Address, Backoff, Settings
from .state import Change
from .values import read_instant

logger = logging.getLogger("reparto_agent")


class Job:
    """One request until it has its answer."""

    def __init__(self, request: Request, pending: Optional[int]) -> None:
        self.request = request
        #: Its number in the state folder, where it has a key.
        self.pending = pending
        self.answer: "asyncio.Future[Reply]" = asyncio.get_running_loop().create_future()
        #: Whether it may have been done without our knowing.
        self.is_unknown = False
        #: Whether its answer is an event, because nobody waits for it.
        self.is_late = False
        self.attempts = 0
        #: The latest refusal of class `retry`.
        self.refused: Optional[Reply] = None

    def fail(self, error: AgentError) -> None:
        if not self.answer.done():
            self.answer.set_exception(error)
            # Marked as seen: nobody may wait for it.
            self.answer.exception()


class Delivery:
    """The connection of one agent, and the requests that wait for it. On the event loop only."""

    def __init__(self, settings: Settings, events: Events, journal: Journal) -> None:
        self.settings = settings
        self.holdings = Holdings()
        self.greeting: Dict[str, str] = {}
        #: The server's time when the latest connection began on which all that is held was compared.
        self.compared_at: Optional[str] = None
        self.time_offset = timedelta(0)
        self.failure: Optional[AgentError] = None
        self.last_problem = "no attempt was made"
        self.ready = asyncio.Event()
        self._events = events
        self._journal = journal
        self._loop = asyncio.get_running_loop()
        self._backoff = Backoff(settings.pause_first, settings.pause_max, len(settings.servers))
        # A job is in one of these, or its answer is on its way to the disk.
        self._queue: Deque[Job] = deque()
        self._again: Deque[Job] = deque()
        self._sent: Dict[str, Job] = {}
        self._paused: Set[Job] = set()
        self._settling = 0
        #: The connection being made or in use, and whether it was admitted and what waits may go.
        self._link: Optional[Link] = None
        self._is_admitted = False
        self._is_serving = False
        self._moved = asyncio.Event()
        self._comparing = asyncio.Lock()
        self._is_refreshing = False
        self._is_closing = asyncio.Event()
        self._tasks: Set["asyncio.Task[None]"] = set()

    # For the agent

    @property
    def is_serving(self) -> bool:
        return self._is_serving

    def begin(self, left: Iterable[Job]) -> None:
        """Connects, and stays connected. `left` is what an earlier run had no answer to."""
        for job in left:
            job.is_unknown = job.is_late = True
            self._again.append(job)
        self._start(self._stay_connected())

    def submit(self, jobs: Sequence[Job]) -> None:
        self._queue.extend(jobs)
        self._pump()

    def take_back(self, jobs: Iterable[Job]) -> List[Job]:
        """Of jobs that nobody waits for any more: those that were not done, and now never will be.

        The others are answered late.
        """
        back: List[Job] = []
        for job in jobs:
            if job.answer.done():
                continue
            if job.is_unknown or (job not in self._paused and job not in self._queue):
                # What has no key is a question, and nobody wants to know any more.
                job.is_late = job.pending is not None
                continue
            self._paused.discard(job)
            if job in self._queue:
                self._queue.remove(job)
            back.append(job)
        return back

    def unanswered(self) -> List[Request]:
        """What may have been done and has no answer yet."""
        jobs = [*self._again, *self._sent.values(), *(job for job in self._paused if job.is_unknown)]
        return [job.request for job in jobs if job.pending is not None]

    async def drop(self, jobs: Iterable[Job]) -> None:
        ids = [job.pending for job in jobs if job.pending is not None]
        if ids:
            await self._journal.finish(ids)

    async def compare(self) -> Difference:
        """Compares what is held while nothing else is in flight. Raises ConnectionFailed after `timeout`."""
        end = self._loop.time() + self.settings.timeout
        while True:
            if self.failure is not None:
                raise self.failure
            link = self._link
            if link is None or not self._is_serving:
                self._moved.clear()
                try:
                    await asyncio.wait_for(self._moved.wait(), max(0.001, end - self._loop.time()))
                except asyncio.TimeoutError:
                    raise ConnectionFailed(self.last_problem) from None
                continue
            async with self._comparing:
                if link is not self._link:
                    continue
                self._is_serving = False
                try:
                    await self._settle_everything(link)
                    return await self._compare(link)
                except ConnectionFailed:
                    continue
                finally:
                    self._serve(link)

    async def end(self) -> None:
        """Takes leave: what was sent is answered first, what was not sent is dropped."""
        self._is_closing.set()
        link = self._link
        if link is not None:
            if self._is_admitted:
                link.core.leave(link.now())
                link.flush()
                await asyncio.wait([link.ended], timeout=5.0)
            link.cut()
        while self._settling:
            self._moved.clear()
            await self._moved.wait()
        self.fail(AgentClosed("the agent was closed"))
        while self._settling:
            self._moved.clear()
            await self._moved.wait()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def fail(self, error: AgentError) -> None:
        """Nothing goes on: everybody who waits is told. What may have been done stays in the state folder."""
        self.failure = self.failure or error
        unsent = [*self._queue, *(job for job in self._paused if not job.is_unknown)]
        for job in (*unsent, *self._again, *self._paused, *self._sent.values()):
            job.fail(error)
        for some in (self._queue, self._again, self._paused, self._sent):
            some.clear()
        self._settling += 1
        self._start(self._dropped(unsent))
        self.ready.set()
        self._moved.set()

    async def _dropped(self, jobs: List[Job]) -> None:
        try:
            await self.drop(jobs)
        except AgentError:
            logger.exception("Requests that were not sent stay in the state folder")
        finally:
            self._settling -= 1
            self._moved.set()

    # Requests

    def _pump(self) -> None:
        link = self._link
        if link is None or not self._is_admitted:
            return
        for waiting in (self._again, self._queue):
            if waiting is self._queue and not self._is_serving:
                break
            while waiting and link.core.has_room(waiting[0].request):
                job = waiting.popleft()
                try:
                    self._sent[link.core.send(job.request, link.now())] = job
                except RequestError as error:
                    self._settle(job, None, error)
        link.flush()

    def _answered(self, link: Link, event: Answered) -> None:
        job = self._sent.pop(event.tag, None)
        if job is None:
            return
        reply = event.reply
        # BUSY was not done; of UNAVAILABLE that is not known, and what counts each time is not asked again by itself.
        is_final = job.request.is_once and reply.code == "UNAVAILABLE"
        if reply.reply_class == "retry" and not is_final:
            self._pause(job, reply, link)
        else:
            self._settle(job, reply, None)

    def _pause(self, job: Job, reply: Reply, link: Link) -> None:
        # BUSY was not done, this time; of UNAVAILABLE that is not known.
        job.is_unknown = job.is_unknown or reply.code == "UNAVAILABLE"
        if link.core.is_draining:
            return self._put_back(job)
        job.attempts += 1
        job.refused = reply
        logger.info("%s is asked again: the server says %s", job.request.verb, Refusal.of(reply))
        bound = min(self.settings.pause_max, self.settings.pause_first * 2.0 ** min(job.attempts, 20))
        self._paused.add(job)
        self._moved.set()
        pause = (reply.after or 0) + bound * (0.5 + 0.5 * self._backoff.chance())
        self._loop.call_later(pause, self._resend, job)

    def _resend(self, job: Job) -> None:
        if job in self._paused:
            self._paused.remove(job)
            self._put_back(job)
            self._moved.set()
            self._pump()

    def _put_back(self, job: Job) -> None:
        (self._again if job.is_unknown else self._queue).appendleft(job)

    def _settle(self, job: Job, reply: Optional[Reply], error: Optional[AgentError]) -> None:
        """The end of a request: on disk first, then told."""
        changes: List[Change] = []
        if reply is not None:
            try:
                changes = self.holdings.after_reply(job.request, reply)
                self.holdings.apply(changes)
            except ProtocolError as broken:
                error = broken
            # What was repeated after a pause may have been done before the comparison, which knows better what came since.
            if Holdings.is_doubtful(job.request, reply) or (job.is_unknown and job.refused is not None):
                self._refresh()
        self._settling += 1
        self._start(self._settled(job, reply, error, changes))

    async def _settled(
        self, job: Job, reply: Optional[Reply], error: Optional[AgentError], changes: List[Change]
    ) -> None:
        try:
            if job.pending is not None or changes:
                await self._journal.finish([] if job.pending is None else [job.pending], changes)
        except AgentError as failure:
            error = failure
            self.fail(failure)
        finally:
            self._settling -= 1
            self._moved.set()
        if error is not None:
            job.fail(error)
        elif reply is not None and not job.answer.done():
            job.answer.set_result(reply)
        if job.is_late and reply is not None:
            self._events.emit(Late(job.request, reply))

    # Connections

    async def _stay_connected(self) -> None:
        attempt = 0
        while not self._is_closing.is_set() and self.failure is None:
            address = self.settings.servers[attempt % len(self.settings.servers)]
            attempt += 1
            after: Optional[int] = None
            try:
                self._link = await self._connect(address)
                ended = await self._link.ended
            except ConnectionFailed as error:
                self.last_problem = str(error)
                logger.info("Not connected: %s. It is tried again by itself", error)
            except AgentError as error:
                return self.fail(error)
            else:
                after = None if ended.reply is None else ended.reply.after
            if self._is_closing.is_set() or self.failure is not None:
                return
            try:
                await asyncio.wait_for(self._is_closing.wait(), self._backoff.pause(after))
            except asyncio.TimeoutError:
                pass

    async def _connect(self, address: Address) -> Link:
        settings = self.settings
        # Raised and on disk before the socket is opened.
        sequence = await self._journal.next_sequence()
        nonce = os.urandom(NONCE_BYTES)
        login = Login(settings.agency, settings.key, self._journal.instance, sequence, nonce, settings.client)
        return await connect(
            address,
            login,
            self._happened,
            tls=settings.tls,
            tls_name=settings.tls_name,
            connect_timeout=settings.connect_timeout,
            reply_timeout=settings.reply_timeout,
        )

    def _happened(self, link: Link, event: Event) -> None:
        if isinstance(event, Greeted):
            self.greeting = event.fields
            self.time_offset = read_instant(event.fields["time"], "time") - datetime.now(timezone.utc)
            link.core.send_login(link.now())
        elif isinstance(event, Admitted):
            self._link = link
            self._is_admitted = True
            self._backoff.succeeded()
            self._events.emit(Connected(link.address, event.admission))
            self._start(self._establish(link))
        elif isinstance(event, Answered):
            self._answered(link, event)
            self._pump()
        elif isinstance(event, Pushed):
            self._pushed(event.push)
        else:
            self._lost(link, event)
        if link.core.is_draining and link.core.in_flight == 0 and not link.core.is_ended:
            link.core.leave(link.now())

    async def _establish(self, link: Link) -> None:
        async with self._comparing:
            if link is not self._link:
                return
            try:
                self._pump()
                await self._settle_everything(link)
                if self.settings.resume:
                    await self._compare(link)
            except ConnectionFailed:
                return
            except AgentError as error:
                return self.fail(error)
            self._serve(link)
            self.ready.set()

    def _serve(self, link: Link) -> None:
        if link is self._link and self._is_admitted:
            self._is_serving = True
            self._moved.set()
            self._pump()

    async def _settle_everything(self, link: Link) -> None:
        """Waits until nothing that may have been done is without an answer on this connection.

        What was answered with `retry` waits aside: it may take days until a month has its file.
        """
        while self._again or self._sent or self._settling:
            self._moved.clear()
            await self._moved.wait()
            if link is not self._link:
                raise ConnectionFailed(self.last_problem)

    async def _compare(self, link: Link) -> Difference:
        digest = self.holdings.digest
        pages: List[Comparison] = []
        after: Optional[str] = None
        while not pages or after is not None:
            reply = await link.ask(requests.resume(digest.count, str(digest), after, self.compared_at))
            if reply.reply_class == "retry":
                await asyncio.sleep((reply.after or 0) + self.settings.pause_first)
                continue
            if not reply.ok:
                raise Refusal.of(reply)
            page = Comparison.of(reply)
            if pages and pages[0].match != page.match:
                # Something ended between two pages: what was listed answers another question.
                pages, after = [], None
                continue
            pages.append(page)
            after = page.next
        if pages[0].match:
            told, changes = self.holdings.hear(pages)
            difference = Difference(pages[0].held, told=told)
        else:
            difference, changes = self.holdings.compare(pages)
        self.holdings.apply(changes)
        changes += await self._complete(link)
        difference = self.holdings.refreshed(difference)
        # The next comparison asks for what came since this connection began.
        self.compared_at = self.greeting["time"]
        await self._journal.finish([], [*changes, Change(compared_at=self.compared_at)])
        self._events.emit(difference)
        return difference

    async def _complete(self, link: Link) -> List[Change]:
        """Asks HELD for what LEASE said of accounts that a comparison found; without any such account nothing is asked."""
        changes: List[Change] = []
        for delegation in sorted({one.delegation for one in self.holdings if not one.is_complete}):
            after: Optional[str] = None
            while True:
                reply = await link.ask(requests.held(delegation, after=after))
                if reply.reply_class == "retry":
                    await asyncio.sleep((reply.after or 0) + self.settings.pause_first)
                    continue
                if not reply.ok:
                    logger.warning("What was said of found accounts is not known: %s", Refusal.of(reply))
                    return changes
                page = self.holdings.complete(reply.lines)
                self.holdings.apply(page)
                changes += page
                after = reply.fields.get("next")
                if after is None:
                    break
        return changes

    def _refresh(self) -> None:
        """A comparison soon, because an answer showed that more than one account may be out of date."""
        if not self._is_refreshing:
            self._is_refreshing = True
            self._start(self._refreshed())

    async def _refreshed(self) -> None:
        try:
            await asyncio.sleep(self.settings.pause_first)
            await self.compare()
        except AgentError as error:
            # The next connection begins with one anyway.
            logger.warning("What is held could not be compared: %s", error)
        finally:
            self._is_refreshing = False

    def _pushed(self, push: Push) -> None:
        changes = self.holdings.after_push(push)
        self.holdings.apply(changes)
        if push.name == "MISSED":
            self._refresh()
        if changes:
            self._settling += 1
            self._start(self._kept(changes))
        self._events.emit(push)

    async def _kept(self, changes: List[Change]) -> None:
        try:
            await self._journal.finish([], changes)
        except AgentError as failure:
            self.fail(failure)
        finally:
            self._settling -= 1
            self._moved.set()

    def _lost(self, link: Link, event: Ended) -> None:
        was_admitted = self._is_admitted
        self._link = None
        self._is_admitted = self._is_serving = False
        self.last_problem = event.why
        for job in self._sent.values():
            if job.request.is_once:
                job.fail(Unanswered(f"{job.request.verb} has no answer: it may have been done, and is not sent again"))
            else:
                job.is_unknown = True
                self._again.append(job)
        self._sent.clear()
        self._moved.set()
        if event.reply is not None and event.reply.reply_class == "fatal":
            self.fail(FatalRefusal(event.reply))
        if was_admitted:
            self._events.emit(Disconnected(link.address, event.why))

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            logger.error("The agent broke", exc_info=task.exception())
            self.fail(AgentError(f"the agent broke: {task.exception()!r}"))
