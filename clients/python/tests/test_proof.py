# SPDX-License-Identifier: Apache-2.0
"""The offline check, on a proof that a dispatcherd wrote."""

import contextlib
import io
import json
import os
import unittest
from pathlib import Path

from reparto_agent import BrokenProof, check
from reparto_agent.cli import main

PROOF = Path(__file__).with_name("proof.json")


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
