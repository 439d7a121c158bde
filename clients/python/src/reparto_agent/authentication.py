# SPDX-License-Identifier: Apache-2.0
"""Who an agency is: its key, and what it signs to be let in."""

import base64
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Optional, Union

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from .errors import SettingsError

LABEL = b"reparto-agent-auth-v1"
NONCE_BYTES = 32


@dataclass(frozen=True)
class Claim:
    """What a signature covers."""

    server: str
    server_nonce: bytes
    client_nonce: bytes
    agency: str
    instance: str
    sequence: int
    #: SHA-256 of the server's certificate where the connection is encrypted.
    certificate: Optional[bytes] = None

    def message(self) -> bytes:
        """The bytes to sign: each field after its length in two bytes, big-endian."""
        fields = [
            LABEL,
            self.server.encode("utf-8"),
            self.server_nonce,
            self.client_nonce,
            self.agency.encode("utf-8"),
            self.instance.encode("utf-8"),
            self.sequence.to_bytes(8, "big"),
        ]
        if self.certificate is not None:
            fields.append(self.certificate)
        return b"".join(len(field).to_bytes(2, "big") + field for field in fields)


class AgencyKey:
    """An agency's private key. It is never printed: `repr` shows the public half."""

    def __init__(self, secret: bytes) -> None:
        if len(secret) != 32:
            raise SettingsError("an Ed25519 private key has 32 bytes")
        self._key = Ed25519PrivateKey.from_private_bytes(secret)

    @staticmethod
    def generate() -> "AgencyKey":
        raw = Ed25519PrivateKey.generate().private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
        return AgencyKey(raw)

    @staticmethod
    def read(path: Union[str, "os.PathLike[str]"]) -> "AgencyKey":
        """A key file: 32 bytes in Base64, one line; or PEM (PKCS #8). Nobody but its owner may read it.

        Raises SettingsError for any other file, for a key with a passphrase, and for a file that others can read.
        """
        try:
            with open(path, "rb") as file:
                mode = os.fstat(file.fileno()).st_mode
                text = file.read(4096)
        except OSError as error:
            raise SettingsError(
                f"the key file {os.fspath(path)} cannot be read: {error.strerror}. 'reparto-agent keygen' makes one"
            ) from None
        if os.name == "posix" and stat.S_IMODE(mode) & 0o077:
            raise SettingsError(
                f"the key file {os.fspath(path)} can be read by others. Run: chmod 600 {os.fspath(path)}"
            )
        try:
            if text.lstrip().startswith(b"-----BEGIN"):
                return AgencyKey._of_pem(text)
            return AgencyKey(base64.b64decode(text.strip(), validate=True))
        except (ValueError, TypeError, UnsupportedAlgorithm, SettingsError):
            raise SettingsError(
                f"the key file {os.fspath(path)} is neither 32 bytes in Base64, as 'reparto-agent keygen' makes them, nor "
                "an Ed25519 key in PEM without a passphrase, as 'openssl genpkey -algorithm ed25519' does"
            ) from None

    @staticmethod
    def _of_pem(text: bytes) -> "AgencyKey":
        key = load_pem_private_key(text, None)
        if not isinstance(key, Ed25519PrivateKey):
            raise ValueError("another kind of key")
        return AgencyKey(key.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption()))

    def write(self, path: Union[str, "os.PathLike[str]"]) -> None:
        """Writes a new key file that only its owner can read. An existing file is never overwritten."""
        raw = self._key.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
        try:
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(base64.b64encode(raw) + b"\n")
                file.flush()
                os.fsync(file.fileno())
        except FileExistsError:
            raise SettingsError(f"{os.fspath(path)} is there already, and a key is not overwritten") from None
        except OSError as error:
            raise SettingsError(f"{os.fspath(path)} cannot be written: {error.strerror}") from None

    @property
    def public(self) -> str:
        """The public key, 32 bytes in Base64, as `dispatcherd agency key add` takes it."""
        return base64.b64encode(self._key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)).decode("ascii")

    def sign(self, claim: Claim) -> bytes:
        return self._key.sign(claim.message())

    def __repr__(self) -> str:
        return f"AgencyKey(public={self.public})"
