# SPDX-License-Identifier: MIT
"""Certificates as an authority gives them out: a root that clients trust, one between, and ours."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

_NAME = x509.oid.NameOID.COMMON_NAME


class Authority:
    """A root and an intermediate authority; clients know the root only.

    :ivar root: file with the root's certificate.
    :ivar chain: file with the intermediate's certificate.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._root_key = ec.generate_private_key(ec.SECP256R1())
        self._key = ec.generate_private_key(ec.SECP256R1())
        root = _certificate("root", self._root_key, "root", self._root_key, is_authority=True)
        chain = _certificate("between", self._key, "root", self._root_key, is_authority=True)
        self.root = directory / "root.pem"
        self.chain = directory / "chain.pem"
        self.root.write_bytes(root.public_bytes(Encoding.PEM))
        self.chain.write_bytes(chain.public_bytes(Encoding.PEM))
        self.key = directory / "key.pem"
        self.certificate = directory / "cert.pem"

    def give_out(self) -> int:
        """Write a new key and certificate for `localhost` into the files; its serial number."""
        key = ec.generate_private_key(ec.SECP256R1())
        made = _certificate("localhost", key, "between", self._key, is_authority=False)
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        self.key.write_bytes(private)
        self.certificate.write_bytes(made.public_bytes(Encoding.PEM))
        return made.serial_number


def _certificate(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    issuer: str,
    issuer_key: ec.EllipticCurvePrivateKey,
    *,
    is_authority: bool,
) -> x509.Certificate:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        .sign(issuer_key, hashes.SHA256())
    )
