# SPDX-License-Identifier: Apache-2.0
"""Plays one transcript of the document with the client, against a node that is told over stdin and stdout what happens around it.

    play.py PORT NUMBER

For a remark `! …` it writes that line and waits for one. At the end it writes `same`, or what was said instead. The node's nonce is
the one of the document, so that the client's proofs are as well.
"""

import socket
import sys
from typing import List, Optional

import document
import speaking
from reparto_agent.connection import Answered, Connection, Ended, Event

#: Seconds without a word of the node, after which it has none.
PATIENCE = 30.0


class Stage:
    """One connection of the client to the node. Reads no more than is asked for, so that a client that does not read can be played."""

    def __init__(self, port: int) -> None:
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.socket.settimeout(PATIENCE)
        self.socket.connect(("127.0.0.1", port))
        self.client = Connection(speaking.login(), 0.0)
        self.events: List[Event] = []
        self._unread = b""

    def say(self, line: str) -> None:
        said, _ = speaking.say(self.client, line)
        try:
            self.socket.sendall(said)
        except OSError:
            pass  # What it says to a node that hung up is heard by nobody.

    def hear(self) -> Optional[str]:
        """The next line, which the client takes in; None at the end."""
        while b"\n" not in self._unread:
            try:
                data = self.socket.recv(65536)
            except socket.timeout:
                return "(nothing)"
            except OSError:
                return None
            if not data:
                return None
            self._unread += data
        line, self._unread = self._unread.split(b"\n", 1)
        self.events += self.client.receive(line + b"\n", 0.0)
        return line.decode()

    def rest(self) -> List[str]:
        """What it still had to say, which should be nothing. Ends the connection."""
        try:
            self.socket.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # The node was first.
        found = []
        while (line := self.hear()) is not None and line != "(nothing)":
            found.append("< " + line)
        self.socket.close()
        return found

    def mistakes(self) -> List[str]:
        """Where the client did not understand the node, or lost a reply."""
        broken = [one.why for one in self.events if isinstance(one, Ended) and "broke the protocol" in one.why]
        tags = [one.tag for one in self.events if isinstance(one, Answered)]
        return broken + [f"{tag} has two replies" for tag in set(tags) if tags.count(tag) > 1]


def settled(line: str, expected: str) -> str:
    """Without the two numbers that depend on chance."""
    for chance in ("* MISSED pushes=", " NO LIMIT class=retry after="):
        if chance in line and chance in expected:
            return expected
    return line


def ordered(heard: List[str], expected: List[str]) -> List[str]:
    """Pushes come when they come: between the lines of replies, which keep their own order."""

    def replies(lines: List[str]) -> List[str]:
        return [line for line in lines if not line.startswith("< * ")]

    return expected if sorted(heard) == sorted(expected) and replies(heard) == replies(expected) else heard


def play(transcript: List[str], port: int) -> List[str]:
    stage = Stage(port)
    said: List[str] = []
    expected: List[str] = []
    heard: List[str] = []
    for line in transcript:
        text = line[2:]
        if line.startswith("<"):
            expected.append(line)
            answer = stage.hear()
            while text.startswith("* MISSED") and answer is not None and answer.startswith("* UPDATE"):
                answer = stage.hear()
            heard.append("(the end)" if answer is None else "< " + settled(answer, text))
            continue
        said += ordered(heard, expected)
        heard, expected = [], []
        if line.startswith(">"):
            stage.say(text)
        elif line == "! another connection":
            said += stage.rest() + stage.mistakes()
            stage = Stage(port)
        elif line.startswith("!"):
            print(line, flush=True)
            if not sys.stdin.readline():
                sys.exit("the stage is gone")
        said.append(line)
    return said + ordered(heard, expected) + stage.rest() + stage.mistakes()


if __name__ == "__main__":
    wanted = (document.blocks("transcript") + document.blocks("transcript-fault"))[int(sys.argv[2])]
    instead = play(wanted, int(sys.argv[1]))
    print("same" if instead == wanted else "\n".join(["This was said instead:", *instead]), flush=True)
