from __future__ import annotations

import ssl
import warnings
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from cryptography import x509
from hypothesis import given
from hypothesis import strategies as st

from isexplore.doctor.certificates import CertificateFacts, facts_of, facts_of_verified
from tests.support.tls import Authority


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"), "Example Corp Root")


@pytest.mark.parametrize("fault", ["good", "expired", "not-yet-valid"])
def test_facts_are_those_that_a_full_reader_finds(authority: Authority, fault: str) -> None:
    pem = authority.certificate(fault).cert_chain_pems[0].bytes()  # type: ignore[arg-type]
    parsed = x509.load_pem_x509_certificate(pem)
    facts = facts_of(ssl.PEM_cert_to_DER_cert(pem.decode()))
    assert facts is not None
    assert facts.expires_at == parsed.not_valid_after_utc
    for attribute in parsed.issuer:
        if attribute.oid in (x509.NameOID.ORGANIZATION_NAME, x509.NameOID.COMMON_NAME):
            assert str(attribute.value) in facts.issuer


def test_real_roots_of_the_system_are_read() -> None:
    system = ssl.create_default_context().get_ca_certs(binary_form=True)
    if not system:
        pytest.skip("this system's store cannot be listed")
    for der in system:
        facts = facts_of(der)
        assert facts is not None
        with warnings.catch_warnings():
            # Some roots have serial numbers that newer rules forbid.
            warnings.simplefilter("ignore")
            assert facts.expires_at == x509.load_der_x509_certificate(der).not_valid_after_utc


@given(st.binary(max_size=300))
def test_nonsense_is_none_or_facts(data: bytes) -> None:
    assert facts_of(data) is None or isinstance(facts_of(data), CertificateFacts)


def test_cut_certificates_are_none(authority: Authority) -> None:
    der = ssl.PEM_cert_to_DER_cert(authority.certificate().cert_chain_pems[0].bytes().decode())
    assert all(facts_of(der[:length]) is None for length in range(len(der)))


def test_accepted_certificate_tells_the_same(authority: Authority) -> None:
    client = ssl.create_default_context(cafile=str(authority.file))
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    server_in, server_out = ssl.MemoryBIO(), ssl.MemoryBIO()
    mine = client.wrap_bio(incoming, outgoing, server_hostname="localhost")
    theirs = authority.server_context().wrap_bio(server_in, server_out, server_side=True)
    for _ in range(4):
        for side, source, sink in ((mine, outgoing, server_in), (theirs, server_out, incoming)):
            with suppress(ssl.SSLWantReadError):
                side.do_handshake()
            sink.write(source.read())
    facts = facts_of_verified(mine.getpeercert())
    der = mine.getpeercert(binary_form=True)
    assert der is not None
    assert facts == facts_of(der)
    assert facts.issuer
    assert facts.expires_at is not None
    assert facts.expires_at > datetime.now(UTC)


def test_no_certificate_has_no_facts() -> None:
    assert facts_of_verified(None) == facts_of_verified({}) == CertificateFacts("", None)
