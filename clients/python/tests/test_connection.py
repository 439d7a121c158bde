# SPDX-License-Identifier: Apache-2.0
"""The connection without a socket."""

import unittest
from typing import List, Optional

import document
from reparto_agent import AgencyKey, requests
from reparto_agent.connection import Admitted, Answered, Connection, Ended, Event, Login, Pushed
from reparto_agent.settings import Backoff

GREETING = (
    "* REPARTO versions=1 node=mx-1 time=2024-03-04T15:00:00.000Z nonce=0001 line-max=1024 line-max-open=2048 "
    "batch-max=1000 window=2 idle=30 auth=ed25519"
)


def opened(greeting: str = GREETING) -> Connection:
    """A connection past HELLO and AUTH, which have the tags r1 and r2."""
    connection = Connection(Login("ACE07", AgencyKey(document.SECRET), "mty-2", 481, bytes(16)), 0.0)
    hear(connection, greeting)
    connection.send_login(0.0)
    hear(connection, "r1 OK session=1", "r2 OK held=0 contracts=2")
    connection.take_output()
    return connection


def hear(connection: Connection, *lines: str, now: float = 0.0) -> List[Event]:
    return connection.receive("".join(line + "\n" for line in lines).encode(), now)


def end(events: List[Event]) -> Optional[Ended]:
    return next((event for event in events if isinstance(event, Ended)), None)


class ConnectionTests(unittest.TestCase):
    def test_hello_and_auth_leave_together_and_nothing_else_before_admission(self) -> None:
        connection = Connection(Login("ACE07", AgencyKey(document.SECRET), "mty-2", 481, bytes(16)), 0.0)
        self.assertEqual(connection.take_output(), b"")
        hear(connection, GREETING)
        connection.send_login(0.0)
        self.assertEqual([line.split(b" ")[1] for line in connection.take_output().splitlines()], [b"HELLO", b"AUTH"])
        self.assertFalse(connection.has_room(requests.ping()))
        events = hear(connection, "r1 OK session=1", "r2 OK held=3 contracts=2")
        self.assertTrue(isinstance(events[-1], Admitted) and events[-1].admission.held == 3)
        self.assertTrue(connection.has_room(requests.ping()))

    def test_the_window_is_kept(self) -> None:
        connection = opened()
        for _ in range(2):
            self.assertTrue(connection.has_room(requests.ping()))
            connection.send(requests.ping(), 0.0)
        self.assertFalse(connection.has_room(requests.ping()))
        hear(connection, "r4 OK time=2024-03-04T15:00:00.000Z")
        self.assertTrue(connection.has_room(requests.ping()))

    def test_the_window_of_accounts_is_kept_where_the_server_has_one(self) -> None:
        connection = opened(GREETING + " accounts-window=100")
        connection.send(requests.lease(14, "dual", 80).with_key(1), 0.0)
        self.assertFalse(connection.has_room(requests.lease(14, "dual", 30)))
        self.assertTrue(connection.has_room(requests.lease(14, "dual", 20)))
        self.assertTrue(connection.has_room(requests.ping()))

    def test_replies_come_in_any_order_and_unknown_fields_stay(self) -> None:
        connection = opened()
        first = connection.send(requests.ping(), 0.0)
        second = connection.send(requests.ping(), 0.0)
        events = hear(connection, f"{second} OK colour=red", f"{first} OK", "* NEWS colour=blue")
        answered = [event for event in events if isinstance(event, Answered)]
        self.assertEqual([event.tag for event in answered], [second, first])
        self.assertEqual(answered[0].reply.fields, {"colour": "red"})
        self.assertTrue(isinstance(events[2], Pushed) and events[2].push.name == "NEWS")

    def test_a_draining_node_gets_nothing_new(self) -> None:
        connection = opened()
        hear(connection, "* DRAINING after=5")
        self.assertTrue(connection.is_draining)
        self.assertFalse(connection.has_room(requests.ping()))

    def test_silence_is_broken_by_a_ping_long_before_idle(self) -> None:
        connection = opened()
        self.assertEqual(connection.next_deadline, 10.0)
        self.assertEqual(connection.tick(9.9), [])
        self.assertEqual(connection.take_output(), b"")
        connection.tick(10.0)
        self.assertEqual(connection.take_output(), b"r3 PING\n")

    def test_a_server_that_does_not_answer_is_given_up(self) -> None:
        connection = opened()
        tag = connection.send(requests.ping(), 1.0)
        self.assertEqual(connection.tick(60.9), [])
        ended = end(connection.tick(61.0))
        self.assertEqual(ended and ended.unanswered, ((tag, requests.ping()),))

    def test_a_server_that_does_not_greet_is_given_up(self) -> None:
        connection = Connection(Login("ACE07", AgencyKey(document.SECRET), "mty-2", 481, bytes(16)), 0.0)
        self.assertIsNotNone(end(connection.tick(10.0)))

    def test_what_version_1_does_not_allow_ends_the_connection(self) -> None:
        for line in ("r9 OK", "a1 MAYBE", "a1 OK x=1 x=2"):
            self.assertIn("broke the protocol", (end(hear(opened(), line)) or self.fail()).why)
        fresh = Connection(Login("ACE07", AgencyKey(document.SECRET), "mty-2", 481, bytes(16)), 0.0)
        self.assertIn("not a greeting", (end(hear(fresh, "* DRAINING after=5")) or self.fail()).why)

    def test_another_version_is_fatal_and_a_full_server_is_not(self) -> None:
        for line, code, reply_class in (
            (GREETING.replace("versions=1", "versions=2,3"), "VERSION", "fatal"),
            ("* NO LIMIT class=retry after=5", "LIMIT", "retry"),
        ):
            fresh = Connection(Login("ACE07", AgencyKey(document.SECRET), "mty-2", 481, bytes(16)), 0.0)
            ended = end(hear(fresh, line))
            assert ended is not None and ended.reply is not None
            self.assertEqual((ended.reply.code, ended.reply.reply_class), (code, reply_class))

    def test_a_fatal_refusal_ends_the_connection(self) -> None:
        connection = opened()
        tag = connection.send(requests.ping(), 0.0)
        events = hear(connection, f"{tag} NO STATE class=fatal", "r9 OK")
        self.assertEqual([type(event) for event in events], [Answered, Ended])

    def test_goodbye_is_the_last_line(self) -> None:
        connection = opened()
        connection.leave(0.0)
        self.assertEqual(connection.take_output(), b"r3 BYE\n")
        self.assertFalse(connection.has_room(requests.ping()))
        self.assertEqual((end(hear(connection, "r3 OK")) or self.fail()).why, "we said goodbye")


class BackoffTests(unittest.TestCase):
    def test_the_pause_doubles_after_each_round_up_to_its_bound(self) -> None:
        backoff = Backoff(1.0, 4.0, 2, chance=lambda: 1.0)
        self.assertEqual([backoff.pause() for _ in range(8)], [1.0, 1.0, 2.0, 2.0, 4.0, 4.0, 4.0, 4.0])
        backoff.succeeded()
        self.assertEqual(backoff.pause(), 1.0)

    def test_chance_shortens_a_pause_by_half_at_most_and_the_server_s_wish_is_kept(self) -> None:
        self.assertEqual(Backoff(1.0, 4.0, 1, chance=lambda: 0.0).pause(after=5), 5.5)
