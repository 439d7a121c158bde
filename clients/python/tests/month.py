# SPDX-License-Identifier: Apache-2.0
"""A small dealt month behind a real dispatcherd, and a wire that can be cut."""

import csv
import os
import shutil
import signal
import socket
import subprocess
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator, List, Optional, Set, Tuple

import document
from reparto_agent import AgencyKey, Settings

PERIOD = "2024-03"
FOLDER = document.ROOT / "var" / "python" / "month"


def program(name: str) -> str:
    path = Path(os.environ.get("REPARTO_BIN", str(document.ROOT / ".build" / "release"))) / name
    if not path.exists():
        raise RuntimeError(f"{path} is missing; REPARTO_BIN names the folder of the built programs")
    return str(path)


def certificate(name: str) -> str:
    """A file of the certificates that the Swift tests use."""
    return str(document.ROOT / "Tests" / "AgentProtocolTests" / "Certificates" / name)


class Month:
    """Accounts, contracts and keys, dealt, in a private PostgreSQL of its own."""

    def __init__(self) -> None:
        self.port = 0
        self._daemon: Optional["subprocess.Popen[bytes]"] = None
        self._data = ["--data-dir", str(FOLDER / "postgres")]
        self._free: List[str] = []

    def begin(self) -> None:
        self.remove()
        FOLDER.mkdir(parents=True)
        made, period = FOLDER / "portfolio", ["--period", PERIOD]
        self._run(
            "agentsim", "portfolio", "--out", str(made), "--accounts", "20000", "--seed", "7", *period, own=False
        )
        policies = document.ROOT / "policies"
        self._run("dispatcherd", "database", "start")
        self._run("dispatcherd", "clock", "set", "2024-03-01T06:00Z")
        self._run("dispatcherd", "import", "zones", str(policies / "zones.csv"), *period)
        self._run("dispatcherd", "import", "schedules", str(policies / "schedules.csv"), *period)
        self._run("dispatcherd", "import", "contracts", str(made / "contracts.csv"), *period)
        self._run("dispatcherd", "agency", "key", "add", "--file", str(made / "keys.csv"))
        self._run("dispatcherd", "import", "cut", str(made / "cut.csv"), *period)
        self._run("dispatcherd", "import", "facts", str(made / "facts-opening.csv"), *period)
        policy = str(policies / "infonavit-2023.yaml")
        self._run("dispatcherd", "segment", "--policy", policy, *period)
        self._run("dispatcherd", "plan", "apply", *period)
        self._free = sorted((path.stem for path in (made / "keys").iterdir()), key=self._weight)
        self.serve()

    def end(self) -> None:
        self.stop()
        self._run("dispatcherd", "database", "stop")

    def remove(self) -> None:
        """Takes away what an earlier run left."""
        if (FOLDER / "postgres").exists():
            self._run("dispatcherd", "database", "stop")
        shutil.rmtree(FOLDER, ignore_errors=True)

    def serve(self) -> None:
        self._daemon, self.port = self._start("ready", self.port)

    @contextmanager
    def serve_tls(self) -> Iterator[int]:
        """A second node, whose connections are encrypted and which wants a client's certificate; its port."""
        names = ("--tls-certificate", "server.pem"), ("--tls-key", "server.key"), ("--tls-client-ca", "authority.pem")
        daemon, port = self._start("ready-tls", 0, *(word for flag, name in names for word in (flag, certificate(name))))
        try:
            yield port
        finally:
            daemon.send_signal(signal.SIGTERM)
            daemon.wait(120)

    def _start(self, ready_name: str, port: int, *words: str) -> Tuple["subprocess.Popen[bytes]", int]:
        ready = FOLDER / ready_name
        ready.unlink(missing_ok=True)
        with open(FOLDER / "dispatcherd.log", "ab") as log:
            daemon = subprocess.Popen(
                [program("dispatcherd"), "serve", "--port", str(port), "--ready-file", str(ready), *words, *self._data],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=FOLDER,
                start_new_session=True,
            )
        end = time.monotonic() + 120
        while not ready.exists() or not ready.read_text().strip():
            if daemon.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"dispatcherd does not listen; see {FOLDER}/dispatcherd.log")
            time.sleep(0.02)
        return daemon, int(ready.read_text().split()[1])

    def stop(self, how: int = signal.SIGTERM) -> None:
        if self._daemon is not None:
            self._daemon.send_signal(how)
            self._daemon.wait(120)
            self._daemon = None

    def agency(self) -> str:
        """An agency that no other test has; the one with the most accounts to come first."""
        return self._free.pop(0)

    def pools(self, agency: str) -> List[Tuple[int, str]]:
        """Where it has contracts: delegations and strategies."""
        found: Set[Tuple[int, str]] = set()
        with open(FOLDER / "portfolio" / "contracts.csv", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                if row["agency"] == agency:
                    found |= {(int(row["delegation"]), strategy) for strategy in row["strategies"].split(";")}
        return sorted(found)

    def settings(self, agency: str, state: str = "", port: int = 0, timeout: float = 120.0) -> Settings:
        return Settings(
            servers=[("127.0.0.1", port or self.port)],
            agency=agency,
            key=AgencyKey.read(self.key_file(agency)),
            state=FOLDER / "state" / (state or agency),
            timeout=timeout,
            reply_timeout=60.0,
            pause_first=0.05,
            pause_max=0.5,
        )

    def key_file(self, agency: str) -> Path:
        return FOLDER / "portfolio" / "keys" / f"{agency}.key"

    def clock(self, instant: str) -> None:
        """Moves the clock on; it never goes back."""
        self._run("dispatcherd", "clock", "set", instant)

    def count(self, query: str) -> int:
        """One number from the tables."""
        url = self._run("dispatcherd", "database", "url").strip()
        done = subprocess.run(["psql", url, "-XAtc", query], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(done.stderr)
        return int(done.stdout.strip())

    def _weight(self, agency: str) -> int:
        return -len(self.pools(agency))

    def _run(self, name: str, *words: str, own: bool = True) -> str:
        command = [program(name), *words, *(self._data if own else [])]
        environment = {key: value for key, value in os.environ.items() if not key.startswith("REPARTO_")}
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            check=False,
            cwd=FOLDER if FOLDER.exists() else None,
            env=environment,
            stdin=subprocess.DEVNULL,
        )
        if done.returncode != 0:
            raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}: {done.stderr}")
        return done.stdout


class Wire:
    """A TCP proxy before the daemon, whose connections can be cut, and whose replies can be lost."""

    def __init__(self, month: Month) -> None:
        self._month = month
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        #: Whether what the server says after its next bytes is thrown away.
        self.is_deaf = threading.Event()
        self.cuts = 0
        self._pairs: List[Tuple[socket.socket, socket.socket]] = []
        self._lock = threading.Lock()
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        with self._lock:
            pairs, self._pairs = self._pairs, []
        self.cuts += len(pairs)
        for pair in pairs:
            self._shut(pair)

    def close(self) -> None:
        # Wakes the thread that waits for a client; closing alone would not.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(("127.0.0.1", self._month.port))
            except OSError:
                client.close()
                continue
            with self._lock:
                self._pairs.append((client, server))
            threading.Thread(target=self._carry, args=(client, server), daemon=True).start()

    def _carry(self, client: socket.socket, server: socket.socket) -> None:
        back = threading.Thread(target=self._copy, args=(server, client, True), daemon=True)
        back.start()
        self._copy(client, server, False)
        back.join()
        client.close()
        server.close()

    @staticmethod
    def _shut(pair: Tuple[socket.socket, socket.socket]) -> None:
        for one in pair:
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def _copy(self, source: socket.socket, target: socket.socket, from_server: bool) -> None:
        try:
            while True:
                data = source.recv(4096)
                if not data:
                    break
                if not (from_server and self.is_deaf.is_set()):
                    target.sendall(data)
        except OSError:
            pass
        self._shut((source, target))
