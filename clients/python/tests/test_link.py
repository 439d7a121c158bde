# SPDX-License-Identifier: Apache-2.0
"""TLS from the first byte: the signature names the certificate that the client saw."""

import asyncio
import datetime
import hashlib
import inspect
import ipaddress
import ssl
import tempfile
import unittest
from dataclasses import replace
from pathlib import Path
from typing import Dict, List, Tuple

import document
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from reparto_agent import (
    AgencyKey,
    Agent,
    AgentEvent,
    AsyncAgent,
    ConnectionFailed,
    Push,
    Reply,
    Settings,
    Unanswered,
    requests,
    tls_context,
)
from reparto_agent.aio import Outcome
from reparto_agent.authentication import Claim
from reparto_agent.wire import parse_request

GREETING = (
    "* REPARTO versions=1 node=mx-1 time=2024-03-04T15:00:00.000Z nonce=0001 line-max=1024 line-max-open=65536 "
    "batch-max=1000 window=64 idle=30 auth=ed25519"
)


def certificate(folder: Path) -> bytes:
    """Makes a certificate for 127.0.0.1 that signs itself; returns its hash."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mx-1")])
    now = datetime.datetime.now(datetime.timezone.utc)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    (folder / "server.pem").write_bytes(made.public_bytes(Encoding.PEM))
    (folder / "server.key").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return hashlib.sha256(made.public_bytes(Encoding.DER)).digest()


class Peer:
    """Speaks the server's half of an admission, and pushes what no daemon pushes yet."""

    def __init__(self, pushes: List[str]) -> None:
        self.pushes = pushes
        self.said: Dict[str, Dict[str, str]] = {}

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(GREETING.encode() + b"\n")
        while True:
            line = (await reader.readline()).decode().rstrip("\n")
            if not line:
                break
            request = parse_request(line)
            self.said[request.verb] = request.fields
            bring = {"HELLO": " session=1", "AUTH": " held=0 contracts=1", "RESUME": " held=0 match=yes"}
            writer.write(f"{request.tag} OK{bring.get(request.verb, '')}\n".encode())
            if request.verb == "RESUME":
                writer.write("".join(f"* {push}\n" for push in self.pushes).encode())
            if request.verb == "BYE":
                break
        writer.close()


class LinkTests(unittest.TestCase):
    def setUp(self) -> None:
        kept = tempfile.TemporaryDirectory()
        self.addCleanup(kept.cleanup)
        self.folder = Path(kept.name)

    def settings(self, port: int, context: "ssl.SSLContext | None") -> Settings:
        return Settings(
            [("127.0.0.1", port)], "ACE07", AgencyKey(document.SECRET), self.folder / "state", tls=context, timeout=5.0
        )

    def test_the_proof_covers_the_hash_of_the_certificate(self) -> None:
        digest = certificate(self.folder)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.folder / "server.pem", self.folder / "server.key")
        peer = Peer([])

        async def day() -> None:
            server = await asyncio.start_server(peer.serve, "127.0.0.1", 0, ssl=context)
            settings = self.settings(server.sockets[0].getsockname()[1], tls_context(str(self.folder / "server.pem")))
            async with server, AsyncAgent(settings):
                pass

        asyncio.run(day())
        hello = peer.said["HELLO"]
        claim = Claim(
            "mx-1",
            b"\x00\x01",
            bytes.fromhex(hello["nonce"]),
            "ACE07",
            hello["instance"],
            int(hello["sequence"]),
            digest,
        )
        self.assertEqual(peer.said["AUTH"]["proof"], AgencyKey(document.SECRET).sign(claim).hex())

    def test_a_certificate_of_nobody_we_know_is_refused(self) -> None:
        certificate(self.folder)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.folder / "server.pem", self.folder / "server.key")

        async def day() -> None:
            server = await asyncio.start_server(Peer([]).serve, "127.0.0.1", 0, ssl=context)
            async with server:
                settings = self.settings(server.sockets[0].getsockname()[1], tls_context())
                await AsyncAgent(replace(settings, timeout=0.5)).open()

        with self.assertRaisesRegex(ConnectionFailed, "(?i)certificate"):
            asyncio.run(day())

    def test_a_name_that_is_asked_for_counts_whatever_address_the_certificate_bears(self) -> None:
        certificate(self.folder)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.folder / "server.pem", self.folder / "server.key")

        async def day(name: "str | None") -> None:
            server = await asyncio.start_server(Peer([]).serve, "127.0.0.1", 0, ssl=context)
            settings = self.settings(server.sockets[0].getsockname()[1], tls_context(str(self.folder / "server.pem")))
            async with server, AsyncAgent(replace(settings, tls_name=name, timeout=0.5)):
                pass

        asyncio.run(day(None))
        asyncio.run(day("127.0.0.1"))
        for other in ("mx-1", "127.0.0.2"):
            with self.assertRaisesRegex(ConnectionFailed, "(?i)certificate"):
                asyncio.run(day(other))

    def test_pushes_are_handed_through_known_or_not(self) -> None:
        events: List[AgentEvent] = []
        sent = [
            "EXPIRING delegation=14 grant=7 term=2024-04-03T06:00:00.000Z",
            "PAUSED strategy=dual",
            "NEWS colour=blue",
        ]

        async def day() -> None:
            server = await asyncio.start_server(Peer(sent).serve, "127.0.0.1", 0)
            settings = self.settings(server.sockets[0].getsockname()[1], None)
            async with server, AsyncAgent(settings, events.append):
                while sum(isinstance(event, Push) for event in events) < 3:
                    await asyncio.sleep(0.01)

        asyncio.run(day())
        pushes = [event for event in events if isinstance(event, Push)]
        self.assertEqual([push.name for push in pushes], ["EXPIRING", "PAUSED", "NEWS"])
        self.assertEqual(pushes[2].fields, {"colour": "blue"})

    def test_a_comparison_that_meets_a_node_as_it_goes_is_made_over_the_next_connection(self) -> None:
        peer = Peer([])
        drains = ["RESUME"]

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            if not drains:
                return await peer.serve(reader, writer)
            writer.write(GREETING.encode() + b"\n")
            for end in ("OK session=1", "OK held=0 contracts=1", "NO UNAVAILABLE class=retry after=0"):
                tag = (await reader.readline()).decode().split(" ")[0]
                writer.write(f"{tag} {end}\n".encode())
            drains.clear()
            writer.close()

        async def day() -> None:
            server = await asyncio.start_server(serve, "127.0.0.1", 0)
            settings = self.settings(server.sockets[0].getsockname()[1], None)
            async with server, AsyncAgent(settings) as agent:
                self.assertTrue((await agent.resume()).match)

        asyncio.run(asyncio.wait_for(day(), 30))
        self.assertEqual(peer.said["RESUME"]["count"], "0")

    def test_a_disclosure_whose_answer_is_lost_is_not_asked_for_again_and_reports_are(self) -> None:
        verbs: List[str] = []

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(GREETING.encode() + b"\n")
            bring = {
                "HELLO": " session=1",
                "AUTH": " held=0 contracts=1",
                "RESUME": " held=0 match=yes",
                "REPORT": " outcome=1 receipt=00",
            }
            while True:
                line = (await reader.readline()).decode().rstrip("\n")
                if not line:
                    break
                request = parse_request(line)
                verbs.append(request.verb)
                if request.verb == "PING" and verbs.count("AUTH") == 1:
                    break  # The wire breaks; nothing of what was said before has an answer.
                if request.verb != "REPORT" or verbs.count("AUTH") > 1:
                    if request.verb != "CONTACT":
                        writer.write(f"{request.tag} OK{bring.get(request.verb, ' time=2024-03-04T15:00:00Z')}\n".encode())
            writer.close()

        async def day() -> Tuple[Outcome, Outcome]:
            server = await asyncio.start_server(serve, "127.0.0.1", 0)
            settings = replace(self.settings(server.sockets[0].getsockname()[1], None), pause_first=0.01)
            async with server, AsyncAgent(settings) as agent:
                report = requests.report(
                    14, 1, 1, at="2024-03-04T15:00:00Z", channel="sms", contact="none", result="no-answer"
                )
                contact, reported, _ = await agent.request_many([requests.contact(14, 1, 1), report, requests.ping()])
                return contact, reported

        contact, reported = asyncio.run(asyncio.wait_for(day(), 30))
        self.assertIsInstance(contact, Unanswered)
        self.assertIn("may have been done", str(contact))
        self.assertIsInstance(reported, Reply)
        self.assertEqual((verbs.count("CONTACT"), verbs.count("REPORT")), (1, 2))


class ParityTests(unittest.TestCase):
    def test_both_agents_have_the_same_methods_with_the_same_words(self) -> None:
        def words(agent: type) -> Dict[str, List[str]]:
            methods = inspect.getmembers(agent, inspect.isfunction)
            return {name: list(inspect.signature(one).parameters) for name, one in methods if not name.startswith("_")}

        self.assertEqual(words(Agent), words(AsyncAgent))
        self.assertGreater(len(words(Agent)), 15)
