"""OpenID providers to sign in at: a real one in a process of its own, and one that cheats as it is told."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import secrets
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from tempfile import NamedTemporaryFile
from typing import Any
from urllib.parse import parse_qsl, unquote_plus, urlencode, urlsplit

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc.jwk import Key, RSAKey
from joserfc.jws import JWSRegistry, serialize_compact

from tracker.adapters.security.oidc import OidcIdentityProvider
from tracker.domain.errors import Unauthenticated
from tracker.domain.identity.sign_in.external import ExternalIdentity
from tracker.ports.sign_in import IdentityProvider

__all__ = [
    "BACK",
    "KEY",
    "HostileProvider",
    "Opening",
    "mock_provider",
    "refused",
    "self_signed_certificate",
    "sign_in",
    "visit",
]


BACK = "http://127.0.0.1:8000/api/auth/oidc/callback"
Opening = Callable[..., OidcIdentityProvider]
KEY = RSAKey.generate_key(2048, {"kid": "first", "use": "sig"})


@contextmanager
def mock_provider(*people: dict[str, Any]) -> Iterator[str]:
    """Runs oidc-provider-mock, where only registered clients are served; gives its address."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "oidc_provider_mock", "--host", "127.0.0.1", "--port", str(port)]
    command += ["--require-registration", "true"]
    for person in people:
        command += ["--user-claims", json.dumps(person)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait_until_it_listens(server, port)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(30)


def _wait_until_it_listens(server: subprocess.Popen[bytes], port: int) -> None:
    for _ in range(600):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return
        if server.poll() is not None:
            break
        time.sleep(0.05)
    raise RuntimeError("oidc-provider-mock did not start")


async def visit(url: str, subject: str) -> dict[str, str]:
    """Does what a person does with a browser at `url`; gives what the browser brings back."""
    async with httpx.AsyncClient(verify=False) as browser:
        page = await browser.get(url)
        if page.status_code == 200:
            assert 'name="sub"' in page.text, page.text
            page = await browser.post(url, data={"sub": subject})
    assert page.is_redirect, page.text
    return dict(parse_qsl(urlsplit(page.headers["location"]).query))


async def sign_in(at: IdentityProvider, subject: str = "ada", **changes: str) -> ExternalIdentity:
    """The whole way of a person; `changes` are what went wrong with our memory of the beginning."""
    start = await at.begin(BACK)
    brought = await visit(start.url, subject)
    assert brought["state"] == start.state
    return await at.finish(BACK, brought["code"], replace(start, **changes))


async def refused(hostile: HostileProvider, at: IdentityProvider, **changes: str) -> str:
    """Signs in, which must not work; gives the sentence, which may tell nothing of what was issued."""
    with pytest.raises(Unauthenticated) as caught:
        await sign_in(at, **changes)
    assert not [secret for secret in hostile.issued if secret in caught.value.detail]
    return caught.value.detail


class HostileProvider:
    """An OpenID provider that is honest until a test changes one of these.

    Attributes:
        document: its discovery document.
        keys: the public keys that it publishes.
        claims: written over those of an honest ID token; ``None`` leaves a claim out.
        sign: makes the ID token from its claims.
        userinfo: what it tells besides.
        instead: status and body that a path answers, whatever was asked.
        drips: paths that answer a byte now and then, for ever.
        asked: the paths, in the order of the requests.
        cookies: those that came back to it; it sets one with every answer.
        client: id and secret of the only client, ``None`` for a public one.
        issued: everything secret that it handed out.
    """

    def __init__(self, certificate: ssl.SSLContext | None = None) -> None:
        self._server = _Server(self)
        if certificate is not None:
            self._server.socket = certificate.wrap_socket(self._server.socket, server_side=True)
        scheme = "http" if certificate is None else "https"
        self.url = f"{scheme}://127.0.0.1:{self._server.server_port}"
        names = ("authorization", "token", "userinfo")
        self.document: dict[str, Any] = {
            "issuer": self.url,
            "jwks_uri": f"{self.url}/jwks",
            **{f"{name}_endpoint": f"{self.url}/{name}" for name in names},
        }
        self.keys: list[Any] = [KEY.as_dict(private=False)]
        self.claims: dict[str, Any] = {}
        self.sign: Callable[[dict[str, Any]], str] = self.signer(KEY)
        self.userinfo: dict[str, Any] = {"sub": "ada"}
        self.instead: dict[str, tuple[int, bytes]] = {}
        self.drips: set[str] = set()
        self.tokens: dict[str, Any] = {}
        self.asked: list[str] = []
        self.cookies: list[str] = []
        self.client: tuple[str, str | None] = ("tracker", None)
        self.issued: list[str] = []
        self._begun: dict[str, dict[str, str]] = {}

    @contextmanager
    def running(self) -> Iterator[HostileProvider]:
        """Serves in a thread."""
        thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()
            thread.join(30)

    @staticmethod
    def signer(key: Key, algorithm: str = "RS256", **header: Any) -> Callable[[dict[str, Any]], str]:
        """Signs by `key`, whose name stands in the header unless another is given."""
        head = {"alg": algorithm, "kid": key.kid, **header}
        head = {name: value for name, value in head.items() if value is not None}
        registry = JWSRegistry(algorithms=[algorithm], strict_check_header=False)
        return lambda claims: serialize_compact(head, json.dumps(claims), key, registry=registry)

    def authorization(self, query: dict[str, str]) -> str:
        """The address to which the browser is sent back at once."""
        assert query["response_type"] == "code"
        assert query["client_id"] == self.client[0]
        assert query["code_challenge_method"] == "S256"
        code = secrets.token_urlsafe(16)
        self._begun[code] = query
        self.issued += [code, query["nonce"]]
        back = urlencode({"code": code, "state": query["state"]})
        return f"{query['redirect_uri']}?{back}"

    def token(self, form: dict[str, str], basic: tuple[str, str] | None) -> tuple[int, dict[str, Any]]:
        """Exchanges a code, once, for who knows the verifier and is the client."""
        told = basic or (form.get("client_id", ""), form.get("client_secret"))
        if told != self.client:
            return 401, {"error": "invalid_client"}
        begun = self._begun.pop(form.get("code", ""), None)
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if begun is None or challenge != begun["code_challenge"]:
            return 400, {"error": "invalid_grant", "error_description": f"not {form}"}
        if form.get("redirect_uri") != begun["redirect_uri"]:
            return 400, {"error": "invalid_grant"}
        now = int(time.time())
        claims = {"iss": self.url, "aud": self.client[0], "sub": "ada", "iat": now, "exp": now + 300}
        claims |= {"nonce": begun["nonce"], **self.claims}
        id_token = self.sign({name: value for name, value in claims.items() if value is not None})
        access_token = secrets.token_urlsafe(16)
        self.issued += [id_token, access_token, form["code_verifier"]]
        answer = {"id_token": id_token, "access_token": access_token, "token_type": "Bearer"}
        return 200, answer | self.tokens


def self_signed_certificate() -> ssl.SSLContext:
    """What a server on this machine can show that no authority vouches for."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, SHA256())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with NamedTemporaryFile() as file:
        file.write(certificate.public_bytes(Encoding.PEM))
        file.write(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        file.flush()
        context.load_cert_chain(file.name)
    return context


class _Server(ThreadingHTTPServer):
    """Knows for whom it speaks."""

    def __init__(self, provider: HostileProvider) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.provider = provider

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Who hangs up on a bad provider is right."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def do_GET(self) -> None:
        self._serve({})

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        self._serve(dict(parse_qsl(self.rfile.read(length).decode(), keep_blank_values=True)))

    def _serve(self, form: dict[str, str]) -> None:
        provider, address = self.server.provider, urlsplit(self.path)
        provider.asked.append(address.path)
        provider.cookies += self.headers.get_all("Cookie", [])
        if address.path in provider.drips:
            return self._drip()
        if address.path in provider.instead:
            return self._answer(*provider.instead[address.path])
        match address.path:
            case "/authorization":
                self._answer(302, b"", provider.authorization(dict(parse_qsl(address.query))))
            case "/token":
                self._answer_json(*provider.token(form, self._basic()))
            case "/userinfo":
                bearer = self.headers.get("Authorization", "").removeprefix("Bearer ")
                self._answer_json(200 if bearer in provider.issued else 401, provider.userinfo)
            case "/jwks":
                self._answer_json(200, {"keys": provider.keys})
            case "/.well-known/openid-configuration":
                self._answer_json(200, provider.document)
            case _:
                self._answer(404, b"")

    def _basic(self) -> tuple[str, str] | None:
        kind, _, value = self.headers.get("Authorization", "").partition(" ")
        if kind != "Basic":
            return None
        name, _, secret = base64.b64decode(value).decode().partition(":")
        return unquote_plus(name), unquote_plus(secret)

    def _answer_json(self, status: int, told: Any) -> None:
        self._answer(status, json.dumps(told).encode())

    def _answer(self, status: int, body: bytes, location: str | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Set-Cookie", "session=of-somebody; Path=/")
        if location is not None:
            self.send_header("Location", location)
        self.end_headers()
        self.wfile.write(body)

    def _drip(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "1000000")
        self.end_headers()
        for _ in range(600):
            self.wfile.write(b" ")
            time.sleep(0.05)

    def log_message(self, *_: object) -> None:
        """Prints nothing."""
