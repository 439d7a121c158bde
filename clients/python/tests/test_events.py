# SPDX-License-Identifier: Apache-2.0
"""What an agent tells by itself, to listeners who are slow."""

import asyncio
import threading
import unittest
from typing import List

from reparto_agent import Agent, AgencyKey, AgentEvent, AsyncAgent, Missed, Push, Settings
from reparto_agent.events import UNREAD_MAX, Events


def push(number: int) -> Push:
    return Push("UPDATE", {"number": str(number)})


def settings() -> Settings:
    """Of an agent that is never opened: nothing is connected to."""
    return Settings(servers=["127.0.0.1:1"], agency="ACE07", key=AgencyKey(bytes(32)), state="unused")


class UnreadTests(unittest.TestCase):
    def heard(self, count: int) -> List[AgentEvent]:
        """What a listener reads who comes after `count` events."""

        async def listen() -> List[AgentEvent]:
            events = Events(None)
            listener = events.listen()
            for number in range(count):
                events.emit(push(number))
            events.close()
            return [event async for event in listener]

        return asyncio.run(listen())

    def test_the_newest_are_kept_and_how_many_went_before_them_is_told_first(self) -> None:
        for count in (0, 1, UNREAD_MAX - 1, UNREAD_MAX):
            self.assertEqual(self.heard(count), [push(number) for number in range(count)])
        for lost in (1, 500):
            kept = [push(number) for number in range(lost, UNREAD_MAX + lost)]
            self.assertEqual(self.heard(UNREAD_MAX + lost), [Missed(lost), *kept])

    def test_one_listener_that_loses_something_takes_nothing_from_another(self) -> None:
        async def listen() -> List[AgentEvent]:
            events = Events(None)
            slow, quick = events.listen(), events.listen()
            read: List[AgentEvent] = []
            for number in range(UNREAD_MAX + 1):
                events.emit(push(number))
                read.append(await quick.__anext__())
            self.assertEqual(await slow.__anext__(), Missed(1))
            return read

        self.assertEqual(asyncio.run(listen()), [push(number) for number in range(UNREAD_MAX + 1)])

    def test_who_iterates_over_pushes_alone_is_told_as_the_server_would(self) -> None:
        async def listen() -> Push:
            agent = AsyncAgent(settings())
            pushes = agent.pushes()
            # Begins to listen.
            first = asyncio.ensure_future(pushes.__anext__())
            await asyncio.sleep(0)
            agent._events.emit(push(0))
            await first
            for number in range(UNREAD_MAX + 3):
                agent._events.emit(push(number))
            return await pushes.__anext__()

        self.assertEqual(asyncio.run(listen()), Push("MISSED", {"pushes": "3"}))


class ThreadTests(unittest.TestCase):
    def test_events_for_a_thread_that_does_not_read_are_bounded_and_end_with_the_agent(self) -> None:
        agent = Agent(settings())
        agent._loop = asyncio.new_event_loop()
        agent._thread = threading.Thread(target=agent._loop.run_forever, daemon=True)
        agent._thread.start()
        events = agent.events()

        async def emit() -> None:
            for number in range(3 * UNREAD_MAX):
                agent._agent._events.emit(push(number))
                # Whoever passes them on has its turn.
                await asyncio.sleep(0)

        agent._run(emit())
        # The first is on its way to this thread; behind it are the newest.
        read = [next(events) for _ in range(3)]
        self.assertEqual(read, [push(0), Missed(2 * UNREAD_MAX - 1), push(2 * UNREAD_MAX)])
        agent.close()
        # And what is left comes to its end.
        self.assertEqual(list(events), [push(number) for number in range(2 * UNREAD_MAX + 1, 3 * UNREAD_MAX)])


if __name__ == "__main__":
    unittest.main()
