"""Certificates and keys from PEM files."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import PublicKeyAlgorithmOID


class PemError(ValueError):
    """The file does not hold what was expected. The text begins with its path and shows none of its content."""


def read_certificates(path: Path) -> list[x509.Certificate]:
    """Return all certificates of the file, at least one, in its order. PemError otherwise."""
    try:
        return x509.load_pem_x509_certificates(path.read_bytes())
    except OSError as error:
        raise PemError(f"{path} cannot be read: {error.strerror}") from None
    except ValueError:
        raise PemError(f"{path} is not a certificate in PEM format") from None


def read_key(path: Path) -> Any:
    """Return the private key in the file. PemError otherwise, and when other users can read it."""
    try:
        with open(path, "rb") as file:
            status = os.fstat(file.fileno())
            text = file.read()
    except OSError as error:
        raise PemError(f"{path} cannot be read: {error.strerror}") from None
    # A group may read a key that root owns, as on Debian.
    others = stat.S_IRWXO if status.st_uid == 0 else stat.S_IRWXO | stat.S_IRWXG
    if status.st_mode & others:
        raise PemError(f"{path} is a private key that other users can read; run `chmod 600 {path}`")
    try:
        return serialization.load_pem_private_key(text, password=None)
    except TypeError:
        raise PemError(f"{path} is encrypted; remove its password, because a server cannot ask for it") from None
    except (ValueError, UnsupportedAlgorithm):
        raise PemError(f"{path} is not a private key in PEM format") from None


def read_pair(certificate: Path, key: Path) -> tuple[list[x509.Certificate], Any]:
    """Return a certificate with its chain, and its key. PemError also when they do not belong together."""
    chain, private = read_certificates(certificate), read_key(key)
    if chain[0].public_key_algorithm_oid == PublicKeyAlgorithmOID.RSASSA_PSS:
        # The TLS library takes the key for an ordinary one, which does not belong to the certificate.
        raise PemError(f"{certificate} has a key for RSA-PSS only; use a certificate with an ordinary RSA or EC key")
    if chain[0].public_key() != private.public_key():
        raise PemError(f"{key} does not belong to the first certificate in {certificate}")
    return chain, private
