# SPDX-License-Identifier: Apache-2.0
"""Who connects to where, and how patiently."""

import os
import random
import re
import ssl
from dataclasses import dataclass, field
from typing import Callable, Optional, Sequence, Tuple, Union

from .authentication import AgencyKey
from .errors import SettingsError

PORT = 7607
_AGENCY = re.compile(r"[A-Z]{3}[0-9]{2,}\Z")

Address = Tuple[str, int]


@dataclass(frozen=True)
class Settings:
    """All that an agent needs. The first four have no default."""

    #: Host and port of one node or of several; they are tried in this order, round and round.
    servers: Sequence[Address]
    #: The agency, as ACE07.
    agency: str
    key: AgencyKey
    #: The folder of this installation's state. One process at a time, never copied, never restored from a backup.
    state: Union[str, "os.PathLike[str]"]
    #: The installation's name; None takes the state folder's, which was made up when the folder was begun.
    instance: Optional[str] = None
    #: What the server writes into its log about this program.
    client: str = "reparto-agent-python/0.1.0"
    #: Encrypts from the first byte; `tls_context` makes one. None is plain TCP, which servers take on loopback only.
    tls: Optional[ssl.SSLContext] = None
    #: The name that the server's certificate must have, where it is not the host's.
    tls_name: Optional[str] = None
    #: Seconds that a call waits for its answer, reconnecting included.
    timeout: float = 60.0
    connect_timeout: float = 10.0
    #: Seconds without an answer after which a connection is given up.
    reply_timeout: float = 30.0
    #: The first and the longest pause between two attempts; each is shortened by chance.
    pause_first: float = 0.25
    pause_max: float = 30.0
    #: Whether each connection begins with a comparison of what is held.
    resume: bool = True

    def __post_init__(self) -> None:
        if not self.servers:
            raise SettingsError("no server is given; write it as host:port")
        if not _AGENCY.match(self.agency):
            raise SettingsError("the agency is written as ACE07")


def parse_servers(text: str) -> Tuple[Address, ...]:
    """Servers as `host:port`, separated by commas or spaces; the port may be left out, IPv6 stands in brackets."""
    found = []
    for one in re.split(r"[,\s]+", text.strip()):
        match = re.fullmatch(r"(\[[^\]]+\]|[^:\[\]]+)(?::([0-9]{1,5}))?", one)
        port = int(match.group(2) or PORT) if match else 0
        if match is None or not 1 <= port <= 65535:
            raise SettingsError(f"{one or 'nothing'} is no server; write it as host:port")
        found.append((match.group(1).strip("[]"), port))
    return tuple(found)


def tls_context(
    ca_file: Optional[str] = None, certificate: Optional[str] = None, private_key: Optional[str] = None
) -> ssl.SSLContext:
    """TLS 1.3, with the system's authorities or one file's, and a client certificate where one is given."""
    try:
        context = ssl.create_default_context(cafile=ca_file)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        if ssl.HAS_NEVER_CHECK_COMMON_NAME:
            # Alternative names alone: a common name is no server's name.
            context.hostname_checks_common_name = False
        if certificate is not None:
            context.load_cert_chain(certificate, private_key)
    except (OSError, ssl.SSLError) as error:
        raise SettingsError(f"the certificates cannot be read: {error}") from None
    return context


@dataclass
class Backoff:
    """How long to wait before the next attempt: twice as long each time, up to a bound, a random part of it.

    All addresses are tried once before the pause grows.
    """

    first: float
    longest: float
    addresses: int
    chance: Callable[[], float] = field(default=random.random)
    failures: int = 0

    def pause(self, after: Optional[int] = None) -> float:
        """The next pause. `after` is what the server asked for; less is never taken."""
        rounds = min(self.failures // max(1, self.addresses), 30)
        self.failures += 1
        bound = min(self.longest, self.first * 2.0**rounds)
        # At least half of it, so that nobody hammers by luck.
        return float(after or 0) + bound * (0.5 + 0.5 * self.chance())

    def succeeded(self) -> None:
        self.failures = 0
