"""The key that signs access tokens, in a file that only its owner can read."""

import base64
import hashlib
import os
from pathlib import Path
from typing import Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from msgspec import Struct

FILE: Final = Path("keys", "access-ed25519.pem")


class NoSigningKey(Exception):
    """There is no usable key, and only a development run makes its own."""


class SigningKey(Struct, frozen=True):
    kid: str
    private: Ed25519PrivateKey
    public: Ed25519PublicKey


def signing_key(data: Path, *, may_create: bool) -> SigningKey:
    path = data / FILE
    if may_create and not path.exists():
        _create(path)
    try:
        private = load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError) as error:
        raise NoSigningKey(f"no Ed25519 private key in {path}") from error
    if not isinstance(private, Ed25519PrivateKey):
        raise NoSigningKey(f"{path} holds another kind of key than Ed25519")
    public = private.public_key()
    return SigningKey(_thumbprint(public), private, public)


def _create(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    pem = Ed25519PrivateKey.generate().private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )
    draft = path.with_suffix(f".{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(pem)
    try:
        path.hardlink_to(draft)  # whole or not at all, and the first one wins
    except FileExistsError:
        return
    finally:
        draft.unlink()


def _thumbprint(public: Ed25519PublicKey) -> str:
    """Name the key as RFC 7638 does."""
    raw = public.public_bytes(Encoding.Raw, PublicFormat.Raw)
    jwk = {"crv": "Ed25519", "kty": "OKP", "x": _base64(raw)}
    return _base64(hashlib.sha256(msgspec.json.encode(jwk)).digest())


def _base64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
