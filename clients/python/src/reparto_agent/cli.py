# SPDX-License-Identifier: Apache-2.0
"""The command line: one command, one connection."""

import argparse
import json
import os
import sys
from typing import Any, Dict, List, NoReturn, Optional, Sequence, Tuple

from . import requests
from .authentication import AgencyKey
from .configuration import FILE, NAMES, environment_name, gather, settings
from .errors import AgentError, FixRefusal, RefreshRefusal, Refusal, RequestError
from .events import AgentEvent, Late
from .proof import BrokenProof, check
from .replies import STOPS, Account, Reply
from .requests import Request
from .sync import Agent

# Exit codes, the same as the other programs': whose turn it is.
DONE, FINDINGS, USAGE, ENVIRONMENT = 0, 1, 2, 3

_HELP = argparse.RawDescriptionHelpFormatter


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Runs one command and returns its exit code."""
    parsed = _parser().parse_args(arguments)
    try:
        code: int = parsed.run(parsed)
        sys.stdout.flush()
        return code
    except AgentError as error:
        print(f"error: {error}", file=sys.stderr)
        return _exit_code(error)
    except BrokenPipeError:
        # Who reads has enough. Nothing more is to be written at the end either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except KeyboardInterrupt:
        return 130


def _exit_code(error: AgentError) -> int:
    if isinstance(error, (RefreshRefusal, BrokenProof)):
        return FINDINGS
    return USAGE if isinstance(error, (FixRefusal, RequestError)) else ENVIRONMENT


# Commands


def _keygen(parsed: argparse.Namespace) -> int:
    key = AgencyKey.generate()
    key.write(parsed.file)
    if parsed.json:
        print(json.dumps({"file": parsed.file, "public_key": key.public}))
    else:
        print(key.public)
        print(f"The private key is in {parsed.file}; it is yours alone. The line above is the public key:")
        print(f"the institution takes it in with 'dispatcherd agency key add ACE07 NAME {key.public}'.")
    return DONE


def _config(parsed: argparse.Namespace) -> int:
    found = gather(_flags(parsed), os.environ, parsed.config)
    rows = [
        {
            "setting": name,
            "value": found[name].value if name in found else "",
            "from": found[name].source if name in found else "-",
            "is": what,
        }
        for name, what in NAMES.items()
    ]
    _table(parsed, rows)
    return DONE


def _ping(parsed: argparse.Namespace) -> int:
    with _agent(parsed) as agent:
        row = {
            "time": agent.ping().isoformat(),
            "node": agent.greeting.get("node", ""),
            "instance": agent.instance,
            "held": len(agent.held()),
        }
    _table(parsed, [row])
    return DONE


def _lease(parsed: argparse.Namespace) -> int:
    with _agent(parsed) as agent:
        lease = agent.lease(
            parsed.delegation, parsed.strategy, parsed.max, contract=parsed.contract, portfolio=parsed.portfolio
        )
    _accounts(parsed, lease.accounts)
    left = "" if lease.left is None else f", {lease.left} left in the hand"
    grant = (
        "" if lease.grant is None or lease.term is None else f", grant {lease.grant} until {lease.term.isoformat()}"
    )
    again = "" if lease.after is None else f"; ask again in {lease.after} s"
    why = STOPS.get(lease.stop, "see docs/protocol.md")
    _note(f"{lease.granted} leased{grant}{left}. stop={lease.stop}: {why}{again}")
    return DONE


def _report(parsed: argparse.Namespace) -> int:
    with _agent(parsed) as agent:
        if parsed.batch is not None:
            several = _batch(parsed.batch)
        else:
            if None in (parsed.delegation, parsed.account, parsed.channel, parsed.contact, parsed.result):
                raise RequestError("give DELEGATION ACCOUNT --channel --contact --result, or --batch FILE")
            several = [_one_report(parsed, agent)]
        outcomes = agent.report_many(several)
    rows, code = [], DONE
    for request, outcome in zip(several, outcomes):
        row: Dict[str, Any] = {name: request.fields[name] for name in ("delegation", "account", "epoch")}
        if isinstance(outcome, AgentError):
            code = max(code, _exit_code(outcome)) if len(several) == 1 else max(code, FINDINGS)
            row["answer"] = str(outcome)
            if isinstance(outcome, Refusal):
                row.update({"code": outcome.code}, **outcome.fields)
        else:
            row.update({"answer": "recorded", "outcome": outcome.outcome, "receipt": outcome.receipt})
        rows.append(row)
    _table(parsed, rows, ("delegation", "account", "epoch", "outcome", "answer"))
    return code


def _one_report(parsed: argparse.Namespace, agent: Agent) -> Request:
    account = _held_account(parsed, agent)
    fields = (
        "channel",
        "contact",
        "result",
        "amount",
        "promised",
        "branch",
        "motive",
        "position",
        "solution",
        "evidence",
    )
    given = {name: getattr(parsed, name) for name in fields}
    at = parsed.at or agent.ping()
    return requests.report(account[0], account[1], account[2], at=at, **given)


def _batch(path: str) -> List[Request]:
    """Reports as JSON Lines: one object for each, with the keys of REPORT."""
    try:
        with sys.stdin if path == "-" else open(path, encoding="utf-8") as file:
            lines = [line for line in file if line.strip()]
    except OSError as error:
        raise RequestError(f"{path} cannot be read: {error.strerror}") from None
    found = []
    for number, line in enumerate(lines, 1):
        try:
            fields = json.loads(line)
            found.append(
                requests.report(fields.pop("delegation"), fields.pop("account"), fields.pop("epoch"), **fields)
            )
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise RequestError(f"{path} line {number}: {error}; nothing was sent") from None
    return found


def _extend(parsed: argparse.Namespace) -> int:
    with _agent(parsed) as agent:
        extended = agent.extend(parsed.delegation, parsed.grant, parsed.until)
    _table(parsed, [{"term": extended.term.isoformat(), "ceiling": extended.ceiling.isoformat()}])
    return DONE


def _return(parsed: argparse.Namespace) -> int:
    with _agent(parsed) as agent:
        account = _held_account(parsed, agent)
        reply = agent.request(requests.give_back(*account, parsed.reason))
    _table(parsed, [{"account": account[1], "answer": "returned", **reply.fields}], ("account", "answer"))
    return DONE


def _resume(parsed: argparse.Namespace) -> int:
    known: List[AgentEvent] = []
    with _agent(parsed, known) as agent:
        agent.resume()
    changes = [
        {"change": change, **_row(account)}
        for event in known
        for change in ("lost", "found", "renewed")
        for account in getattr(event, change, ())
    ]
    _table(parsed, changes, ("change", "delegation", "account", "epoch", "grant", "term"))
    _note("both sides agree" if not changes else f"{len(changes)} differences, taken over from the server")
    return FINDINGS if changes else DONE


def _held(parsed: argparse.Namespace) -> int:
    with _agent(parsed) as agent:
        held = [one for one in agent.held() if parsed.delegation in (None, one.delegation)]
    _accounts(parsed, held)
    _note(f"{len(held)} held")
    return DONE


def _check(parsed: argparse.Namespace) -> int:
    try:
        with sys.stdin if parsed.file == "-" else open(parsed.file, encoding="utf-8") as file:
            text = file.read()
    except (OSError, UnicodeDecodeError) as error:
        raise RequestError(f"{parsed.file} cannot be read: {error}") from None
    proven = check(text, parsed.key)
    if parsed.json:
        print(json.dumps(vars(proven)))
    else:
        print(f"the proof holds: {proven.record}")
        print(
            f"in the ledger of {proven.period}, delegation {proven.delegation}, signed {proven.signed} "
            f"by key {proven.key}"
        )
    if proven.trusted is None:
        _note(f"compare key {proven.key} with the one that the institution publishes, or give --key")
    elif not proven.trusted:
        raise BrokenProof(f"nothing leads from the key that you trust to {proven.key}, which signed")
    return DONE


# Help for commands


def _agent(parsed: argparse.Namespace, known: Optional[List[AgentEvent]] = None) -> Agent:
    def on_event(event: AgentEvent) -> None:
        if known is not None:
            known.append(event)
        if isinstance(event, Late):
            _note(f"answered late: {_said(event.request)} -> {_answer(event.reply)}")

    return Agent(settings(gather(_flags(parsed), os.environ, parsed.config)), on_event)


def _said(request: Request) -> str:
    return " ".join([request.verb, *(f"{key}={value}" for key, value in request.fields.items())])


def _answer(reply: Reply) -> str:
    return "OK" if reply.ok else f"NO {reply.code}"


def _flags(parsed: argparse.Namespace) -> Dict[str, Optional[str]]:
    return {name: getattr(parsed, "setting_" + name.replace("-", "_")) for name in NAMES}


def _held_account(parsed: argparse.Namespace, agent: Agent) -> Tuple[int, int, int]:
    if parsed.epoch is not None:
        return parsed.delegation, parsed.account, parsed.epoch
    for one in agent.held():
        if (one.delegation, one.account) == (parsed.delegation, parsed.account):
            return one.delegation, one.account, one.epoch
    raise RequestError(
        f"account {parsed.account} is not held in delegation {parsed.delegation}; see 'reparto-agent held'"
    )


def _row(account: Account) -> Dict[str, Any]:
    return {
        **account.fields,
        "delegation": account.delegation,
        "account": account.account,
        "epoch": account.epoch,
        "grant": account.grant,
        "term": account.term.isoformat(),
    }


def _accounts(parsed: argparse.Namespace, accounts: Sequence[Account]) -> None:
    columns = (
        "delegation",
        "account",
        "epoch",
        "tactic",
        "band",
        "due",
        "overdue",
        "reference",
        "window",
        "next",
        "term",
    )
    _table(parsed, [_row(one) for one in accounts], columns)


def _table(
    parsed: argparse.Namespace, rows: Sequence[Dict[str, Any]], columns: Optional[Sequence[str]] = None
) -> None:
    if parsed.json:
        for row in rows:
            print(json.dumps(row, ensure_ascii=False))
        return
    if not rows:
        return
    columns = columns or list(rows[0])
    lines = [list(columns)] + [[str(row.get(column, "")) for column in columns] for row in rows]
    widths = [max(len(line[index]) for line in lines) for index in range(len(columns))]
    for line in lines:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip())


def _note(text: str) -> None:
    print(text, file=sys.stderr)


# Words


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(USAGE, f"error: {message}. See: {self.prog} --help\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="reparto-agent",
        formatter_class=_HELP,
        description="The agency's side of Reparto: pull accounts, report, extend and return.",
        epilog="examples:\n"
        "  reparto-agent keygen ace07.key\n"
        "  reparto-agent ping --server 127.0.0.1:7607 --agency ACE07 --key ace07.key\n"
        "  reparto-agent lease 14 administrative 10\n"
        "  reparto-agent report 14 1900077120 --channel phone-out --contact direct --result refusal\n"
        "  reparto-agent held --json\n\n"
        f"settings, each as a flag, in the environment, or in the section [reparto-agent] of {FILE}:\n"
        + "\n".join(f"  {name:16} {environment_name(name):30} {what}" for name, what in NAMES.items())
        + "\n\nexit codes: 0 done, 1 something was found, 2 mend the command, 3 server, network, key or state",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name: str, run: Any, about: str, example: str) -> argparse.ArgumentParser:
        one = commands.add_parser(
            name, help=about, description=about, epilog=f"examples:\n{example}", formatter_class=_HELP
        )
        one.set_defaults(run=run)
        one.add_argument("--json", action="store_true", help="one JSON object a line")
        return one

    one = command("keygen", _keygen, "Makes a private key.", "  reparto-agent keygen ace07.key")
    one.add_argument("file", help="the new file; only you can read it")
    connected = [
        command("config", _config, "Shows every setting and where it comes from.", "  reparto-agent config"),
        command("ping", _ping, "Connects, and says what time the server has.", "  reparto-agent ping"),
    ]
    one = command(
        "lease",
        _lease,
        "Takes the next accounts.",
        "  reparto-agent lease 14 administrative 10\n  reparto-agent lease 14 preventive 100 --json >held.jsonl",
    )
    one.add_argument("delegation", type=int)
    one.add_argument("strategy", help="as the contract has it: preventive, administrative, dual, mediation")
    one.add_argument("max", type=int)
    one.add_argument("--contract", type=int)
    one.add_argument("--portfolio")
    connected.append(one)
    connected.append(
        _report_words(
            command(
                "report",
                _report,
                "Records work on held accounts.",
                "  reparto-agent report 14 1900077120 --channel phone-out --contact direct \\\n"
                "    --result promise --amount 2950.00 --promised 2024-03-11\n"
                '  reparto-agent report --batch reports.jsonl   # {"delegation": 14, "account": ..., ...}',
            )
        )
    )
    one = command(
        "extend",
        _extend,
        "Asks for more time for a grant.",
        "  reparto-agent extend 14 12884901889 2024-04-13T00:00:00-06:00",
    )
    one.add_argument("delegation", type=int)
    one.add_argument("grant", type=int)
    one.add_argument("until")
    connected.append(one)
    one = command("return", _return, "Gives an account back.", "  reparto-agent return 14 1900077120 unlocatable")
    _account_words(one)
    one.add_argument(
        "reason",
        help="unlocatable, deceased, dispute, paid, duplicate, out-of-territory, "
        "conflict-of-interest, capacity or other",
    )
    connected.append(one)
    connected.append(command("resume", _resume, "Compares what is held with the server.", "  reparto-agent resume"))
    one = command(
        "held", _held, "Lists what is held.", "  reparto-agent held\n  reparto-agent held --delegation 14 --json"
    )
    one.add_argument("--delegation", type=int)
    connected.append(one)
    one = command(
        "check",
        _check,
        "Checks a proof of the institution's ledger; needs no server and no settings.",
        "  reparto-agent check proof.json\n"
        "  reparto-agent check proof.json --key MQx0PzYl8nJtQeYxXxXxXxXxXxXxXxXxXxXxXxXxXxU=",
    )
    one.add_argument("file", help="what `dispatcherd ledger prove` wrote; - is standard input")
    one.add_argument("--key", help="the institution's public key in Base64, from elsewhere than the proof")
    for one in connected:
        group = one.add_argument_group("settings")
        group.add_argument("--config", metavar="FILE", help=f"a file of settings; {FILE} here by itself")
        for name, what in NAMES.items():
            group.add_argument(f"--{name}", dest="setting_" + name.replace("-", "_"), metavar="VALUE", help=what)
    return parser


def _account_words(one: argparse.ArgumentParser, count: Optional[str] = None) -> None:
    one.add_argument("delegation", type=int, nargs=count)
    one.add_argument("account", type=int, nargs=count)
    one.add_argument("--epoch", type=int, help="the epoch it was leased under; the held one's by itself")


def _report_words(one: argparse.ArgumentParser) -> argparse.ArgumentParser:
    _account_words(one, "?")
    one.add_argument("--batch", metavar="FILE", help="reports as JSON Lines; - is standard input")
    one.add_argument("--at", help="when it was done; just now, by the server's clock, by itself")
    for name in (
        "channel",
        "contact",
        "result",
        "promised",
        "amount",
        "branch",
        "motive",
        "position",
        "solution",
        "evidence",
    ):
        one.add_argument(f"--{name}")
    return one


if __name__ == "__main__":
    sys.exit(main())
