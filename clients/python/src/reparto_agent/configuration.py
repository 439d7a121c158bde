# SPDX-License-Identifier: Apache-2.0
"""Settings of the command line: a flag goes before the environment, the environment before the file."""

import configparser
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, Mapping, Optional

from .authentication import AgencyKey
from .errors import SettingsError
from .settings import Settings, parse_servers, tls_context

#: Each setting, and what it is.
NAMES: Dict[str, str] = {
    "server": "host:port of a node; several with commas",
    "agency": "the agency, as ACE07",
    "key": "the file of the agency's private key",
    "state": "the folder of this installation's state",
    "instance": "the installation's name; the state folder's by itself",
    "timeout": "seconds that a command waits for its answer",
    "tls": "yes: encrypted from the first byte",
    "tls-ca": "the file of the authorities that signed the server's certificate",
    "tls-name": "the name in the server's certificate, where it is not the host's",
    "tls-certificate": "the file of a client certificate",
    "tls-key": "the file of its key",
}
DEFAULTS: Dict[str, str] = {"server": "127.0.0.1", "timeout": "60", "tls": "no"}
FILE = "reparto-agent.ini"
SECTION = "reparto-agent"


@dataclass(frozen=True)
class Setting:
    """One setting's value, and where it comes from."""

    value: str
    source: str


def environment_name(name: str) -> str:
    return "REPARTO_AGENT_" + name.replace("-", "_").upper()


def gather(
    flags: Mapping[str, Optional[str]], environment: Mapping[str, str], file: Optional[str]
) -> Dict[str, Setting]:
    """The settings that have a value. Without `file`, reparto-agent.ini of the working folder is read if there."""
    found = {name: Setting(value, "default") for name, value in DEFAULTS.items()}
    path = Path(file or environment.get("REPARTO_AGENT_CONFIG") or FILE)
    if file or "REPARTO_AGENT_CONFIG" in environment or path.exists():
        found.update({name: Setting(value, str(path)) for name, value in _read(path).items()})
    for name in NAMES:
        if environment.get(environment_name(name)):
            found[name] = Setting(environment[environment_name(name)], environment_name(name))
        flag = flags.get(name)
        if flag is not None:
            found[name] = Setting(flag, f"--{name}")
    return found


def _read(path: Path) -> Dict[str, str]:
    parser = configparser.ConfigParser(interpolation=None)
    try:
        with open(path, encoding="utf-8") as file:
            parser.read_file(file)
    except (OSError, UnicodeDecodeError, configparser.Error) as error:
        raise SettingsError(f"{path} cannot be read: {error}") from None
    if not parser.has_section(SECTION):
        raise SettingsError(f"{path} has no section [{SECTION}]")
    values = dict(parser.items(SECTION))
    for name in values:
        if name not in NAMES:
            raise SettingsError(f"{path} has the unknown setting {name}; known are {', '.join(NAMES)}")
    # A file is named from where the settings stand, not from where the command is run.
    for name in ("key", "state", "tls-ca", "tls-certificate", "tls-key"):
        if name in values:
            values[name] = str(path.parent / Path(values[name]).expanduser())
    return values


def settings(found: Mapping[str, Setting]) -> Settings:
    """The settings of an agent. Raises SettingsError where one is missing or wrong."""

    def text(name: str) -> Optional[str]:
        return found[name].value if name in found else None

    for name in ("agency", "key"):
        if name not in found:
            raise SettingsError(
                f"{name} is not set: give --{name}, {environment_name(name)}, or {name} = ... in {FILE}"
            )
    try:
        timeout = float(found["timeout"].value)
        if not 0 < timeout < 1e6:
            raise ValueError
    except ValueError:
        raise SettingsError(f"timeout is {found['timeout'].value}; it takes seconds") from None
    if found["tls"].value not in ("yes", "no"):
        raise SettingsError(f"tls is {found['tls'].value}; it takes yes or no")
    is_encrypted = found["tls"].value == "yes"
    agency = found["agency"].value
    return Settings(
        servers=parse_servers(found["server"].value),
        agency=agency,
        key=AgencyKey.read(Path(found["key"].value).expanduser()),
        state=Path(text("state") or default_state(agency, os.environ)).expanduser(),
        instance=text("instance"),
        tls=tls_context(text("tls-ca"), text("tls-certificate"), text("tls-key")) if is_encrypted else None,
        tls_name=text("tls-name"),
        timeout=timeout,
    )


def default_state(agency: str, environment: Mapping[str, str]) -> str:
    base = environment.get("XDG_STATE_HOME") or "~/.local/state"
    return f"{base}/reparto-agent/{agency}"
