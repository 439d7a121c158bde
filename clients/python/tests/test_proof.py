# SPDX-License-Identifier: Apache-2.0
"""The offline check, on a proof that a dispatcherd wrote."""

import base64
import contextlib
import hashlib
import io
import json
import os
import tempfile
import unittest
from pathlib import Path
from typing import Tuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from reparto_agent import BrokenProof, RequestError, check
from reparto_agent.cli import main

PROOF = Path(__file__).with_name("proof.json")


def proof_of(record: str) -> Tuple[str, str]:
    """The proof of the only record of the only block of a month, by docs/ledger.md, and the key that signed it."""

    def digest(*parts: bytes) -> bytes:
        return hashlib.sha256(b"".join(parts)).digest()

    private = Ed25519PrivateKey.generate()
    public = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    name = hashlib.sha256(public).hexdigest()[:16]
    in_base64 = base64.b64encode(public).decode()
    receipt = digest(b"\x00", record.encode())
    head = digest(bytes(32), receipt)
    tree = digest(b"\x02", (1).to_bytes(8, "big"), receipt, head)
    leaf = f"chain delegation=9 height=1 head={head.hex()} tree={tree.hex()}"
    root = digest(b"\x00", leaf.encode()).hex()
    message = f"reparto-period-root-1\nperiod=2024-03\nroot={root}\nprevious=none\nsigned=2024-04-09T06:00:00.000Z\nkey={name}\n"
    about = f"reparto-ledger-key-1\nkey={name}\npublic={in_base64}\nprevious=none\nadded=2024-04-09T06:00:00.000Z\n"
    proof = {
        "format": "reparto-proof-1",
        "record": record,
        "receipt": receipt.hex(),
        "block": [],
        "chain": {"height": 1, "head": head.hex(), "path": []},
        "root": {
            "leaf": leaf,
            "path": [],
            "message": message,
            "signature": base64.b64encode(private.sign(message.encode())).decode(),
        },
        "keys": [{"public": in_base64, "message": about}],
    }
    return json.dumps(proof), in_base64


class ProofTests(unittest.TestCase):
    def setUp(self) -> None:
        self.text = PROOF.read_text(encoding="utf-8")
        self.proof = json.loads(self.text)
        self.first = self.proof["keys"][-1]["public"]

    def test_a_proof_holds_by_the_first_key_that_endorsed_the_one_that_signed(self) -> None:
        proven = check(self.text, self.first)

        self.assertTrue(proven.trusted)
        self.assertEqual(len(self.proof["keys"]), 2)
        self.assertEqual(proven.receipt, self.proof["receipt"])
        self.assertTrue(proven.record.startswith("outcome number="))
        self.assertIsNone(check(self.text).trusted)

    def test_a_key_that_endorsed_nothing_is_not_trusted(self) -> None:
        self.assertFalse(check(self.text, "A" * 43 + "=").trusted)

    def test_words_that_are_no_key_are_refused_as_such(self) -> None:
        for words in ("", "AAAA", "A" * 43, "not Base64"):
            with self.assertRaisesRegex(RequestError, "no public key"):
                check(self.text, words)

    def test_whatever_is_changed_breaks_it(self) -> None:
        def changed(*where: object) -> str:
            place, *keys = where
            proof = json.loads(self.text)
            inner = proof
            for key in keys:
                inner = inner[key]
            value = inner[place]
            if isinstance(value, int):
                inner[place] = value + 1
            elif isinstance(value, list):
                inner[place] = value[:-1] if value else ["L" + "0" * 64]
            else:
                middle = len(value) // 2
                inner[place] = value[:middle] + ("1" if value[middle] != "1" else "2") + value[middle + 1 :]
            return json.dumps(proof)

        for change in [
            ("format",),
            ("record",),
            ("receipt",),
            ("block",),
            ("height", "chain"),
            ("head", "chain"),
            ("path", "chain"),
            ("leaf", "root"),
            ("path", "root"),
            ("message", "root"),
            ("signature", "root"),
            ("public", "keys", 0),
            ("message", "keys", 0),
            ("endorsement", "keys", 0),
        ]:
            with self.subTest(change), self.assertRaises(BrokenProof):
                check(changed(*change))

    def test_a_member_that_stands_twice_is_refused(self) -> None:
        twice = '{"record": "outcome number=9",' + self.text.strip()[1:]

        with self.assertRaisesRegex(BrokenProof, "stands twice"):
            check(twice)

    def test_a_statement_is_the_one_that_was_signed_or_is_said_not_to_be(self) -> None:
        body = b'{"contract":1,"totals":{"fees":"320.00"}}\n'
        text, key = proof_of(f"statement delegation=9 contract=1 digest={hashlib.sha256(body).hexdigest()} fees=320.00")

        self.assertTrue(check(text, key, body).trusted)
        for other in [body.replace(b"320", b"420"), body.rstrip(), b""]:
            with self.subTest(other), self.assertRaisesRegex(BrokenProof, "is not the one that was signed"):
                check(text, key, other)
        with self.assertRaisesRegex(BrokenProof, "a text is no statement"):
            check(self.text, None, body)

    def test_what_is_no_proof_is_told_and_nothing_else_happens(self) -> None:
        for text in ["", "[]", "{}", '{"format": "reparto-proof-1"}', "null", '{"format": 7}']:
            with self.subTest(text), self.assertRaises(BrokenProof):
                check(text)

    def test_the_command_says_what_it_found_in_its_exit_code(self) -> None:
        with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(io.StringIO()):
            self.assertEqual(main(["check", os.fspath(PROOF), "--key", self.first, "--json"]), 0)
            self.assertEqual(main(["check", os.fspath(PROOF), "--key", "A" * 43 + "="]), 1)
            self.assertEqual(main(["check", "/nowhere/proof.json"]), 2)
        self.assertIn('"trusted": true', out.getvalue())

    def test_the_command_says_of_a_key_that_is_not_trusted_only_that(self) -> None:
        for words in ([], ["--json"]):
            out, told = io.StringIO(), io.StringIO()
            with self.subTest(words), contextlib.redirect_stdout(out), contextlib.redirect_stderr(told):
                self.assertEqual(main(["check", os.fspath(PROOF), "--key", "A" * 43 + "=", *words]), 1)
                self.assertEqual(out.getvalue(), "")
                self.assertIn("nothing leads from the key that you trust", told.getvalue())

    def test_the_command_takes_a_statement(self) -> None:
        body = b"{}\n"
        text, key = proof_of(f"statement delegation=9 contract=1 digest={hashlib.sha256(body).hexdigest()}")
        with tempfile.TemporaryDirectory() as folder:
            proof, file = Path(folder, "proof.json"), Path(folder, "C1.json")
            proof.write_text(text, encoding="utf-8")
            file.write_bytes(body)
            asked = ["check", os.fspath(proof), "--key", key, "--statement", os.fspath(file)]
            with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(io.StringIO()):
                self.assertEqual(main(asked), 0)
                lines = out.getvalue().splitlines()
                self.assertEqual(len(lines), 3)
                self.assertTrue(lines[1].endswith(", which you trust"))
                self.assertEqual(lines[2], f"{file} is the statement that was signed, to the byte")
                self.assertEqual(main([word for word in asked if word not in ("--key", key)]), 0)
                self.assertIn("; compare it with the one that the institution publishes", out.getvalue())
                file.write_bytes(body + b" ")
                self.assertEqual(main(asked), 1)
                self.assertEqual(main(asked[:-1] + ["/nowhere/C1.json"]), 2)
