# SPDX-License-Identifier: Apache-2.0
"""What the command line's commands do: each takes its parsed words and returns its exit code."""

import argparse
import json
import os
import sys
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple, Union

from . import requests
from .authentication import AgencyKey
from .configuration import NAMES, gather, settings
from .errors import AgentError, FixRefusal, RefreshRefusal, Refusal, RequestError
from .events import AgentEvent, Connected, Disconnected, Late
from .holdings import Difference
from .proof import BrokenProof, check
from .replies import STOPS, Account, Reply, Reported
from .requests import Request
from .sync import Agent
from .wire import format_value

# Exit codes, the same as the other programs': whose turn it is.
DONE, FINDINGS, USAGE, ENVIRONMENT = 0, 1, 2, 3


def exit_code(error: AgentError) -> int:
    if isinstance(error, (RefreshRefusal, BrokenProof)):
        return FINDINGS
    return USAGE if isinstance(error, (FixRefusal, RequestError)) else ENVIRONMENT


def keygen(parsed: argparse.Namespace) -> int:
    key = AgencyKey.generate()
    key.write(parsed.file)
    if parsed.json:
        print(json.dumps({"file": parsed.file, "public_key": key.public}))
    else:
        print(key.public)
        print(f"The private key is in {parsed.file}; it is yours alone. The line above is the public key:")
        print(f"the institution takes it in with 'dispatcherd agency key add ACE07 NAME {key.public}'.")
    return DONE


def config(parsed: argparse.Namespace) -> int:
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


def ping(parsed: argparse.Namespace) -> int:
    with _agent(parsed) as agent:
        row = {
            "time": agent.ping().isoformat(),
            "node": agent.greeting.get("node", ""),
            "instance": agent.instance,
            "held": len(agent.held()),
        }
    _table(parsed, [row])
    return DONE


def lease(parsed: argparse.Namespace) -> int:
    with _agent(parsed) as agent:
        lease = agent.lease(
            parsed.delegation, parsed.strategy, parsed.max, contract=parsed.contract, portfolio=parsed.portfolio,
            tactic=parsed.tactic,
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


def report(parsed: argparse.Namespace) -> int:
    if parsed.batch is not None:
        return _report_batch(parsed)
    if None in (parsed.delegation, parsed.account, parsed.channel, parsed.contact, parsed.result):
        raise RequestError("give DELEGATION ACCOUNT --channel --contact --result, or --batch FILE")
    with _agent(parsed) as agent:
        request = _one_report(parsed, agent)
        outcome = agent.report_many([request])[0]
    row = _reported(request, outcome)
    _table(parsed, [row], [name for name in _REPORT_COLUMNS if name in row])
    return exit_code(outcome) if isinstance(outcome, AgentError) else DONE


_REPORT_COLUMNS = ("delegation", "account", "epoch", "outcome", "answer", "receipt")


def _reported(request: Request, outcome: Union[Reported, AgentError]) -> Dict[str, Any]:
    row: Dict[str, Any] = {name: int(request.fields[name]) for name in ("delegation", "account", "epoch")}
    if isinstance(outcome, AgentError):
        row["answer"] = str(outcome)
        if isinstance(outcome, Refusal):
            row.update({"code": outcome.code}, **outcome.fields)
    else:
        row.update({"answer": "recorded", "outcome": outcome.outcome, "receipt": outcome.receipt})
    return row


#: Reports of a batch that are given their keys and sent at a time; their rows are printed before the next ones are.
_BATCH_LOT = 256


def _report_batch(parsed: argparse.Namespace) -> int:
    """Rows as they are answered, each with its line, so that who breaks off knows where it goes on."""
    texts = _lines(parsed.batch)
    code = DONE
    with _agent(parsed) as agent:
        # All are read before the first one is sent: a file with a mistake does nothing.
        several = _batch(parsed.batch, texts, agent)
        done = 0
        try:
            for start in range(0, len(several), _BATCH_LOT):
                lot = several[start : start + _BATCH_LOT]
                outcomes = agent.report_many([request for _, request in lot])
                for (line, request), outcome in zip(lot, outcomes):
                    code = FINDINGS if isinstance(outcome, AgentError) else code
                    row = {"line": line, **_reported(request, outcome)}
                    if parsed.json:
                        print(json.dumps(row, ensure_ascii=False))
                    else:
                        print("  ".join(str(row[name]) for name in ("line", *_REPORT_COLUMNS) if name in row))
                done += len(lot)
                sys.stdout.flush()
        except (AgentError, KeyboardInterrupt):
            # After the last lot there is nothing to tell.
            if several[done:]:
                lot, rest = several[done : done + _BATCH_LOT], several[done + _BATCH_LOT :]
                _note(
                    f"broken off: of lines {lot[0][0]} to {lot[-1][0]} each that was sent is told as 'answered late', here or by "
                    "the next command, and what is told nowhere was not done"
                    + (f"; line {rest[0][0]} and what follows was not sent" if rest else "")
                )
            raise
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


def _lines(path: str) -> List[str]:
    try:
        with sys.stdin if path == "-" else open(path, encoding="utf-8") as file:
            return list(file)
    except (OSError, UnicodeDecodeError) as error:
        raise RequestError(f"{path} cannot be read: {error}") from None


#: What each line of a batch has to have, and what it may have, by the kinds that JSON has for it.
_BATCH_NEEDS = ("delegation", "account", "channel", "contact", "result")
_BATCH_NUMBERS = ("delegation", "account", "epoch")
_BATCH_KEYS = (*_BATCH_NEEDS, "epoch", "at", "amount", "promised", "branch", "motive", "position", "solution", "evidence")
#: How many mistakes of a file are told.
_MISTAKES_MAX = 20


def _batch(path: str, lines: Sequence[str], agent: Agent) -> List[Tuple[int, Request]]:
    """Reports as JSON Lines, one object for each; with the number of its line. Raises RequestError with all that is wrong."""
    epochs = {(one.delegation, one.account): one.epoch for one in agent.held()}
    found: List[Tuple[int, Request]] = []
    wrong: List[str] = []
    now: Optional[datetime] = None
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            fields = _batch_line(line, epochs)
            if fields.get("at") is None:
                now = now or agent.ping()
                fields["at"] = now
            place = [fields.pop(name) for name in _BATCH_NUMBERS]
            found.append((number, requests.report(*place, **fields)))
        except RequestError as error:
            wrong.append(f"line {number}: {error}")
    if wrong:
        more = f"; and {len(wrong) - _MISTAKES_MAX} more" if len(wrong) > _MISTAKES_MAX else ""
        raise RequestError(f"{path}: nothing was sent. " + "; ".join(wrong[:_MISTAKES_MAX]) + more)
    return found


def _batch_line(line: str, epochs: Mapping[Tuple[int, int], int]) -> Dict[str, Any]:
    """The fields of one line, with its epoch. Raises RequestError."""
    try:
        # A number of JSON stays as it is written: an amount is no floating-point number.
        fields = json.loads(line, parse_float=str)
    except ValueError:
        fields = None
    if not isinstance(fields, dict):
        raise RequestError("this is no JSON object")
    fields = {name: value for name, value in fields.items() if value is not None}
    for name in fields:
        if name not in _BATCH_KEYS:
            raise RequestError(f"there is no {name!r}; there are {', '.join(_BATCH_KEYS)}")
    missing = [name for name in _BATCH_NEEDS if name not in fields]
    if missing:
        raise RequestError(f"{' and '.join(missing)} {'are' if len(missing) > 1 else 'is'} missing")
    for name, value in fields.items():
        is_number = isinstance(value, int) and not isinstance(value, bool)
        if name in _BATCH_NUMBERS and not is_number:
            raise RequestError(f"{name} is to be a number")
        if name not in _BATCH_NUMBERS and not isinstance(value, str) and not (name == "amount" and is_number):
            raise RequestError(f"{name} is to be text in quotes")
    if "epoch" not in fields:
        place = (fields["delegation"], fields["account"])
        if place not in epochs:
            raise RequestError(f"account {place[1]} is not held in delegation {place[0]}: give its epoch")
        fields["epoch"] = epochs[place]
    return fields


def extend(parsed: argparse.Namespace) -> int:
    with _agent(parsed) as agent:
        extended = agent.extend(parsed.delegation, parsed.grant, parsed.until)
    _table(parsed, [{"term": extended.term.isoformat(), "ceiling": extended.ceiling.isoformat()}])
    return DONE


def give_back(parsed: argparse.Namespace) -> int:
    with _agent(parsed) as agent:
        account = _held_account(parsed, agent)
        reply = agent.request(requests.give_back(*account, parsed.reason))
    _table(parsed, [{"account": account[1], "answer": "returned", **reply.fields}], ("account", "answer"))
    return DONE


def resume(parsed: argparse.Namespace) -> int:
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


def held(parsed: argparse.Namespace) -> int:
    with _agent(parsed) as agent:
        held = [one for one in agent.held() if parsed.delegation in (None, one.delegation)]
    _accounts(parsed, held)
    _note(f"{len(held)} held")
    return DONE


def contact(parsed: argparse.Namespace) -> int:
    with _agent(parsed) as agent:
        reply = agent.request(requests.contact(*_held_account(parsed, agent)))
    _table(parsed, reply.lines, ("kind", "value"))
    _note(f"disclosed to you; the record's receipt is {reply.fields.get('receipt', '')}")
    return DONE


def object_to_recall(parsed: argparse.Namespace) -> int:
    with _agent(parsed) as agent:
        account = _held_account(parsed, agent)
        reply = agent.request(requests.object_to_recall(*account, parsed.reason))
    _table(parsed, [{"account": account[1], "answer": "objected", **reply.fields}], ("account", "answer", "until"))
    return DONE


def status(parsed: argparse.Namespace) -> int:
    with _agent(parsed) as agent:
        reply = agent.status(parsed.delegation, parsed.strategy)
    pools = [line for line in reply.lines if "warning" not in line]
    warnings = [line for line in reply.lines if "warning" in line]
    _table(parsed, pools, _columns(pools))
    if pools and warnings and not parsed.json:
        print()
    _table(parsed, warnings, _columns(warnings))
    _note(f"{reply.fields.get('held', '?')} held")
    return DONE


def explain(parsed: argparse.Namespace) -> int:
    with _agent(parsed) as agent:
        reply = agent.explain(parsed.delegation, account=parsed.account, strategy=parsed.strategy)
    for line in reply.lines:
        print(json.dumps(line, ensure_ascii=False) if parsed.json else _words(line))
    return DONE


def quiet(parsed: argparse.Namespace) -> int:
    with _agent(parsed) as agent:
        is_paused = agent.quiet(parsed.delegation, parsed.strategy, parsed.state == "on")
    row = {"delegation": parsed.delegation, "strategy": parsed.strategy, "paused": "yes" if is_paused else "no"}
    _table(parsed, [row])
    if is_paused and parsed.state == "off":
        _note("the institution has paused it too; only the institution can lift that")
    return DONE


def watch(parsed: argparse.Namespace) -> int:
    """An installation of its own below the state folder, so that other commands can be run beside it."""

    def told(event: AgentEvent) -> None:
        if isinstance(event, Connected):
            _note(f"connected to {event.address[0]}:{event.address[1]}")
        elif isinstance(event, Disconnected):
            _note(f"disconnected: {event.why}")
        elif isinstance(event, Difference):
            for what in ("lost", "found", "renewed", "told"):
                for account in getattr(event, what):
                    _note(f"{what} delegation={account.delegation} account={account.account} epoch={account.epoch}")

    mine = settings(gather(_flags(parsed), os.environ, parsed.config))
    mine = replace(mine, state=Path(mine.state) / "watch", instance=None)
    try:
        with Agent(mine, told) as agent:
            for push in agent.pushes():
                said = {"push": push.name, **push.fields}
                print(json.dumps(said, ensure_ascii=False) if parsed.json else f"{push.name} {_words(push.fields)}")
                sys.stdout.flush()
    except KeyboardInterrupt:
        pass
    return DONE


def check_proof(parsed: argparse.Namespace) -> int:
    try:
        with sys.stdin if parsed.file == "-" else open(parsed.file, encoding="utf-8") as file:
            text = file.read()
    except (OSError, UnicodeDecodeError) as error:
        raise RequestError(f"{parsed.file} cannot be read: {error}") from None
    statement = None
    if parsed.statement:
        try:
            statement = Path(parsed.statement).read_bytes()
        except OSError as error:
            raise RequestError(f"{parsed.statement} cannot be read: {error}") from None
    proven = check(text, parsed.key, statement)
    if proven.trusted is False:
        raise BrokenProof(f"nothing leads from the key that you trust to {proven.key}, which signed")
    if parsed.json:
        print(json.dumps(vars(proven)))
    else:
        trust = ", which you trust"
        if proven.trusted is None:
            trust = "; compare it with the one that the institution publishes, or give --key"
        print(f"the proof holds: {proven.record}")
        print(
            f"in the ledger of {proven.period}, delegation {proven.delegation}, signed {proven.signed} "
            f"by key {proven.key}{trust}"
        )
        if statement is not None:
            print(f"{parsed.statement} is the statement that was signed, to the byte")
    if parsed.json and proven.trusted is None:
        _note(f"compare key {proven.key} with the one that the institution publishes, or give --key")
    return DONE


# What they share


def _agent(parsed: argparse.Namespace, known: Optional[List[AgentEvent]] = None) -> Agent:
    def on_event(event: AgentEvent) -> None:
        if known is not None:
            known.append(event)
        if isinstance(event, Late):
            _note(f"answered late: {_said(event.request)} -> {_answer(event.reply)}")

    return Agent(settings(gather(_flags(parsed), os.environ, parsed.config)), on_event)


def _said(request: Request) -> str:
    return f"{request.verb} {_words(request.fields)}"


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
        "grant",
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
    parsed: argparse.Namespace, rows: Sequence[Mapping[str, Any]], columns: Optional[Sequence[str]] = None
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


def _columns(rows: Sequence[Mapping[str, str]]) -> List[str]:
    """Every key that a row has, in the order in which the server says them."""
    return list(dict.fromkeys(key for row in rows for key in row))


def _words(fields: Mapping[str, str]) -> str:
    return " ".join(f"{key}={format_value(value)}" for key, value in fields.items())


def _note(text: str) -> None:
    print(text, file=sys.stderr)
