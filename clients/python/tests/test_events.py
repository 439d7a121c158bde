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
    return Settings(servers=[("127.0.0.1", 1)], agency="ACE07", key=AgencyKey(bytes(32)), state="unused")


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

    def test_a_push_that_told_of_lost_ones_counts_as_those(self) -> None:
        async def listen(pushes: str) -> AgentEvent:
            events = Events(None)
            listener = events.listen()
            events.emit(Push("MISSED", {"pushes": pushes}))
            for number in range(UNREAD_MAX + 1):
                events.emit(push(number))
            return await listener.__anext__()

        for pushes, lost in (("7", 8), ("1", 2), ("none", 2)):
            self.assertEqual(asyncio.run(listen(pushes)), Missed(lost))

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


class FailingAgent(AsyncAgent):
    """Its end is not written down: a full disk."""

    async def close(self) -> None:
        await super().close()
        raise OSError("No space left on device")


class ThreadTests(unittest.TestCase):
    def opened(self) -> Agent:
        """With its thread, and without a connection."""
        agent = Agent(settings())
        agent._loop = asyncio.new_event_loop()
        agent._thread = threading.Thread(target=agent._loop.run_forever, daemon=True)
        agent._thread.start()
        return agent

    def test_who_reads_no_further_is_forgotten(self) -> None:
        agent = self.opened()

        async def turns() -> None:
            for _ in range(10):
                await asyncio.sleep(0)

        async def emit() -> None:
            for number in range(3):
                agent._agent._events.emit(push(number))

        stays = agent.events()
        for _ in range(3):
            heard, pushes = agent.events(), agent.pushes()
            agent._run(emit())
            self.assertEqual((next(heard), next(pushes)), (push(0), push(0)))
            del heard, pushes
        agent._run(turns())
        self.assertEqual(len(agent._listeners), 1)
        self.assertEqual(len(agent._agent._events._listeners), 1)
        agent.close()
        self.assertEqual(len(list(stays)), 9)

    def test_an_agent_whose_end_fails_leaves_no_thread_and_no_listener(self) -> None:
        agent = self.opened()
        agent._agent = FailingAgent(settings())
        events = agent.events()
        with self.assertRaises(OSError):
            agent.close()
        self.assertEqual(list(events), [])
        assert agent._thread is not None and agent._loop is not None
        self.assertFalse(agent._thread.is_alive())
        self.assertTrue(agent._loop.is_closed())

    def test_events_for_a_thread_that_does_not_read_are_bounded_and_end_with_the_agent(self) -> None:
        agent = self.opened()
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
