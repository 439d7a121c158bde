# SPDX-License-Identifier: Apache-2.0
"""What an installation must not forget: its sequence, its keys, what it sent and has no answer to, and what it holds.

One SQLite file in the state folder. Every call is one transaction that is on disk when it returns. The file is locked
for as long as it is open: one folder is one installation, used by one process at a time.
"""

import json
import os
import secrets
import sqlite3
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Dict, Iterable, List, Optional, Sequence, Tuple, Union

from .errors import SettingsError
from .replies import Account
from .requests import Request
from .values import write_name

_SCHEMA = """
CREATE TABLE installation (one INTEGER PRIMARY KEY CHECK (one = 1), version INTEGER NOT NULL,
    agency TEXT NOT NULL, instance TEXT NOT NULL, sequence INTEGER NOT NULL);
CREATE TABLE latest_key (delegation INTEGER, verb TEXT, key INTEGER NOT NULL, PRIMARY KEY (delegation, verb));
CREATE TABLE pending (id INTEGER PRIMARY KEY AUTOINCREMENT, verb TEXT NOT NULL, fields TEXT NOT NULL);
CREATE TABLE held (delegation INTEGER, account INTEGER, epoch INTEGER NOT NULL, grant_id INTEGER NOT NULL,
    term TEXT NOT NULL, fields TEXT NOT NULL, PRIMARY KEY (delegation, account)) WITHOUT ROWID;
"""
_VERSION = 1


@dataclass(frozen=True)
class Pending:
    """A request with its key, from before it is sent until its answer is on disk."""

    id: int
    request: Request


@dataclass(frozen=True)
class Change:
    """What an answer changes about what is held: `account` came or was renewed, or else `ended` is over.

    With `compared_at` all of it was compared, on a connection that began at that time of the server.
    """

    account: Optional[Account] = None
    ended: Optional[Tuple[int, int]] = None
    compared_at: Optional[str] = None


class State:
    """The open state folder. Not for several threads at a time."""

    def __init__(self, folder: Union[str, "os.PathLike[str]"], agency: str, instance: Optional[str] = None) -> None:
        """Opens the folder, or begins a new installation in it.

        - instance: its name. None takes the one of the folder, or makes a random one for a new folder.
        - Raises SettingsError where the folder is in use, belongs to somebody else or cannot be written.
        """
        self.folder = Path(folder)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            if os.name == "posix":
                # What is held is nobody else's business.
                os.chmod(self.folder, 0o700)
            self._database = sqlite3.connect(
                str(self.folder / "agent.db"), isolation_level=None, check_same_thread=False, timeout=0.0
            )
            try:
                self._open(agency, instance)
            except BaseException:
                self._database.close()
                raise
        except sqlite3.OperationalError as error:
            if "locked" in str(error):
                raise SettingsError(
                    f"the state folder {folder} is in use by another process; "
                    "a second one needs a folder, and so an instance, of its own"
                ) from None
            raise SettingsError(f"the state folder {folder} cannot be used: {error}") from None
        except (sqlite3.DatabaseError, OSError) as error:
            raise SettingsError(f"the state folder {folder} cannot be used: {error}") from None

    def _open(self, agency: str, instance: Optional[str]) -> None:
        database = self._database
        # FULL: what a transaction wrote is on disk, not only with the system, before the next step is taken.
        for pragma in ("locking_mode=EXCLUSIVE", "journal_mode=WAL", "synchronous=FULL"):
            database.execute(f"PRAGMA {pragma}").fetchall()
        database.execute("BEGIN EXCLUSIVE")
        found = database.execute("SELECT name FROM sqlite_master WHERE name = 'installation'").fetchone()
        if found is None:
            for statement in _SCHEMA.split(";")[:-1]:
                database.execute(statement)
            name = write_name(instance or f"py-{secrets.token_hex(6)}", "instance")
            database.execute("INSERT INTO installation VALUES (1, ?, ?, ?, 0)", (_VERSION, agency, name))
        # Folders of before have none.
        database.execute(
            "CREATE TABLE IF NOT EXISTS compared (one INTEGER PRIMARY KEY CHECK (one = 1), time TEXT NOT NULL)"
        )
        row = database.execute("SELECT version, agency, instance FROM installation").fetchone()
        database.execute("COMMIT")
        if row[0] != _VERSION:
            raise SettingsError(f"the state folder {self.folder} is of version {row[0]}, this is for {_VERSION}")
        if row[1] != agency or instance not in (None, row[2]):
            raise SettingsError(
                f"the state folder {self.folder} belongs to {row[1]} instance {row[2]}; choose another folder"
            )
        self.instance: str = row[2]
        if found is None:
            self._sync_folder()

    def _sync_folder(self) -> None:
        # A new file is only as durable as its name in the folder.
        if os.name == "posix":
            descriptor = os.open(self.folder, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)

    def close(self) -> None:
        self._database.close()

    def next_sequence(self) -> int:
        """A number greater than every earlier one, on disk before it is used."""
        with _Transaction(self._database) as database:
            database.execute("UPDATE installation SET sequence = sequence + 1")
            sequence: int = database.execute("SELECT sequence FROM installation").fetchone()[0]
        return sequence

    def turn(self, answered: Iterable[int], changes: Iterable[Change], requests: Sequence[Request]) -> List[Pending]:
        """One transaction: what has its answer and what that changed, and new requests with their keys."""
        with _Transaction(self._database) as database:
            database.executemany("DELETE FROM pending WHERE id = ?", [(one,) for one in answered])
            for change in changes:
                if change.account is not None:
                    database.execute("INSERT OR REPLACE INTO held VALUES (?, ?, ?, ?, ?, ?)", _row(change.account))
                if change.ended is not None:
                    database.execute("DELETE FROM held WHERE delegation = ? AND account = ?", change.ended)
                if change.compared_at is not None:
                    database.execute("INSERT OR REPLACE INTO compared VALUES (1, ?)", (change.compared_at,))
            return [self._prepare(request) for request in requests]

    def prepare(self, requests: Sequence[Request]) -> List[Pending]:
        """Gives each request the next key of its delegation and verb, and keeps it until `finish`."""
        return self.turn((), (), requests)

    def finish(self, answered: Iterable[int], changes: Iterable[Change] = ()) -> None:
        """These have their answer, and this is what it changed. Both are on disk, or neither."""
        self.turn(answered, changes, ())

    def _prepare(self, request: Request) -> Pending:
        place = (request.delegation, request.verb)
        row = self._database.execute("SELECT key FROM latest_key WHERE delegation = ? AND verb = ?", place).fetchone()
        keyed = request.with_key((0 if row is None else int(row[0])) + 1)
        self._database.execute("INSERT OR REPLACE INTO latest_key VALUES (?, ?, ?)", (*place, keyed.key))
        cursor = self._database.execute(
            "INSERT INTO pending (verb, fields) VALUES (?, ?)", (keyed.verb, json.dumps(keyed.fields))
        )
        return Pending(int(cursor.lastrowid or 0), keyed)

    def pending(self) -> List[Pending]:
        """What was prepared and not finished, in the order of its preparation."""
        rows = self._database.execute("SELECT id, verb, fields FROM pending ORDER BY id").fetchall()
        return [Pending(row[0], Request(row[1], json.loads(row[2]))) for row in rows]

    def compared_at(self) -> Optional[str]:
        """See `Change`; None where nothing was compared yet."""
        row = self._database.execute("SELECT time FROM compared").fetchone()
        return None if row is None else str(row[0])

    def held(self) -> Dict[Tuple[int, int], Account]:
        """What is held, by delegation and account."""
        rows = self._database.execute("SELECT * FROM held ORDER BY delegation, account").fetchall()
        return {
            (row[0], row[1]): Account(row[0], row[1], row[2], row[3], _instant(row[4]), json.loads(row[5]))
            for row in rows
        }


class _Transaction:
    """All of it or nothing; on disk when it is left without an error."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database

    def __enter__(self) -> sqlite3.Connection:
        self._database.execute("BEGIN IMMEDIATE")
        return self._database

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        self._database.execute("COMMIT" if kind is None else "ROLLBACK")


def _row(account: Account) -> Tuple[int, int, int, int, str, str]:
    return (
        account.delegation,
        account.account,
        account.epoch,
        account.grant,
        account.term.isoformat(),
        json.dumps(account.fields),
    )


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)
