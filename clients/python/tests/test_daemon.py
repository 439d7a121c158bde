# SPDX-License-Identifier: Apache-2.0
"""The agent against a real dispatcherd: cut connections, killed daemons, killed clients."""

import asyncio
import base64
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
import unittest
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Callable, Dict, Iterable, List, Tuple

import document
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from month import FOLDER, Month, Wire, certificate
from reparto_agent import (
    Agent,
    AgentError,
    AgentEvent,
    AsyncAgent,
    Connected,
    ConnectionFailed,
    Difference,
    FatalRefusal,
    FixRefusal,
    Late,
    RefreshRefusal,
    Reported,
    Unanswered,
    requests,
    tls_context,
)
from reparto_agent.replies import Account
from reparto_agent.state import State

month = Month()


def setUpModule() -> None:
    month.begin()


def tearDownModule() -> None:
    month.end()


class DaemonTestCase(unittest.TestCase):
    def setUp(self) -> None:
        self.agency = month.agency()
        self.pools = month.pools(self.agency)
        self.wire = Wire(month)
        self.addCleanup(lambda: self.wire.close())

    def outcomes(self) -> int:
        return month.count(f"SELECT count(*) FROM outcome WHERE agency_id = {int(self.agency[3:])}")

    def granted(self) -> int:
        return month.count(
            f"SELECT coalesce(sum(accounts), 0) FROM lease_grant WHERE agency_id = {int(self.agency[3:])}"
        )


class DayTests(DaemonTestCase):
    def test_a_day_of_an_agency(self) -> None:
        delegation, strategy = self.pools[0]
        with Agent(month.settings(self.agency)) as agent:
            lease = agent.lease(delegation, strategy, 3)
            self.assertEqual((lease.granted, lease.stop, len(agent.held())), (3, "limit", 3))
            first, second, third = lease.accounts
            now = agent.ping()
            done = agent.report(
                first,
                at=now,
                channel="phone-out",
                contact="direct",
                result="promise",
                amount="100.00",
                promised=now.date() + timedelta(days=7),
            )
            self.assertEqual(len(done.receipt), 64)
            assert lease.grant is not None and lease.term is not None
            extended = agent.extend(delegation, lease.grant, lease.term + timedelta(days=1))
            self.assertEqual({one.term for one in agent.held()}, {extended.term})
            with self.assertRaises(FixRefusal) as beyond:
                agent.extend(delegation, lease.grant, extended.ceiling + timedelta(days=1))
            self.assertEqual(beyond.exception.code, "BEYOND-CEILING")
            agent.give_back(second, "unlocatable")
            with self.assertRaises(RefreshRefusal) as closed:
                agent.report(second, at=now, channel="phone-out", contact="none", result="no-answer")
            self.assertEqual(closed.exception.code, "CLOSED")
            self.assertIsNotNone(closed.exception.evidence)
            with self.assertRaises(RefreshRefusal) as unknown:
                agent.give_back(replace(third, epoch=third.epoch + 1), "other")
            self.assertIn(unknown.exception.code, ("UNKNOWN", "REASSIGNED"))
            self.assertTrue(agent.resume().match)
            self.assertEqual({one.account for one in agent.held()}, {first.account, third.account})
        with Agent(month.settings(self.agency)) as again:
            self.assertEqual(
                [one.tactic for one in again.held()],
                [one.tactic for one in by_account((first, third))],
            )

    def test_an_encrypted_connection_is_signed_for_its_certificate(self) -> None:
        delegation, strategy = self.pools[0]
        with month.serve_tls() as port:
            settings = replace(
                month.settings(self.agency, port=port),
                tls=tls_context(certificate("authority.pem"), certificate("agency.pem"), certificate("agency.key")),
            )
            with Agent(settings) as agent:
                self.assertEqual(agent.lease(delegation, strategy, 1).granted, 1)
                self.assertTrue(agent.resume().match)
            for other in (
                tls_context(certificate("stranger.pem"), certificate("agency.pem"), certificate("agency.key")),
                tls_context(certificate("authority.pem")),
                None,
            ):
                with self.assertRaises(ConnectionFailed):
                    with Agent(replace(settings, tls=other, timeout=0.5)):
                        pass

    def test_what_is_not_allowed_is_said_by_class(self) -> None:
        mine = {delegation for delegation, _ in self.pools}
        elsewhere = next(one for one in range(1, 33) if one not in mine)
        with Agent(month.settings(self.agency)) as agent:
            with self.assertRaises(FixRefusal) as scope:
                agent.lease(elsewhere, self.pools[0][1], 1)
            self.assertEqual(scope.exception.code, "SCOPE")
            with self.assertRaises(FixRefusal) as value:
                agent.lease(elsewhere, self.pools[0][1], 100000)
            self.assertEqual((value.exception.code, value.exception.field), ("BAD-VALUE", "max"))
            with self.assertRaises(FixRefusal):
                agent.call("LEESE")
            self.assertEqual(agent.unanswered(), [])

    def test_all_reports_of_a_batch_are_answered_and_a_bad_one_spoils_none(self) -> None:
        with Agent(month.settings(self.agency)) as agent:
            accounts = lease_all(agent, self.pools, 60)
            at = agent.ping()
            several = [
                requests.report(*place(one), at=at, channel="sms", contact="none", result="no-answer")
                for one in accounts * 4
            ]
            several.insert(
                7, requests.report(*place(accounts[0]), at=at, channel="pigeon", contact="none", result="refusal")
            )
            results = agent.report_many(several)
        self.assertIsInstance(results.pop(7), FixRefusal)
        self.assertEqual({type(one) for one in results}, {Reported})
        self.assertEqual(self.outcomes(), len(results))

    def test_found_and_lost_accounts_come_to_light(self) -> None:
        delegation, strategy = self.pools[0]
        with Agent(month.settings(self.agency, "one")) as one:
            lease = one.lease(delegation, strategy, 2)
        with Agent(month.settings(self.agency, "two")) as two:
            # All that LEASE said of them, too.
            self.assertEqual([said(mine) for mine in two.held()], [said(one) for one in by_account(lease.accounts)])
            two.give_back(lease.accounts[0], "other")
        events: List[AgentEvent] = []
        with Agent(month.settings(self.agency, "one"), events.append) as one:
            self.assertEqual(len(one.held()), 1)
        kept = State(month.settings(self.agency, "two").state, self.agency)
        self.addCleanup(kept.close)
        self.assertEqual([said(mine) for mine in kept.held().values()], [said(lease.accounts[1])])
        found = [event for event in events if isinstance(event, Difference)]
        self.assertEqual([lost.account for lost in found[0].lost], [lease.accounts[0].account])


class AdmissionTests(DaemonTestCase):
    def test_a_wrong_key_is_fatal(self) -> None:
        other = month.settings(self.agency)
        other = replace(other, key=month.settings("ACE29" if self.agency != "ACE29" else "ACE28").key)
        with self.assertRaises(FatalRefusal) as caught:
            Agent(other).open()
        self.assertEqual(caught.exception.code, "AUTH")

    def test_a_copied_state_folder_is_a_clone(self) -> None:
        original = month.settings(self.agency, "original")
        with Agent(original):
            pass
        shutil.copytree(original.state, FOLDER / "state" / "copy")
        with Agent(original):
            pass
        with self.assertRaises(FatalRefusal) as caught:
            Agent(month.settings(self.agency, "copy")).open()
        self.assertEqual(caught.exception.code, "CLONE")

    def test_the_next_address_is_taken_where_one_is_dead(self) -> None:
        settings = month.settings(self.agency)
        settings = replace(settings, servers=[("127.0.0.1", 1), *settings.servers])
        with Agent(settings) as agent:
            self.assertIsNotNone(agent.ping().tzinfo)

    def test_where_nobody_listens_the_problem_is_told_in_time(self) -> None:
        begun = time.monotonic()
        with self.assertRaisesRegex(ConnectionFailed, "cannot connect to 127.0.0.1 port 1: nobody listens there"):
            Agent(month.settings(self.agency, port=1, timeout=1.0)).open()
        self.assertLess(time.monotonic() - begun, 5)


class LossTests(DaemonTestCase):
    def work(self, agent: Agent, harm: Callable[[], None], times: int) -> Tuple[List[Account], int]:
        """Leases and reports on several threads while harm is done so many times; all accounts leased, and reports recorded.

        Between one harm and the next something gets done, however slow the machine is.
        """
        leased: List[Account] = []
        problems: List[str] = []
        recorded = [0]
        lock = threading.Lock()
        harmed = threading.Event()

        def one(seed: int) -> None:
            chance = random.Random(seed)
            mine: List[Account] = []
            try:
                while not harmed.is_set():
                    lease = agent.lease(*chance.choice(self.pools), max=2)
                    # A small agency has leased all that it may before a slow machine has done enough.
                    mine.extend(lease.accounts)
                    at = agent.ping()
                    done = agent.report_many(
                        [
                            requests.report(
                                *place(account), at=at, channel="phone-out", contact="none", result="no-answer"
                            )
                            for account in mine[-2:]
                            for _ in range(3)
                        ]
                    )
                    with lock:
                        leased.extend(lease.accounts)
                        recorded[0] += sum(isinstance(one, Reported) for one in done)
                        problems.extend(str(one) for one in done if isinstance(one, AgentError))
            except AgentError as error:
                problems.append(repr(error))

        def harms() -> None:
            try:
                for _ in range(times):
                    before = recorded[0]
                    wait_until(lambda: recorded[0] >= before + 6 or bool(problems))
                    harm()
                before = recorded[0]
                wait_until(lambda: recorded[0] >= before + 6 or bool(problems))
            except (AssertionError, RuntimeError) as error:
                problems.append(repr(error))
            finally:
                harmed.set()

        threads = [threading.Thread(target=one, args=(seed,)) for seed in range(4)]
        threads.append(threading.Thread(target=harms))
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(problems, [])
        return leased, recorded[0]

    def check(self, agent: Agent, leased: List[Account], recorded: int) -> None:
        """Nothing is lost and nothing done twice."""
        self.assertGreater(recorded, 20)
        self.assertEqual(len({one.account for one in leased}), len(leased))
        self.assertEqual(self.granted(), len(leased))
        self.assertEqual(self.outcomes(), recorded)
        self.assertTrue(agent.resume().match)
        self.assertEqual({one.account for one in agent.held()}, {one.account for one in leased})
        self.assertEqual(agent.unanswered(), [])

    def test_cut_connections_lose_nothing_and_repeat_nothing(self) -> None:
        with Agent(month.settings(self.agency, port=self.wire.port)) as agent:
            leased, recorded = self.work(agent, self.wire.cut, times=12)
            self.check(agent, leased, recorded)
        self.assertGreater(self.wire.cuts, 5)

    def test_a_killed_daemon_loses_nothing_and_repeats_nothing(self) -> None:
        def harm() -> None:
            month.stop(signal.SIGKILL)
            month.serve()

        with Agent(month.settings(self.agency)) as agent:
            leased, recorded = self.work(agent, harm, times=2)
            self.check(agent, leased, recorded)

    def test_a_lost_reply_is_fetched_by_the_next_run_of_a_killed_client(self) -> None:
        delegation, strategy = self.pools[0]
        settings = month.settings(self.agency)
        program = (
            "import sys\n"
            "from reparto_agent import *\n"
            "server = ('127.0.0.1', int(sys.argv[1]))\n"
            "agent = Agent(Settings([server], sys.argv[2], AgencyKey.read(sys.argv[3]), sys.argv[4]))\n"
            "agent.open()\n"
            "print('open', flush=True)\n"
            "sys.stdin.readline()\n"
            "agent.lease(int(sys.argv[5]), sys.argv[6], 5)\n"
        )
        words = [
            str(self.wire.port),
            self.agency,
            str(month.key_file(self.agency)),
            str(settings.state),
            str(delegation),
            strategy,
        ]
        client = subprocess.Popen(
            [sys.executable, "-c", program, *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert client.stdin is not None and client.stdout is not None
        client.stdout.readline()
        self.wire.is_deaf.set()
        client.stdin.write(b"\n")
        client.stdin.flush()
        wait_until(lambda: self.granted() > 0)
        client.kill()
        client.communicate()
        self.assertEqual(self.granted(), 5)

        events: List[AgentEvent] = []
        with Agent(settings, events.append) as agent:
            late = [event for event in events if isinstance(event, Late)]
            self.assertEqual([event.reply.fields["granted"] for event in late], ["5"])
            self.assertEqual([one.tactic is not None for one in agent.held()], [True] * 5)
            self.assertEqual(agent.unanswered(), [])
        self.assertEqual(self.granted(), 5)

    def test_who_gives_up_waiting_is_told_so_and_gets_the_answer_as_an_event(self) -> None:
        delegation, strategy = self.pools[0]
        events: List[AgentEvent] = []
        settings = replace(month.settings(self.agency, port=self.wire.port), timeout=2.0, reply_timeout=60.0)
        with Agent(settings, events.append) as agent:
            self.wire.is_deaf.set()
            with self.assertRaisesRegex(AgentError, "stays in the state folder"):
                agent.lease(delegation, strategy, 2)
            self.assertEqual([one.verb for one in agent.unanswered()], ["LEASE"])
            self.wire.is_deaf.clear()
            self.wire.cut()
            wait_until(lambda: any(isinstance(event, Late) for event in events))
            self.assertEqual(len(agent.held()), 2)
        self.assertEqual(self.granted(), 2)


class AsyncTests(DaemonTestCase):
    def test_a_draining_node_is_pushed_and_left_and_work_goes_on_after_it(self) -> None:
        async def day() -> Tuple[List[str], int]:
            pushes: List[str] = []
            async with AsyncAgent(month.settings(self.agency)) as agent:

                async def listen() -> None:
                    async for push in agent.pushes():
                        pushes.append(push.name)

                listening = asyncio.create_task(listen())
                await asyncio.sleep(0)
                delegation, strategy = self.pools[0]
                first = await agent.lease(delegation, strategy, 1)
                loop = asyncio.get_running_loop()
                stopping = loop.run_in_executor(None, month.stop)
                while "DRAINING" not in pushes:
                    await asyncio.sleep(0.01)
                waiting = asyncio.create_task(agent.lease(delegation, strategy, 1))
                await stopping
                await loop.run_in_executor(None, month.serve)
                second = await waiting
                listening.cancel()
                return pushes, len({one.account for one in (*first.accounts, *second.accounts)})

        pushes, accounts = asyncio.run(day())
        self.assertEqual((pushes, accounts), (["DRAINING"], 2))

    def test_many_tasks_share_one_connection(self) -> None:
        async def day() -> List[int]:
            events: List[AgentEvent] = []
            async with AsyncAgent(month.settings(self.agency), events.append) as agent:
                leases = await asyncio.gather(*(agent.lease(*pool, max=1) for pool in self.pools for _ in range(10)))
                self.assertEqual(sum(isinstance(event, Connected) for event in events), 1)
                return [one.account for lease in leases for one in lease.accounts]

        accounts = asyncio.run(day())
        self.assertEqual(len(set(accounts)), len(accounts))
        self.assertEqual(self.granted(), len(accounts))

    def test_what_is_cancelled_before_it_was_sent_is_never_done(self) -> None:
        async def day() -> None:
            settings = month.settings(self.agency, port=self.wire.port)
            async with AsyncAgent(settings) as agent:
                self.wire.close()
                self.wire = Wire(month)
                while agent.is_connected:
                    await asyncio.sleep(0.01)
                waiting = asyncio.create_task(agent.lease(*self.pools[0], max=1))
                await asyncio.sleep(0.2)
                waiting.cancel()
                with self.assertRaises(asyncio.CancelledError):
                    await waiting
                self.assertEqual(agent.unanswered(), [])

        asyncio.run(day())
        with Agent(month.settings(self.agency)) as agent:
            self.assertEqual(agent.held(), [])
        self.assertEqual(self.granted(), 0)


class CommandTestCase(DaemonTestCase):
    def run_agent(self, *words: str, code: int = 0) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "reparto_agent.cli", *words],
            capture_output=True,
            text=True,
            check=False,
            env=self.environment(),
        )
        self.assertEqual(done.returncode, code, done.stderr)
        self.errors = done.stderr
        return done.stdout

    def environment(self) -> Dict[str, str]:
        return {
            **os.environ,
            "REPARTO_AGENT_SERVER": f"127.0.0.1:{month.port}",
            "REPARTO_AGENT_AGENCY": self.agency,
            "REPARTO_AGENT_KEY": str(month.key_file(self.agency)),
            "REPARTO_AGENT_STATE": str(FOLDER / "state" / f"command-{self.agency}"),
        }

    def rows(self, text: str) -> List[Dict[str, str]]:
        return [json.loads(line) for line in text.splitlines()]


class CommandTests(CommandTestCase):
    def test_the_commands_of_a_day(self) -> None:
        delegation, strategy = self.pools[0]
        self.assertIn("2024-03-01", self.run_agent("ping"))
        leased = self.rows(self.run_agent("lease", str(delegation), strategy, "3", "--json"))
        self.assertEqual(len(leased), 3)
        self.assertIn("stop=limit: as many as were asked for", self.errors)
        account = str(leased[0]["account"])
        work = ("--channel", "phone-out", "--contact", "direct", "--result")
        self.assertEqual(self.rows(self.run_agent("held", "--json"))[0]["grant"], leased[0]["grant"])
        self.assertIn(str(leased[0]["grant"]), self.run_agent("held"))
        recorded = self.run_agent("report", str(delegation), account, *work, "refusal")
        self.assertRegex(recorded, r"recorded +[0-9a-f]{64}")
        self.assertEqual(self.run_agent("report", str(delegation), account, *work, "promise", code=2), "")
        self.assertIn("promise needs amount and promised", self.errors)
        batch = FOLDER / f"batch-{self.agency}.jsonl"
        at = "2024-03-01T06:00:00Z"
        batch.write_text(
            "".join(
                json.dumps(
                    {
                        "delegation": delegation,
                        "account": row["account"],
                        "epoch": row["epoch"],
                        "at": at,
                        "channel": "sms",
                        "contact": "none",
                        "result": "no-answer",
                    }
                )
                + "\n"
                for row in leased
            )
        )
        reported = self.rows(self.run_agent("report", "--batch", str(batch), "--json"))
        self.assertEqual([row["account"] for row in reported], [row["account"] for row in leased])
        # Without epoch and at, as the single report; what is wrong is told of all lines, and nothing is sent.
        of_held = {"delegation": delegation, "account": leased[0]["account"], "channel": "sms", "contact": "none"}
        lines = [{**of_held, "result": "refusal"}, {**of_held, "account": 1, "result": "refusal"}, of_held, {**of_held, "chanel": ""}]
        batch.write_text("".join(json.dumps(line) + "\n" for line in lines) + "{\n")
        self.assertEqual(self.run_agent("report", "--batch", str(batch), code=2), "")
        for mistake in (
            "line 2: account 1 is not held",
            "line 3: result is missing",
            "line 4: there is no 'chanel'",
            "line 5: this is no JSON object",
        ):
            self.assertIn(mistake, self.errors)
        batch.write_text("\n" + json.dumps(lines[0]) + "\n")
        recorded = self.run_agent("report", "--batch", str(batch))
        self.assertRegex(recorded, rf"^2  {delegation}  {account}  {leased[0]['epoch']}  [0-9]+  recorded  [0-9a-f]{{64}}\n$")
        longer = datetime.fromisoformat(leased[0]["term"]) + timedelta(days=1)
        self.assertIn(
            "ceiling", self.run_agent("extend", str(delegation), str(leased[0]["grant"]), longer.isoformat())
        )
        self.assertIn("returned", self.run_agent("return", str(delegation), account, "unlocatable"))
        self.assertEqual(self.run_agent("resume"), "")
        self.assertEqual(len(self.rows(self.run_agent("held", "--json"))), 2)
        self.run_agent(
            "report", str(delegation), account, "--epoch", str(leased[0]["epoch"]), *work, "refusal", code=1
        )
        self.assertEqual(self.outcomes(), 5)

    def test_what_is_waited_for_is_said(self) -> None:
        code = 3
        self.assertEqual(self.run_agent("ping", "--server", "127.0.0.1:1", "--timeout", "3", code=code), "")
        self.assertIn("Not connected: cannot connect to 127.0.0.1 port 1", self.errors)
        self.assertEqual(self.errors.count("Not connected"), 1)

    def test_the_questions_of_a_day(self) -> None:
        delegation, strategy = self.pools[0]
        leased = self.rows(self.run_agent("lease", str(delegation), strategy, "2", "--json"))
        account = str(leased[0]["account"])
        status = self.rows(self.run_agent("status", "--delegation", str(delegation), "--json"))
        self.assertEqual(sum(int(row["held"]) for row in status if "held" in row), 2)
        self.assertIn("free", self.run_agent("status", "--strategy", strategy))
        self.assertIn("event=leased", self.run_agent("explain", str(delegation), "--account", account))
        self.assertIn("sharers=", self.run_agent("explain", str(delegation), "--strategy", strategy))
        self.assertIn("yes", self.run_agent("quiet", str(delegation), strategy, "on"))
        self.assertEqual(self.run_agent("lease", str(delegation), strategy, "1"), "")
        self.assertIn("stop=paused: a new deal is being made, or the strategy is paused, by you", self.errors)
        self.assertIn("no", self.run_agent("quiet", str(delegation), strategy, "off"))
        # This node has no key to the data, and no recall waits.
        self.run_agent("contact", str(delegation), account, code=2)
        self.assertIn("UNSUPPORTED", self.errors)
        self.run_agent("object", str(delegation), account, "promise-pending", code=1)
        self.assertIn("NO-NOTICE", self.errors)
        self.assertNotIn("out of date", self.errors)
        self.run_agent("explain", str(delegation), code=2)

    def test_what_the_server_says_is_watched_until_somebody_has_seen_enough(self) -> None:
        delegation, strategy = self.pools[0]
        watching = subprocess.Popen(
            [sys.executable, "-m", "reparto_agent.cli", "watch"],
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=self.environment(),
        )
        assert watching.stdout is not None and watching.stderr is not None
        self.assertIn("connected to", watching.stderr.readline())
        # Beside other commands: it has a state of its own.
        self.run_agent("quiet", str(delegation), strategy, "on")
        self.run_agent("quiet", str(delegation), strategy, "off")
        said = [watching.stdout.readline() for _ in range(2)]
        watching.send_signal(signal.SIGINT)
        rest, _ = watching.communicate(timeout=60)
        self.assertEqual(
            said,
            [f"{name} delegation={delegation} strategy={strategy} by=agency{more}\n" for name, more in (
                ("PAUSED", " reason=quiet"), ("RESUMED", ""))],
        )
        self.assertEqual((rest, watching.returncode), ("", 0))

    def test_a_mistake_is_one_line_with_its_exit_code(self) -> None:
        self.run_agent("lease", "14", code=2)
        self.assertIn("--help", self.errors)
        self.run_agent("ping", "--key", "/nowhere/a.key", code=3)
        self.assertIn("keygen", self.errors)
        self.run_agent("ping", "--server", "127.0.0.1:1", "--timeout", "1", code=3)
        self.assertEqual(len(self.errors.splitlines()), 1)

    def test_a_new_key_is_printed_in_public_only(self) -> None:
        path = FOLDER / f"new-{self.agency}.key"
        said = self.run_agent("keygen", str(path))
        self.assertNotIn(path.read_text().strip(), said + self.errors)
        self.assertEqual(len(said.splitlines()[0]), 44)

    def test_the_worked_example_runs(self) -> None:
        example = document.ROOT / "clients" / "python" / "examples" / "month.py"
        self.assertLessEqual(len(example.read_text().splitlines()), 40)
        done = subprocess.run(
            [sys.executable, str(example), str(self.pools[0][0]), self.pools[0][1]],
            text=True,
            capture_output=True,
            check=False,
            env=self.environment(),
            cwd=FOLDER,
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("receipt", done.stdout)


class RetryTests(CommandTestCase):
    """The last of this file: they move the clock on, to a month that has no file."""

    def setUp(self) -> None:
        super().setUp()
        month.clock("2024-04-01T08:00Z")

    def test_a_batch_that_is_killed_has_told_what_was_answered(self) -> None:
        with Agent(month.settings(self.agency, f"command-{self.agency}")) as agent:
            held = lease_all(agent, self.pools, 1)[0]
        line = {"delegation": held.delegation, "account": held.account, "contact": "none", "result": "no-answer"}
        batch = FOLDER / f"killed-{self.agency}.jsonl"
        # A whole lot of what is refused at once, and then work that waits for its month.
        words = ["pigeon"] * 256 + ["sms"] * 2
        batch.write_text("".join(json.dumps({**line, "channel": word}) + "\n" for word in words))
        command = subprocess.Popen(
            [sys.executable, "-m", "reparto_agent.cli", "report", "--batch", str(batch), "--json"],
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=self.environment(),
        )
        assert command.stdout is not None
        rows = [json.loads(command.stdout.readline()) for _ in range(256)]
        self.assertIsNone(command.poll())
        command.kill()
        command.communicate()
        self.assertEqual([row["line"] for row in rows], list(range(1, 257)))
        self.assertEqual({row["code"] for row in rows}, {"BAD-VALUE"})

    def test_what_is_asked_again_for_days_holds_up_nothing(self) -> None:
        events: List[AgentEvent] = []
        settings = replace(month.settings(self.agency, port=self.wire.port), timeout=2.0, reply_timeout=60.0)
        with Agent(settings, events.append) as agent:
            first, second = lease_all(agent, self.pools, 2)
            # April has no file: its work is asked for again for hours.
            at = agent.ping()
            self.wire.is_deaf.set()
            with self.assertRaises(Unanswered):
                agent.report(first, at=at, channel="sms", contact="none", result="no-answer")
            self.wire.is_deaf.clear()
            self.wire.cut()
            # Over the next connection it is refused with `retry`, and everything else goes on.
            agent.give_back(second, "other")
            self.assertTrue(agent.resume().match)
            self.assertEqual([one.verb for one in agent.unanswered()], ["REPORT"])
        with Agent(settings) as again:
            self.assertEqual([one.account for one in again.held()], [first.account])
            self.assertEqual([one.verb for one in again.unanswered()], ["REPORT"])
        self.assertEqual(self.outcomes(), 0)


class TypedSessionTests(DaemonTestCase):
    def test_the_session_of_the_document_signs_in_with_a_key_of_openssl(self) -> None:
        raw = base64.b64decode(month.key_file(self.agency).read_text())
        pem, script = FOLDER / f"{self.agency}.pem", FOLDER / "session.py"
        key = Ed25519PrivateKey.from_private_bytes(raw)
        pem.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        script.write_text("\n".join(document.blocks("python")[0]))
        done = subprocess.run(
            [sys.executable, str(script), "127.0.0.1", str(month.port), str(pem), self.agency, "typed", "1"],
            input="b1 PING\nb2 STATUS\n",
            text=True,
            capture_output=True,
            check=False,
            timeout=60,
        )
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertRegex(done.stdout, r"(?s)^< \* REPARTO .*< a1 OK session=[0-9a-f]{8}\n< a2 OK held=0 .*< b1 OK time=")
        self.assertIn("< b2 OK held=0", done.stdout)


def place(account: Account) -> Tuple[int, int, int]:
    return account.delegation, account.account, account.epoch


def by_account(accounts: Iterable[Account]) -> List[Account]:
    return sorted(accounts, key=lambda one: (one.delegation, one.account))


def said(one: Account) -> List[object]:
    """What LEASE says of an account."""
    return [one.account, one.tactic, one.band, one.due, one.overdue, one.reference, one.window, one.next]


def lease_all(agent: Agent, pools: List[Tuple[int, str]], count: int) -> List[Account]:
    leased: List[Account] = []
    for delegation, strategy in pools:
        while len(leased) < count:
            lease = agent.lease(delegation, strategy, count - len(leased))
            leased.extend(lease.accounts)
            if lease.stop != "hand":
                break
    return leased


def wait_until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 120
    while not condition():
        if time.monotonic() > end:
            raise AssertionError("it did not happen in two minutes")
        time.sleep(0.02)
