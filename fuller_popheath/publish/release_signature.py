"""Who signed a release: an Ed25519 key (RFC 8032), made on first use in the vault, and its public half beside the releases.

`<vault>/releases/signing_key.pem`, 0600 in folders 0700; `<releases>/public_key.pem`, for everybody. Whoever holds the vault signs; anybody can
check. What does not belong here: what is signed.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from fuller_popheath.errors import FileRefused, InputMissing, SettingsWrong
from fuller_popheath.whole_files import OPEN_FILE, PRIVATE_FILE, PRIVATE_FOLDER, make_folder, replace_whole

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

PRIVATE, PUBLIC = "releases/signing_key.pem", "public_key.pem"
NAME_LETTERS = 16


@dataclass(frozen=True)
class PublicKey:
    """What a signature is checked with. `name`: the first letters of the SHA-256 of its 32 bytes, by which a manifest names it."""

    key: Ed25519PublicKey = field(repr=False)

    @property
    def name(self) -> str:
        """By what a manifest names it."""
        return hashlib.sha256(self.key.public_bytes_raw()).hexdigest()[:NAME_LETTERS]

    def has_signed(self, content: bytes, signature: str) -> bool:
        """Whether this key's owner signed exactly these bytes."""
        from cryptography.exceptions import InvalidSignature

        try:
            self.key.verify(base64.b64decode(signature, validate=True), content)
        except (InvalidSignature, ValueError):
            return False
        return True


@dataclass(frozen=True)
class SigningKey:
    """What releases are signed with."""

    key: Ed25519PrivateKey = field(repr=False)

    @property
    def public(self) -> PublicKey:
        """The half that everybody may have."""
        return PublicKey(self.key.public_key())

    def sign(self, content: bytes) -> str:
        """The signature of some bytes, as Base64."""
        return base64.b64encode(self.key.sign(content)).decode()


def signing_key(vault: Path) -> SigningKey:
    """The site's key, made of the system's own randomness where there is none yet: a key that a seed could make again is none.

    Raises SettingsWrong where others can read it, FileRefused where the file holds no such key.
    """
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    path = vault / PRIVATE
    if not path.is_file():
        made = Ed25519PrivateKey.generate()
        text = made.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        for folder in (vault, path.parent):
            make_folder(folder, PRIVATE_FOLDER)
        replace_whole(path, lambda part: part.write_bytes(text), PRIVATE_FILE)
        return SigningKey(made)
    if path.stat().st_mode & 0o077:
        raise SettingsWrong(f"others can read the key that signs releases ({PRIVATE} in the vault): chmod 600 it, and its folders 700")
    try:
        found = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except ValueError:
        found = None
    if not isinstance(found, Ed25519PrivateKey):
        raise FileRefused(
            f"{PRIVATE} in the vault is no Ed25519 key: restore it, or move it away and a new one is made (older releases stay signed by it)"
        )
    return SigningKey(found)


def publish_key(releases: Path, key: PublicKey) -> None:
    """Put the public key beside the releases; nothing is written where it is there."""
    from cryptography.hazmat.primitives import serialization

    text = key.key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    path = releases / PUBLIC
    if not path.is_file() or path.read_bytes() != text:
        replace_whole(path, lambda part: part.write_bytes(text), OPEN_FILE)


def public_key(releases: Path) -> PublicKey:
    """The key beside the releases. Whoever could replace a release could replace it too: a check that must not be fooled takes `trusted_key`.

    Raises InputMissing where there is none, FileRefused where the file holds no such key.
    """
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    path = releases / PUBLIC
    if not path.is_file():
        raise InputMissing(f"there is no {PUBLIC} beside the releases: the next release puts it there")
    try:
        found = serialization.load_pem_public_key(path.read_bytes())
    except ValueError:
        found = None
    if not isinstance(found, Ed25519PublicKey):
        raise FileRefused(f"{PUBLIC} beside the releases is no Ed25519 key: remove it, and the next release puts it there again")
    return PublicKey(found)


def trusted_key(vault: Path, releases: Path) -> PublicKey:
    """The vault's own public half for whoever may read it, else the one beside the releases. Raises as the two do."""
    try:
        is_there = (vault / PRIVATE).is_file()
    except PermissionError:
        is_there = False
    return signing_key(vault).public if is_there else public_key(releases)
