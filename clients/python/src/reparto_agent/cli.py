# SPDX-License-Identifier: Apache-2.0
"""The command line: one command, one connection."""

import argparse
import logging
import os
import sys
import textwrap
import time
from typing import Any, Callable, List, NoReturn, Optional, Sequence

from . import __version__, commands
from .commands import DONE, USAGE, exit_code
from .configuration import FILE, NAMES, environment_name
from .errors import AgentError

_HELP = argparse.RawDescriptionHelpFormatter


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Runs one command and returns its exit code."""
    parsed = _parser().parse_args(arguments)
    logger, waits = logging.getLogger("reparto_agent"), _Waits()
    logger.setLevel(logging.INFO)
    logger.addHandler(waits)
    try:
        code: int = parsed.run(parsed)
        sys.stdout.flush()
        return code
    except AgentError as error:
        print(f"error: {error}", file=sys.stderr)
        return exit_code(error)
    except BrokenPipeError:
        # Who reads has enough. Nothing more is to be written at the end either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except KeyboardInterrupt:
        return 130
    finally:
        logger.removeHandler(waits)


class _Waits(logging.Handler):
    """Says on standard error what is waited for longer than a moment, each thing once in a row."""

    MOMENT = 1.0
    said = ""

    def __init__(self) -> None:
        super().__init__()
        self.begun = time.monotonic()

    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage()
        if text != self.said and time.monotonic() - self.begun >= self.MOMENT:
            self.said = text
            print(text, file=sys.stderr, flush=True)


# Words


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(USAGE, f"error: {message}. See: {self.prog} --help\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="reparto-agent",
        formatter_class=_HELP,
        description="The agency's side of Reparto: pull accounts, report, extend, return, ask, and hear what is said.",
        epilog="examples:\n"
        "  reparto-agent keygen ace07.key\n"
        "  reparto-agent ping --server 127.0.0.1:7607 --agency ACE07 --key ace07.key\n"
        "  reparto-agent lease 14 administrative 10\n"
        "  reparto-agent report 14 1900077120 --channel phone-out --contact direct --result refusal\n"
        "  reparto-agent held --json\n"
        "  reparto-agent watch\n\n"
        f"settings, each as a flag, in the environment, or in the section [reparto-agent] of {FILE}:\n"
        + "\n".join(f"  {name:16} {environment_name(name):30} {what}" for name, what in NAMES.items())
        + "\n\nexit codes: 0 done, 1 something was found, 2 mend the command, 3 server, network, key or state",
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}, agent protocol version 1")
    verbs = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name: str, run: Any, about: str, example: str) -> argparse.ArgumentParser:
        one = verbs.add_parser(
            name,
            help=about.split(". ")[0].rstrip(".") + ".",
            description=textwrap.fill(about, 100),
            epilog=f"examples:\n{example}",
            formatter_class=_HELP,
        )
        one.set_defaults(run=run)
        one.add_argument("--json", action="store_true", help="one JSON object a line")
        return one

    one = command("keygen", commands.keygen, "Makes a private key.", "  reparto-agent keygen ace07.key")
    one.add_argument("file", help="the new file; only you can read it")
    connected = [
        command("config", commands.config, "Shows every setting and where it comes from.", "  reparto-agent config"),
        command("ping", commands.ping, "Connects, and says what time the server has.", "  reparto-agent ping"),
    ]
    one = command(
        "lease",
        commands.lease,
        "Takes the next accounts.",
        "  reparto-agent lease 14 administrative 10\n  reparto-agent lease 14 preventive 100 --json >held.jsonl\n"
        "  reparto-agent lease 14 dual 5 --tactic containment",
    )
    one.add_argument("delegation", type=int)
    one.add_argument("strategy", help="as the contract has it: preventive, administrative, dual, mediation")
    one.add_argument("max", type=int)
    one.add_argument("--contract", type=int)
    one.add_argument("--portfolio")
    one.add_argument("--tactic", help="only accounts of this tactic, as a lease or explain names it")
    connected.append(one)
    connected.append(
        _report_words(
            command(
                "report",
                commands.report,
                "Records work on held accounts.",
                "  reparto-agent report 14 1900077120 --channel phone-out --contact direct \\\n"
                "    --result promise --amount 2950.00 --promised 2024-03-11\n"
                "  reparto-agent report --batch reports.jsonl\n\n"
                "A batch has one JSON object a line, with the names of the options above:\n"
                '  {"delegation": 14, "account": 1900077120, "epoch": 3, "at": "2024-03-04T09:00:00-06:00",\n'
                '   "channel": "phone-out", "contact": "direct", "result": "promise", "amount": "2950.00",\n'
                '   "promised": "2024-03-11"}                                (in one line)\n'
                "Without epoch it is that of the held account, without at it was done just now. A file with a mistake sends\n"
                "nothing. Rows come as they are answered, each with its line. A batch that is broken off is not run again as\n"
                "it is, because that would report the work twice: what was under way is in the state folder, and the next\n"
                "command sends it and tells of it ('answered late'). Go on with the lines that neither have a row nor are told.",
            )
        )
    )
    one = command(
        "extend",
        commands.extend,
        "Asks for more time for a grant.",
        "  reparto-agent extend 14 12884901889 2024-04-13T00:00:00-06:00",
    )
    one.add_argument("delegation", type=int)
    one.add_argument("grant", type=int, help="as lease and held list it")
    one.add_argument("until", help="the new end of its term, with its time zone")
    connected.append(one)
    one = command("return", commands.give_back, "Gives an account back.", "  reparto-agent return 14 1900077120 unlocatable")
    _account_words(one)
    one.add_argument(
        "reason",
        help="unlocatable, deceased, dispute, paid, duplicate, out-of-territory, "
        "conflict-of-interest, capacity or other",
    )
    connected.append(one)
    connected.append(command("resume", commands.resume, "Compares what is held with the server.", "  reparto-agent resume"))
    one = command(
        "held", commands.held, "Lists what is held.", "  reparto-agent held\n  reparto-agent held --delegation 14 --json"
    )
    one.add_argument("--delegation", type=int)
    connected.append(one)
    connected += _questions(command)
    one = command(
        "check",
        commands.check_proof,
        "Checks a proof of the institution's ledger; needs no server and no settings.",
        "  reparto-agent check proof.json\n"
        "  reparto-agent check proof.json --key MQx0PzYl8nJtQeYxXxXxXxXxXxXxXxXxXxXxXxXxXxU=\n"
        "  reparto-agent check proof.json --statement C31.json",
    )
    one.add_argument("file", help="what `dispatcherd ledger prove` wrote; - is standard input")
    one.add_argument("--key", help="the institution's public key in Base64, from elsewhere than the proof")
    one.add_argument("--statement", metavar="FILE", help="a statement's JSON file, which the proof has to be of")
    for one in connected:
        group = one.add_argument_group("settings")
        group.add_argument("--config", metavar="FILE", help=f"a file of settings; {FILE} here by itself")
        for name, what in NAMES.items():
            group.add_argument(f"--{name}", dest="setting_" + name.replace("-", "_"), metavar="VALUE", help=what)
    return parser


def _questions(command: Callable[[str, Any, str, str], argparse.ArgumentParser]) -> List[argparse.ArgumentParser]:
    """What is asked about accounts and pools, and what the server says by itself."""
    contact = command(
        "contact",
        commands.contact,
        "Asks for the contact data of a held account. Each answer is a disclosure in the institution's ledger: ask when you are "
        "about to use it. Where the answer is lost it is not asked for again by itself.",
        "  reparto-agent contact 14 1900012345\n  reparto-agent contact 14 1900012345 --json",
    )
    _account_words(contact)
    objection = command(
        "object",
        commands.object_to_recall,
        "Objects to a recall that was noticed.",
        "  reparto-agent object 14 1900012345 promise-pending",
    )
    _account_words(objection)
    objection.add_argument(
        "reason",
        help="promise-pending, payment-expected, agreement-in-cure, session-scheduled, wrong-account or other",
    )
    status = command(
        "status",
        commands.status,
        "Tells what is free, held and left, and which penalties the month would end in.",
        "  reparto-agent status\n  reparto-agent status --delegation 14 --strategy administrative",
    )
    status.add_argument("--delegation", type=int)
    status.add_argument("--strategy")
    explain = command(
        "explain",
        commands.explain,
        "Tells why you have or had an account, or why you get as many of a strategy as you get.",
        "  reparto-agent explain 14 --account 1900012345\n  reparto-agent explain 14 --strategy administrative",
    )
    explain.add_argument("delegation", type=int)
    what = explain.add_mutually_exclusive_group(required=True)
    what.add_argument("--account", type=int)
    what.add_argument("--strategy")
    quiet = command(
        "quiet",
        commands.quiet,
        "Says that your agency takes no accounts of a strategy for now, or that it does again.",
        "  reparto-agent quiet 14 administrative on\n  reparto-agent quiet 14 administrative off",
    )
    quiet.add_argument("delegation", type=int)
    quiet.add_argument("strategy")
    quiet.add_argument("state", choices=("on", "off"))
    watch = command(
        "watch",
        commands.watch,
        "Prints what the server says by itself, one line each, until Ctrl-C: recalls, payments, pauses, terms that are near. "
        "It has a state of its own below the state folder, so that other commands can be run beside it.",
        "  reparto-agent watch\n  reparto-agent watch --json >>pushes.jsonl",
    )
    return [contact, objection, status, explain, quiet, watch]


def _account_words(one: argparse.ArgumentParser, count: Optional[str] = None) -> None:
    one.add_argument("delegation", type=int, nargs=count)
    one.add_argument("account", type=int, nargs=count)
    one.add_argument("--epoch", type=int, help="the epoch it was leased under; the held one's by itself")


def _report_words(one: argparse.ArgumentParser) -> argparse.ArgumentParser:
    _account_words(one, "?")
    one.add_argument("--batch", metavar="FILE", help="reports as JSON Lines, see below; - is standard input")
    one.add_argument("--at", help="when it was done; just now, by the server's clock, by itself")
    for name, about in _REPORT_WORDS.items():
        one.add_argument(f"--{name}", help=about)
    return one


_REPORT_WORDS = {
    "channel": "phone-out, phone-in, letter, email, sms, visit, location-visit, mediation-invitation or mediation-session",
    "contact": "direct, third-party, none or unlocatable",
    "result": "no-answer, refusal, promise, payment-announced, agreement-signed, dwelling-irregular, dwelling-inhabited, "
    "dispute, deceased, wrong-number, session-scheduled, session-held, no-show, agreement-refused or other-with-code",
    "promised": "the day of a promise: 2024-03-11",
    "amount": "pesos of a promise: 2950.00",
    "branch": "the end of the branch of your script, a name; other-with-code needs one",
    "motive": "why the debtor does not pay, a name",
    "position": "where a visit took place: 19.432608,-99.133209",
    "solution": "the product that was agreed on, as the institution calls it; agreement-signed needs one",
    "evidence": "of a file that you keep: sha256: and 64 hexadecimal digits; @ and a place may follow",
}


if __name__ == "__main__":
    sys.exit(main())
