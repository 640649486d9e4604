"""TLS certificates without a public authority: a private authority, and the pairs that it signs.

This module reads and writes no files. It receives and returns certificates and keys as PEM.
"""

from __future__ import annotations

import datetime
import ipaddress
import re
from dataclasses import dataclass, field

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

#: Days that an authority and its certificates are valid. Browsers refuse a server certificate of more than 398 days.
AUTHORITY_DAYS, DAYS = 3650, 397
#: Seconds. The clocks of other machines may be late.
_SKEW = datetime.timedelta(hours=1)

_LABEL = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)")
#: The longest name that DNS allows.
_LONGEST = 253


@dataclass(frozen=True)
class Pair:
    """A certificate and its key, both PEM. Only the certificate is ever shown."""

    certificate: bytes
    key: bytes = field(repr=False)


def parse_host(text: str) -> str:
    """Return the host in the form used in certificates: an IP address, or a name in lower case.

    Raises ValueError, whose text gives the reason, for a host that no client could connect to.
    """
    bare = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    try:
        address = ipaddress.ip_address(bare)
    except ValueError:
        return _parse_name(text)
    if getattr(address, "scope_id", None):
        raise ValueError(f"{text!r} is valid on this machine only; remove the part after %")
    if address.is_unspecified:
        raise ValueError(
            f"{text!r} is an address to listen on, not one to connect to; name the hosts that clients connect to"
        )
    return str(address)


def _parse_name(text: str) -> str:
    name = text.lower().removesuffix(".")
    labels = name.split(".")
    if not name.isascii():
        raise ValueError(f"{text!r} has characters that DNS does not allow; write the name as xn--…")
    if "*" in name:
        raise ValueError(f"{text!r} is a pattern; list every name")
    if len(name) > _LONGEST or not all(map(_LABEL.fullmatch, labels)):
        raise ValueError(f"{text!r} is neither a host name nor an IP address; give a host, such as chat.example.org")
    if labels[-1].isdigit():
        raise ValueError(f"{text!r} is not an IP address")
    return name


def new_authority(now: datetime.datetime, days: float = AUTHORITY_DAYS) -> Pair:
    """Create a private authority. It signs certificates of servers and clients, never of other authorities."""
    key = ec.generate_private_key(ec.SECP256R1())
    # A client may have authorities from two places: their keys distinguish them.
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    name = _name(f"FishChat private authority {identifier.digest.hex()[:8]}")
    usage = _usage(key_cert_sign=True, crl_sign=True)
    made = (
        _unsigned(name, name, key, now, days)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .sign(key, hashes.SHA256())
    )
    return _pair(made, key)


def server_pair(authority: Pair, hosts: list[str], now: datetime.datetime, days: float = DAYS) -> Pair:
    """Return a server's certificate for ``hosts``, which are in the form of ``parse_host``. ValueError on failure."""
    names = [_general_name(host) for host in hosts]
    return _signed(authority, hosts[0], names, ExtendedKeyUsageOID.SERVER_AUTH, now, days)


def client_pair(authority: Pair, name: str, now: datetime.datetime, days: float = DAYS) -> Pair:
    """Return a client's certificate, for links between machines. Raises ValueError if the authority cannot sign."""
    return _signed(authority, name, [x509.DNSName(name)], ExtendedKeyUsageOID.CLIENT_AUTH, now, days)


def names_of(certificate: x509.Certificate) -> list[str]:
    """Return the DNS names and IP addresses of a certificate, in its order."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    return [str(name.value) for name in names if isinstance(name, (x509.DNSName, x509.IPAddress))]


def days_left(certificate: x509.Certificate, now: datetime.datetime) -> float:
    """Return the days until the certificate expires; negative after that."""
    return (certificate.not_valid_after_utc - now) / datetime.timedelta(days=1)


def issuer_of(certificate: x509.Certificate) -> str:
    """Return the authority's common name, or its whole name when it has no common name."""
    names = certificate.issuer.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(names[0].value) if names else certificate.issuer.rfc4514_string()


def fingerprint(certificate: x509.Certificate) -> str:
    """Return the SHA-256 fingerprint in the form of ``openssl x509 -fingerprint``."""
    return certificate.fingerprint(hashes.SHA256()).hex(":").upper()


def _signed(
    authority: Pair,
    subject: str,
    names: list[x509.GeneralName],
    purpose: x509.ObjectIdentifier,
    now: datetime.datetime,
    days: float,
) -> Pair:
    root, signer = _loaded(authority)
    if days_left(root, now) < days:
        raise ValueError(f"the authority itself expires in {max(0, int(days_left(root, now)))} days; lower --days")
    key = ec.generate_private_key(ec.SECP256R1())
    identifier = root.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    made = (
        # Clients check only the alternative names, so a name too long for a common name is placed there alone.
        _unsigned(_name(subject[:64]), root.subject, key, now, days)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(digital_signature=True), critical=True)
        .add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier), critical=False)
        .sign(signer, hashes.SHA256())
    )
    return _pair(made, key)


def _loaded(authority: Pair) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    root = x509.load_pem_x509_certificate(authority.certificate)
    key = serialization.load_pem_private_key(authority.key, password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != root.public_key():
        raise ValueError("ca.key does not belong to ca.pem; restore the matching file")
    try:
        root.verify_directly_issued_by(root)
    except (ValueError, TypeError, InvalidSignature):
        raise ValueError("ca.pem was not created by `fishchat cert`; move it away, or choose another --dir") from None
    return root, key


def _unsigned(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, now: datetime.datetime, days: float
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _SKEW)
        .not_valid_after(now + datetime.timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _usage(*, digital_signature: bool = False, key_cert_sign: bool = False, crl_sign: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        key_cert_sign=key_cert_sign,
        crl_sign=crl_sign,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _pair(certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> Pair:
    return Pair(
        certificate.public_bytes(serialization.Encoding.PEM),
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()),
    )
