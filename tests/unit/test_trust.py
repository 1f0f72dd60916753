"""Whom clients of HTTP trust."""

from __future__ import annotations

import ssl

import httpx
import pytest

from tracker.trust import trust_for


@pytest.mark.parametrize("address", ["https://tracker.example", "HTTPS://tracker.example:8443/api"])
def test_certificates_of_https_are_checked(address: str) -> None:
    for trust in (trust_for(address), trust_for(httpx.URL(address))):
        assert trust.verify_mode is ssl.CERT_REQUIRED and trust.check_hostname
        assert trust.cert_store_stats()["x509_ca"]


@pytest.mark.parametrize("address", ["http://127.0.0.1:8000", "", "127.0.0.1:8000", "ftp://x"])
def test_a_client_of_anything_else_trusts_nobody(address: str) -> None:
    trust = trust_for(address)
    assert trust.verify_mode is ssl.CERT_REQUIRED and trust.check_hostname
    assert trust.cert_store_stats() == {"x509": 0, "crl": 0, "x509_ca": 0}
