"""Reading who issued a certificate that was not accepted.

The standard library tells nothing about a certificate that it does not trust, and just then the
issuer's name is what an administrator has to know. Only names and dates are read, from the DER form
(RFC 5280, section 4.1; X.690).
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NamedTuple

from isexplore.text import clean_line

_SEQUENCE = 0x30
_VERSION = 0xA0
_UTC_TIME, _GENERALIZED_TIME = 0x17, 0x18
_ORGANISATION, _COMMON_NAME = b"\x55\x04\x0a", b"\x55\x04\x03"
_TEXT = {0x0C: "utf-8", 0x13: "ascii", 0x14: "latin-1", 0x16: "ascii", 0x1E: "utf-16-be"}


class CertificateFacts(NamedTuple):
    """What a certificate says of itself; nothing of it is proven."""

    issuer: str
    """Organisation and name: "Example Corp, Example Root CA"; empty if it has none."""
    expires_at: datetime | None


def facts_of(der: bytes) -> CertificateFacts | None:
    """Return what a certificate says, or None if it cannot be read."""
    try:
        certificate = next(_children(der))
        fields = [item for item in _children(next(_children(certificate[1]))[1]) if item[0] != _VERSION]
        # serialNumber, signature, issuer, validity, subject, ...
        issuer, validity = fields[2][1], fields[3][1]
        return CertificateFacts(_name(issuer), _moment(*list(_children(validity))[1]))
    except (IndexError, StopIteration, ValueError):
        return None


def facts_of_verified(peer: object) -> CertificateFacts:
    """Return the same from what `SSLSocket.getpeercert` tells of an accepted certificate."""
    if not isinstance(peer, dict):
        return CertificateFacts("", None)
    parts = {key: value for pairs in peer.get("issuer", ()) for key, value in pairs}
    words = [parts[key] for key in ("organizationName", "commonName") if parts.get(key)]
    expires = None
    if peer.get("notAfter"):
        expires = datetime.fromtimestamp(ssl.cert_time_to_seconds(peer["notAfter"]), UTC)
    return CertificateFacts(clean_line(", ".join(words), 200), expires)


def _children(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield tag and content of the elements in `data`."""
    position = 0
    while position < len(data):
        tag, length = data[position], data[position + 1]
        position += 2
        if length & 0x80:
            size = length & 0x7F
            length = int.from_bytes(data[position : position + size], "big")
            position += size
        if position + length > len(data):
            raise ValueError("cut short")
        yield tag, data[position : position + length]
        position += length


def _name(data: bytes) -> str:
    found: dict[bytes, str] = {}
    for _, relative in _children(data):
        for _, attribute in _children(relative):
            (_, identifier), (tag, value) = list(_children(attribute))[:2]
            found.setdefault(identifier, value.decode(_TEXT.get(tag, "latin-1"), "replace"))
    words = [found[each] for each in (_ORGANISATION, _COMMON_NAME) if found.get(each)]
    return clean_line(", ".join(words), 200)


def _moment(tag: int, value: bytes) -> datetime | None:
    text = value.decode("ascii", "replace")
    if tag == _UTC_TIME:
        text = ("19" if text[:2] >= "50" else "20") + text
    elif tag != _GENERALIZED_TIME:
        return None
    return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)
