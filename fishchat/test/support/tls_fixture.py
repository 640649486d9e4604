"""Certificates for tests: one authority per test process, in a temporary directory that is removed at its end."""

from __future__ import annotations

import atexit
import datetime
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509.oid import NameOID

from fishchat.services.net.authority import Pair, client_pair, new_authority, server_pair

#: The names in the server's certificate.
HOSTS = ["localhost", "127.0.0.1", "::1"]


@dataclass(frozen=True)
class Authority:
    """Paths of PEM files: the authority's certificate, a server's pair for ``HOSTS`` and a client's."""

    pair: Pair
    directory: Path
    ca: Path
    server: Path
    server_key: Path
    client: Path
    client_key: Path


_authority: Authority | None = None


def authority() -> Authority:
    """Return the files of this test process. Do not change them: a test that needs changes makes a copy."""
    global _authority
    if _authority is None:
        directory = Path(tempfile.mkdtemp(prefix="fc-tls-", dir="/tmp"))
        atexit.register(shutil.rmtree, directory, ignore_errors=True)
        now = datetime.datetime.now(datetime.timezone.utc)
        pair = new_authority(now)
        (directory / "ca.pem").write_bytes(pair.certificate)
        server = write_pair(directory, "server", server_pair(pair, HOSTS, now))
        client = write_pair(directory, "client", client_pair(pair, "ms1", now))
        _authority = Authority(pair, directory, directory / "ca.pem", *server, *client)
    return _authority


def write_pair(directory: Path, name: str, pair: Pair) -> tuple[Path, Path]:
    """Write a pair as NAME.pem and NAME.key, over existing files. Returns their paths."""
    certificate, key = directory / f"{name}.pem", directory / f"{name}.key"
    certificate.write_bytes(pair.certificate)
    key.unlink(missing_ok=True)
    handle = os.open(key, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(handle, "wb") as stream:
        stream.write(pair.key)
    return certificate, key


def signed(key: Any, names: list[x509.GeneralName] | None, signer: Any = None) -> x509.Certificate:
    """Make an unusual certificate for ``key``, signed by the tests' authority (by ``signer``)."""
    now, day = datetime.datetime.now(datetime.timezone.utc), datetime.timedelta(days=1)
    root = x509.load_pem_x509_certificate(authority().pair.certificate)
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")]))
        .issuer_name(root.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - day)
        .not_valid_after(now + day)
    )
    if names is not None:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    if signer is None:
        signer = load_pem_private_key(authority().pair.key, None)
    return builder.sign(signer, None if isinstance(signer, ed25519.Ed25519PrivateKey) else hashes.SHA256())
