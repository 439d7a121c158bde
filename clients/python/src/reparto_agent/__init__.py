# SPDX-License-Identifier: Apache-2.0
"""The agency's side of Reparto: pull accounts, report, extend and return over the agent protocol, version 1."""

from . import requests
from .aio import AsyncAgent
from .authentication import AgencyKey
from .errors import (
    AgentClosed,
    AgentError,
    ConnectionFailed,
    FatalRefusal,
    FixRefusal,
    ProtocolError,
    RefreshRefusal,
    Refusal,
    RequestError,
    RetryRefusal,
    SettingsError,
    Unanswered,
)
from .events import AgentEvent, Connected, Disconnected, Late, Missed
from .holdings import Difference
from .proof import BrokenProof, Proven, check
from .replies import STOPS, Account, Extended, Lease, Push, Reply, Reported
from .requests import Request
from .settings import Settings, parse_servers, tls_context
from .sync import Agent

__version__ = "0.1.0"

__all__ = [
    "STOPS",
    "Account",
    "AgencyKey",
    "Agent",
    "AgentClosed",
    "AgentError",
    "AgentEvent",
    "AsyncAgent",
    "BrokenProof",
    "Connected",
    "ConnectionFailed",
    "Difference",
    "Disconnected",
    "Extended",
    "FatalRefusal",
    "FixRefusal",
    "Late",
    "Lease",
    "Missed",
    "ProtocolError",
    "Proven",
    "Push",
    "RefreshRefusal",
    "Refusal",
    "Reply",
    "Reported",
    "Request",
    "RequestError",
    "RetryRefusal",
    "Settings",
    "SettingsError",
    "Unanswered",
    "check",
    "parse_servers",
    "requests",
    "tls_context",
]
