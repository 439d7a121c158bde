# SPDX-License-Identifier: Apache-2.0
"""What an installation must not forget, over kills and mistakes."""

import os
import signal
import subprocess
import sys
import tempfile
import unittest
from datetime import datetime, timezone
from pathlib import Path

import document
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat
from reparto_agent import AgencyKey, Push, SettingsError, requests
from reparto_agent.configuration import gather, settings
from reparto_agent.holdings import Holdings
from reparto_agent.replies import Account, Comparison, Reply
from reparto_agent.state import Change, State

TERM = datetime(2024, 4, 3, 6, 0, tzinfo=timezone.utc)


def account(number: int, epoch: int = 1, tactic: str = "rest") -> Account:
    return Account(14, number, epoch, 77, TERM, {"tactic": tactic})


class FolderTestCase(unittest.TestCase):
    def setUp(self) -> None:
        kept = tempfile.TemporaryDirectory()
        self.addCleanup(kept.cleanup)
        self.folder = Path(kept.name)


class StateTests(FolderTestCase):
    def test_keys_rise_by_delegation_and_verb_and_stay_until_they_are_answered(self) -> None:
        state = State(self.folder, "ACE07")
        several = [
            requests.lease(14, "dual", 5),
            requests.lease(14, "dual", 5),
            requests.lease(2, "dual", 5),
            requests.give_back(14, 1, 1, "other"),
        ]
        prepared = state.prepare(several)
        self.assertEqual([one.request.key for one in prepared], [1, 2, 1, 1])
        state.finish([prepared[0].id])
        state.close()

        again = State(self.folder, "ACE07")
        self.assertEqual(again.pending(), prepared[1:])
        self.assertEqual(again.prepare(several[:1])[0].request.key, 3)
        again.close()

    def test_a_killed_process_leaves_its_keys_and_its_sequence(self) -> None:
        program = (
            "import os, signal, sys\n"
            "from reparto_agent import requests\n"
            "from reparto_agent.state import State\n"
            "state = State(sys.argv[1], 'ACE07')\n"
            "state.next_sequence()\n"
            "state.prepare([requests.lease(14, 'dual', 5)])\n"
            "os.kill(os.getpid(), signal.SIGKILL)\n"
        )
        done = subprocess.run([sys.executable, "-c", program, str(self.folder)], check=False)
        self.assertEqual(done.returncode, -signal.SIGKILL)
        state = State(self.folder, "ACE07")
        self.assertEqual([one.request.fields["max"] for one in state.pending()], ["5"])
        self.assertEqual(state.next_sequence(), 2)
        state.close()

    def test_a_folder_is_used_by_one_at_a_time_and_belongs_to_one_installation(self) -> None:
        state = State(self.folder, "ACE07", "mty-2")
        program = "import sys\nfrom reparto_agent.state import State\nState(sys.argv[1], 'ACE07')"
        done = subprocess.run(
            [sys.executable, "-c", program, str(self.folder)], capture_output=True, text=True, check=False
        )
        self.assertIn("in use by another process", done.stderr)
        state.close()
        for agency, instance in (("ACE08", None), ("ACE07", "mty-3")):
            with self.assertRaises(SettingsError):
                State(self.folder, agency, instance)
        again = State(self.folder, "ACE07")
        self.assertEqual(again.instance, "mty-2")
        again.close()

    def test_what_is_held_is_kept_with_all_that_was_said_of_it(self) -> None:
        state = State(self.folder, "ACE07")
        self.assertIsNone(state.compared_at())
        state.finish([], [Change(account=account(1)), Change(account=account(2)), Change(ended=(14, 1))])
        for time in ("2024-03-04T15:00:00.000Z", "2024-03-05T15:00:00.000Z"):
            state.finish([], [Change(compared_at=time)])
        state.close()
        again = State(self.folder, "ACE07")
        self.assertEqual(again.compared_at(), "2024-03-05T15:00:00.000Z")
        self.assertEqual(list(again.held().values()), [account(2)])
        again.close()


class HoldingsTests(unittest.TestCase):
    def comparison(self, *lines: str) -> Comparison:
        fields = tuple(dict(part.split("=") for part in line.split(" ")) for line in lines)
        return Comparison.of(Reply(True, None, {"held": str(len(lines)), "match": "no"}, fields))

    def test_a_comparison_tells_lost_found_and_renewed(self) -> None:
        mine = Holdings([account(1), account(2), account(3)])
        page = self.comparison(
            "delegation=14 account=2 epoch=2 grant=77 term=2024-04-03T06:00:00.000Z",
            "delegation=14 account=3 epoch=1 grant=77 term=2024-04-03T06:00:00.000Z",
            "delegation=14 account=4 epoch=1 grant=78 term=2024-04-03T06:00:00.000Z",
        )
        difference, changes = mine.compare([page])
        self.assertEqual([one.account for one in difference.lost], [1])
        self.assertEqual([one.account for one in difference.renewed], [2])
        self.assertEqual([one.account for one in difference.found], [4])
        mine.apply(changes)
        self.assertTrue(mine.compare([page])[0].match)

    def test_what_held_tells_completes_what_a_comparison_found_and_changes_no_news(self) -> None:
        mine = Holdings([account(1)])
        found = "delegation=14 account=4 epoch=2 grant=78 term=2024-04-03T06:00:00.000Z paid=1.00 paid-on=2024-03-04"
        mine.apply(mine.compare([self.comparison("delegation=14 account=1 epoch=1 grant=77 term=2024-04-03T06:00:00.000Z", found)])[1])
        line = dict(part.split("=") for part in (found + " strategy=dual due=5.00 band=1-3 recall=x").split(" "))
        page = mine.complete([{**line, "epoch": "3"}, {**line, "account": "5"}, {**line, "paid": "0.50"}])
        mine.apply(page)
        known = mine.get(14, 4)
        assert known is not None
        self.assertEqual((len(page), known.band, str(known.due), str(known.paid)), (1, "1-3", "5.00", "1.00"))
        self.assertEqual((known.recall, "strategy" in known.fields), (None, False))
        self.assertEqual(mine.complete([{**line, "band": "4-9"}]), [])

    def test_an_old_epoch_does_not_end_a_newer_one(self) -> None:
        mine = Holdings([account(1, epoch=7)])
        closed = Reply(False, "CLOSED", {"class": "refresh"})
        self.assertEqual(mine.after_reply(requests.give_back(14, 1, 6, "other"), closed), [])
        self.assertEqual(mine.after_reply(requests.give_back(14, 1, 7, "other"), closed), [Change(ended=(14, 1))])

    def test_only_a_final_recall_ends_what_is_held(self) -> None:
        mine = Holdings([account(1, epoch=7)])
        fields = {"delegation": "14", "account": "1", "epoch": "7", "reason": "lawsuit"}
        self.assertEqual(mine.after_push(Push("UPDATE", fields)), [])
        self.assertEqual(mine.after_push(Push("EXPIRING", fields)), [])
        self.assertEqual(mine.after_push(Push("RECALL", {**fields, "final": "yes"})), [Change(ended=(14, 1))])


    def test_payments_and_recalls_are_kept_as_the_latest_word_has_them(self) -> None:
        mine = Holdings([account(1, epoch=7)])
        place = {"delegation": "14", "account": "1", "epoch": "7"}

        def hear(name: str, **fields: str) -> Account:
            mine.apply(mine.after_push(Push(name, {**place, **fields})))
            kept = mine.get(14, 1)
            assert kept is not None
            return kept

        paid = {"change": "payment", "amount": "20.00", "on": "2024-03-03", "paid": "50.00", "paid-on": "2024-03-03"}
        for _ in range(2):
            kept = hear("UPDATE", **paid)
            self.assertEqual((str(kept.paid), str(kept.paid_on)), ("50.00", "2024-03-03"))
        self.assertEqual(mine.after_push(Push("UPDATE", {**place, "epoch": "6", **paid})), [])
        notice = {"final": "no", "reason": "over-limit", "from": "2024-03-20T06:00:00.000Z"}
        kept = hear("RECALL", **notice)
        self.assertEqual((str(kept.recall), kept.recall_reason), ("2024-03-20 06:00:00+00:00", "over-limit"))
        self.assertEqual(hear("RECALL", **notice, decision="upheld").objection, "refused")
        kept = hear("RECALL", **notice, decision="withdrawn")
        self.assertEqual((kept.recall, kept.objection, str(kept.paid)), (None, None, "50.00"))
        kept = hear("UPDATE", change="job-loss", on="2024-03-05")
        self.assertEqual((kept.fields["changed"], kept.fields["changed-on"]), ("job-loss", "2024-03-05"))
        self.assertEqual((str(kept.paid), str(kept.paid_on)), ("50.00", "2024-03-03"))
        # A change without its day: that of the one before is not its own.
        kept = hear("UPDATE", change="restructure")
        self.assertEqual((kept.fields["changed"], kept.fields.get("changed-on")), ("restructure", None))
        # Taken back again: the push has no sum any more.
        self.assertIsNone(hear("UPDATE", change="payment-reversed", amount="50.00", on="2024-03-04").paid)
        self.assertEqual(kept.tactic, "rest")

    def test_a_comparison_brings_what_came_meanwhile_whether_both_sides_agree_or_not(self) -> None:
        line = "delegation=14 account=1 epoch=1 grant=77 term=2024-04-03T06:00:00.000Z"
        mine = Holdings([account(1), account(2)])
        told, changes = mine.hear([self.comparison(f"{line} paid=50.00 paid-on=2024-03-03")])
        mine.apply(changes)
        self.assertEqual([str(one.paid) for one in told], ["50.00"])
        self.assertEqual(mine.hear([self.comparison(f"{line} paid=50.00 paid-on=2024-03-03")]), ((), []))
        both = (line, line.replace("account=1", "account=2") + " recall=2024-03-20T06:00:00.000Z recall-reason=over-limit")
        difference, changes = mine.compare([self.comparison(*both)])
        mine.apply(changes)
        self.assertEqual([one.account for one in difference.told], [1, 2])
        self.assertTrue(difference.match)
        self.assertEqual([one.paid for one in mine], [None, None])
        self.assertEqual([one.recall_reason for one in mine], [None, "over-limit"])


class KeyFileTests(FolderTestCase):
    def test_a_key_file_is_its_owner_s_alone_and_never_overwritten_or_shown(self) -> None:
        path = self.folder / "ace07.key"
        key = AgencyKey.generate()
        key.write(path)
        self.assertEqual(path.stat().st_mode & 0o777, 0o600)
        self.assertEqual(AgencyKey.read(path).public, key.public)
        self.assertNotIn(path.read_text().strip(), repr(key))
        with self.assertRaises(SettingsError):
            key.write(path)
        os.chmod(path, 0o640)
        with self.assertRaisesRegex(SettingsError, "chmod 600"):
            AgencyKey.read(path)

    def test_a_key_in_pem_is_read_as_openssl_writes_it(self) -> None:
        path = self.folder / "acme.pem"
        made = ed25519.Ed25519PrivateKey.from_private_bytes(document.SECRET)
        path.write_bytes(made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        os.chmod(path, 0o600)
        self.assertEqual(AgencyKey.read(path).public, AgencyKey(document.SECRET).public)
        other = ec.generate_private_key(ec.SECP256R1())
        for text in (
            other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
            made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret")),
        ):
            path.write_bytes(text)
            with self.assertRaisesRegex(SettingsError, "in PEM without a passphrase"):
                AgencyKey.read(path)

    def test_a_file_that_is_no_key_is_refused_without_being_shown(self) -> None:
        path = self.folder / "bad.key"
        path.write_text("c2hvcnQ=\n")
        os.chmod(path, 0o600)
        with self.assertRaises(SettingsError) as caught:
            AgencyKey.read(path)
        self.assertNotIn("c2hvcnQ", str(caught.exception))


class ConfigurationTests(FolderTestCase):
    def test_a_flag_goes_before_the_environment_and_that_before_the_file(self) -> None:
        path = self.folder / "my.ini"
        path.write_text("[reparto-agent]\nagency = ACE01\nserver = a:1, b\nkey = my.key\ntimeout = 5\n")
        AgencyKey.generate().write(self.folder / "my.key")
        found = gather({"timeout": "7"}, {"REPARTO_AGENT_AGENCY": "ACE02"}, str(path))
        made = settings(found)
        self.assertEqual((made.agency, made.timeout, made.servers), ("ACE02", 7.0, (("a", 1), ("b", 7607))))
        self.assertEqual(found["agency"].source, "REPARTO_AGENT_AGENCY")

    def test_an_unknown_setting_is_named(self) -> None:
        path = self.folder / "my.ini"
        path.write_text("[reparto-agent]\nserver-name = x\n")
        with self.assertRaisesRegex(SettingsError, "server-name"):
            gather({}, {}, str(path))

    def test_a_missing_setting_says_where_it_can_be_given(self) -> None:
        with self.assertRaisesRegex(SettingsError, "--agency, REPARTO_AGENT_AGENCY"):
            settings(gather({}, {}, None))
