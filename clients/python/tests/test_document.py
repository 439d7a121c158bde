# SPDX-License-Identifier: Apache-2.0
"""The client against the transcripts, tables and the signature of the document."""

import unittest
from typing import List, Optional

import document
import speaking
from reparto_agent.authentication import Claim
from reparto_agent.connection import Answered, Connection, Ended, Event
from reparto_agent.holdings import ENDING_CODES, Holdings
from reparto_agent.replies import STOPS, Comparison, Extended, Lease, Reported
from reparto_agent.requests import KEYED_VERBS
from reparto_agent.wire import parse_request


class Player:
    """Plays one transcript: the client says its lines where it can, and hears the server's."""

    def __init__(self, in_pieces: bool) -> None:
        self.in_pieces = in_pieces
        self.connection: Optional[Connection] = None
        self.holdings = Holdings()
        self.events: List[Event] = []
        self.spoken: List[str] = []
        self.typed: List[str] = []
        self.digests: List[str] = []

    def play(self, transcript: List[str]) -> None:
        for line in transcript:
            if line.startswith("< "):
                self.hear(line[2:])
            elif line.startswith("> "):
                self.say(line[2:])

    def hear(self, line: str) -> None:
        if line.startswith("* REPARTO") or self.connection is None:
            self.connection = Connection(speaking.login(), 0.0)
        data = line.encode() + b"\n"
        pieces = [data[index : index + 1] for index in range(len(data))] if self.in_pieces else [data]
        for piece in pieces:
            for event in self.connection.receive(piece, 0.0):
                self.events.append(event)
                if isinstance(event, Answered):
                    self.holdings.apply(self.holdings.after_reply(event.request, event.reply))

    def say(self, line: str) -> None:
        assert self.connection is not None
        if not speaking.say(self.connection, line)[1]:
            # A mistake that the client does not make: somebody typed it.
            self.typed.append(line)
            return
        self.spoken.append(line)
        if parse_request(line).verb == "RESUME":
            self.digests.append(f"{self.holdings.digest.count} {self.holdings.digest}")


class TranscriptTests(unittest.TestCase):
    def play(self, in_pieces: bool) -> List[Player]:
        players = []
        for transcript in document.blocks("transcript"):
            player = Player(in_pieces)
            player.play(transcript)
            players.append(player)
        return players

    def test_every_line_of_the_server_is_understood_whole_and_byte_by_byte(self) -> None:
        for in_pieces in (False, True):
            for player in self.play(in_pieces):
                endings = [event for event in player.events if isinstance(event, Ended)]
                self.assertNotIn("broke the protocol", " ".join(end.why for end in endings))
                self.assertNotEqual(player.events, [])

    def test_every_request_has_its_reply(self) -> None:
        for player in self.play(False):
            answered = [event.tag for event in player.events if isinstance(event, Answered)]
            asked = [line.split(" ")[0] for line in player.spoken + player.typed]
            self.assertEqual(sorted(answered), sorted(asked))

    def test_the_client_says_all_that_is_not_a_mistake_by_itself(self) -> None:
        typed = [line for player in self.play(False) for line in player.typed]
        for player, transcript in zip(self.play(False), document.blocks("transcript")):
            for line in player.typed:
                tag = line.split(" ")[0]
                reply = next(one for one in transcript if one.startswith(f"< {tag} NO"))
                self.assertIn("class=fix", reply, line)
        self.assertLess(len(typed), sum(len(player.spoken) for player in self.play(False)))

    def test_the_typed_replies_of_the_first_session_are_read(self) -> None:
        player = self.play(False)[0]
        replies = {event.tag: event for event in player.events if isinstance(event, Answered)}
        lease = Lease.of(replies["a3"].request, replies["a3"].reply)
        self.assertEqual((lease.granted, lease.stop, lease.left, lease.grace), (2, "limit", 1, 86400))
        self.assertEqual(str(lease.accounts[0].due), "4310.22")
        self.assertEqual(lease.accounts[1].epoch, 3)
        self.assertEqual(Reported.of(replies["a4"].reply).outcome, 55120)
        self.assertEqual(replies["a5"].reply.code, "REASSIGNED")
        self.assertLess(Extended.of(replies["a6"].reply).term, Extended.of(replies["a6"].reply).ceiling)
        self.assertTrue(Comparison.of(replies["a9"].reply).match)
        self.assertEqual(Comparison.of(replies["b1"].reply).accounts[0].account, 1900012345)

    def test_the_digest_over_what_the_replies_left_is_the_one_of_the_document(self) -> None:
        self.assertEqual(self.play(False)[0].digests[0], "1 bda334d31a9ff12f832772d77aa0f41d")


class TableTests(unittest.TestCase):
    def test_the_message_to_be_signed_is_the_one_of_the_document(self) -> None:
        claim = Claim("mx-1", bytes(range(32)), bytes(range(0xA0, 0xB0)), "ACE07", "mty-2", 481)
        self.assertEqual(claim.message().hex(), "".join(document.blocks("message")[0]))

    def test_the_proof_is_the_one_of_the_document(self) -> None:
        claim = Claim("mx-1", bytes(range(32)), bytes(range(0xA0, 0xB0)), "ACE07", "mty-2", 481)
        line = next(one for one in document.blocks("transcript")[0] if one.startswith("> a2 AUTH"))
        self.assertEqual(speaking.KEY.sign(claim).hex(), parse_request(line[2:]).fields["proof"])

    def test_every_stop_has_its_words(self) -> None:
        self.assertEqual([row[0] for row in document.table("| stop | means")], list(STOPS))

    def test_the_keyed_verbs_are_those_that_need_a_key(self) -> None:
        keyed = [row[0] for row in document.table("| verb | keys it needs") if "key" in row[1].split()]
        self.assertEqual([verb for verb in keyed if verb not in KEYED_VERBS], [])

    def test_the_codes_that_end_a_lease_are_of_class_refresh(self) -> None:
        classes = {row[0]: row[1] for row in document.table("| code | class")}
        self.assertEqual([classes[code] for code in ENDING_CODES], ["refresh"] * len(ENDING_CODES))
