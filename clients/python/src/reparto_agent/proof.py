# SPDX-License-Identifier: Apache-2.0
"""Checks, without any server, that a record is in the ledger of a signed month. `docs/ledger.md` has the bytes."""

import base64
import binascii
import hashlib
import json
from dataclasses import dataclass
from typing import Any, Dict, List, Optional, Tuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from .errors import AgentError, RequestError

FORMAT = "reparto-proof-1"


class BrokenProof(AgentError):
    """The proof does not hold, or is none. The text says which step failed."""


@dataclass(frozen=True)
class Proven:
    """What a proof that holds says."""

    record: str
    receipt: str
    period: str
    delegation: int
    signed: str
    #: Which key signed.
    key: str
    #: Whether it leads from the key that was named; None where none was.
    trusted: Optional[bool]


def check(text: str, trusted: Optional[str] = None, statement: Optional[bytes] = None) -> Proven:
    """Checks a proof as `dispatcherd ledger prove` writes it.

    `trusted` is the institution's public key in Base64, from somewhere else than the proof. `statement` is the content of
    a statement's JSON file, which the proof then has to be of. Raises BrokenProof, and RequestError where `trusted` is no key.
    """
    try:
        proof = json.loads(text, object_pairs_hook=_members)
        proven = _check(proof, trusted)
        if statement is not None:
            fields = _fields(proven.record, "statement")
            digest = hashlib.sha256(statement).hexdigest()
            _require(fields["digest"] == digest, f"the statement with SHA-256 {digest} is not the one that was signed")
        return proven
    except RequestError:
        raise
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, OverflowError):
        raise BrokenProof("the file is no proof that can be read") from None


def _check(proof: Dict[str, Any], trusted: Optional[str]) -> Proven:
    _require(proof["format"] == FORMAT, f"the format is not {FORMAT}")
    record, receipt = proof["record"], proof["receipt"]
    leaf = _hash(b"\x00", record.encode("utf-8"))
    _require(leaf.hex() == receipt, "the receipt is not that of the record")

    chain, root = proof["chain"], proof["root"]
    block = _climb(leaf, proof["block"])
    place = _hash(b"\x02", chain["height"].to_bytes(8, "big"), block, _bytes32(chain["head"]))
    end = _fields(root["leaf"], "chain")
    _require(_climb(place, chain["path"]).hex() == end["tree"], "the record is not in the chain that the proof names")

    signed = _fields(root["message"], "reparto-period-root-1")
    top = _climb(_hash(b"\x00", root["leaf"].encode("utf-8")), root["path"])
    _require(top.hex() == signed["root"], "the chain is not under the root that was signed")
    named = _fields(record).get("delegation", end["delegation"])
    _require(named == end["delegation"], "the record and its chain are of two delegations")

    keys = _ring(proof["keys"])
    _require(_key_id(keys[0]) == signed["key"], f"the first key is not {signed['key']}, which the signed text names")
    _verify(keys[0], root["signature"], root["message"], "the signature is not one over the signed text")
    return Proven(
        record=record,
        receipt=receipt,
        period=signed["period"],
        delegation=int(end["delegation"]),
        signed=signed["signed"],
        key=signed["key"],
        trusted=None if trusted is None else _trusted(trusted) in keys,
    )


def _members(pairs: List[Tuple[str, Any]]) -> Dict[str, Any]:
    """A member that stands twice would read otherwise to somebody else."""
    members = dict(pairs)
    _require(len(members) == len(pairs), "a member of the file stands twice")
    return members


def _trusted(text: str) -> bytes:
    try:
        key = base64.b64decode(text, validate=True)
    except ValueError:
        key = b""
    if len(key) != 32:
        raise RequestError(f"the key {text!r} is no public key: 32 bytes in Base64, 44 characters")
    return key


def _ring(keys: List[Dict[str, Any]]) -> List[bytes]:
    """The public keys from the one that signed back to the first; a lost one ends the way."""
    ring: List[bytes] = []
    for index, key in enumerate(keys):
        fields = _fields(key["message"], "reparto-ledger-key-1")
        _require(fields["public"] == key["public"], f"key {index + 1} cannot be read")
        ring.append(_decode(key["public"]))
        endorsement = key.get("endorsement")
        if endorsement is None:
            break
        if index + 1 < len(keys):
            former = _decode(keys[index + 1]["public"])
            _verify(former, endorsement, key["message"], f"key {index + 1} is not endorsed by the one that it names")
    return ring


def _hash(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()


def _climb(digest: bytes, path: List[str]) -> bytes:
    _require(len(path) <= 64, "a path is too long")
    for step in path:
        side, neighbour = step[:1], _bytes32(step[1:])
        _require(side in ("L", "R"), "a step of a path has no side")
        digest = _hash(b"\x01", neighbour, digest) if side == "L" else _hash(b"\x01", digest, neighbour)
    return digest


def _bytes32(digits: str) -> bytes:
    value = bytes.fromhex(digits)
    # fromhex takes spaces and capitals; a proof has one spelling.
    _require(len(value) == 32 and value.hex() == digits, "a hash cannot be read")
    return value


def _fields(text: str, kind: Optional[str] = None) -> Dict[str, str]:
    words = text.replace("\n", " ").split(" ")
    _require(kind is None or words[0] == kind, f"a text is no {kind}")
    fields: Dict[str, str] = {}
    for word in words[1:]:
        if word:
            name, _, value = word.partition("=")
            _require(name not in fields, f"{name} stands twice")
            fields[name] = value
    return fields


def _decode(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        raise BrokenProof("a key or signature is not Base64") from None


def _key_id(public: bytes) -> str:
    return hashlib.sha256(public).hexdigest()[:16]


def _verify(public: bytes, signature: str, message: str, failure: str) -> None:
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(_decode(signature), message.encode("utf-8"))
    except InvalidSignature:
        raise BrokenProof(failure) from None


def _require(holds: bool, failure: str) -> None:
    if not holds:
        raise BrokenProof(failure)
