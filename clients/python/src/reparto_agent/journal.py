# SPDX-License-Identifier: Apache-2.0
"""The state folder for an event loop: whatever waits for the disk goes there in one turn, on a thread of its own."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Callable, Iterable, List, Optional, Sequence, Tuple, TypeVar

from .errors import AgentError, SettingsError
from .replies import Account
from .requests import Request
from .settings import Settings
from .state import Change, Pending, State

Value = TypeVar("Value")


class Journal:
    """One state folder. What a method promises is on disk when it returns."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="reparto-agent-disk")
        self._state: Optional[State] = None
        self._prepare: List[Tuple[Sequence[Request], "asyncio.Future[List[Pending]]"]] = []
        self._finish: List[Tuple[List[int], List[Change], "asyncio.Future[None]"]] = []
        self._turning: Optional["asyncio.Task[None]"] = None

    async def open(self, settings: Settings) -> Tuple[List[Account], List[Pending], Optional[str]]:
        """What is held, what has no answer, and the time of the latest comparison. Raises SettingsError."""

        def read() -> Tuple[State, List[Account], List[Pending], Optional[str]]:
            state = State(settings.state, settings.agency, settings.instance)
            return state, list(state.held().values()), state.pending(), state.compared_at()

        try:
            self._state, held, pending, compared_at = await self._on_disk(read)
        except BaseException:
            self._thread.shutdown(wait=False)
            raise
        return held, pending, compared_at

    async def close(self) -> None:
        while self._turning is not None:
            await asyncio.wait([self._turning])
        if self._state is not None:
            await self._on_disk(self._state.close)
            self._state = None
        self._thread.shutdown(wait=True)

    @property
    def instance(self) -> str:
        return self._open_state.instance

    async def next_sequence(self) -> int:
        return await self._on_disk(self._open_state.next_sequence)

    async def prepare(self, several: Sequence[Request]) -> List[Pending]:
        """Gives each its key and keeps it. Where the caller is cancelled meanwhile, nothing is kept."""
        done: "asyncio.Future[List[Pending]]" = self._loop.create_future()
        self._prepare.append((several, done))
        self._kick()
        try:
            return await asyncio.shield(done)
        except asyncio.CancelledError:
            done.add_done_callback(self._take_back)
            raise

    async def finish(self, ids: Iterable[int], changes: Iterable[Change] = ()) -> None:
        """These have their answer, and this is what it changed."""
        done: "asyncio.Future[None]" = self._loop.create_future()
        self._finish.append((list(ids), list(changes), done))
        self._kick()
        await asyncio.shield(done)

    def _take_back(self, done: "asyncio.Future[List[Pending]]") -> None:
        if not done.cancelled() and done.exception() is None:
            self._finish.append(([one.id for one in done.result()], [], self._loop.create_future()))
            self._kick()

    def _kick(self) -> None:
        if self._turning is None:
            self._turning = self._loop.create_task(self._turns())

    async def _turns(self) -> None:
        try:
            while self._prepare or self._finish:
                await self._turn()
        finally:
            self._turning = None

    async def _turn(self) -> None:
        prepare, self._prepare = self._prepare, []
        finish, self._finish = self._finish, []
        several = [request for batch, _ in prepare for request in batch]
        ids = [one for batch, _, _ in finish for one in batch]
        changes = [change for _, batch, _ in finish for change in batch]

        def write() -> List[Pending]:
            return self._open_state.turn(ids, changes, several)

        try:
            prepared = await self._on_disk(write)
        except AgentError as error:
            for _, waiting in prepare:
                _fail(waiting, error)
            for _, _, told in finish:
                _fail(told, error)
            return
        for batch, waiting in prepare:
            waiting.set_result(prepared[: len(batch)])
            prepared = prepared[len(batch) :]
        for _, _, told in finish:
            told.set_result(None)

    @property
    def _open_state(self) -> State:
        if self._state is None:
            raise SettingsError("the state folder is not open")
        return self._state

    async def _on_disk(self, work: Callable[[], Value]) -> Value:
        try:
            return await self._loop.run_in_executor(self._thread, work)
        except AgentError:
            raise
        except Exception as error:
            # A full disk, a folder that went away.
            raise SettingsError(f"the state folder cannot be written: {error}") from error


def _fail(future: "asyncio.Future[Value]", error: AgentError) -> None:
    future.set_exception(error)
    # Marked as seen: nobody may wait for it any more.
    future.exception()
