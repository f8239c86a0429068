"""Twelve peers that must not get a bind: none does, and each is told in its own sentence."""

import asyncio
import hashlib
import socket
import ssl
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from message_center.stack.certificates import (
    DemoCertificates,
    Issued,
    demo_certificates,
    issue_by_stranger,
    issue_expired,
    issue_not_yet_valid,
    issue_self_signed,
    issue_wrong_name,
    make_authority,
    read_authority,
)
from smpp_client.engine import dialer
from smpp_client.engine.tls import Keepers
from smpp_client.simulator import server as simulators
from smpp_client.simulator.exchange import Config
from smpp_client.simulator.server import Simulator, server_context
from tests.smpp_client.engine.peers import BOUND, Call, account

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> DemoCertificates:
    return demo_certificates(tmp_path_factory.mktemp("good"))


async def said(good: DemoCertificates, port: int, *pins: str) -> str:
    """What the dialer says of the peer at this port."""
    one = account(good.ca, good.client_cert, good.client_key, port, pins=frozenset(pins))
    call = Call(one, Keepers())
    outcome = await call.outcome()
    await call.end()
    return outcome


async def said_of_simulator(
    good: DemoCertificates, served: DemoCertificates, *pins: str, plain: bool = False
) -> tuple[str, int]:
    """What is said of a simulator with these files, and how many binds it took."""
    config = Config(
        ledger=good.ca.parent / "ledger.tsv",
        port=0,
        plain=plain,
        ca=served.ca,
        cert=served.server_cert,
        key=served.server_key,
    )
    async with Simulator(config) as simulator:
        outcome = await said(good, simulator.port, *pins)
        return outcome, simulator.exchange.counters.binds


async def http(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(16)
    writer.write(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")
    writer.close()


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()
    writer.close()


async def closing(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()


@asynccontextmanager
async def server(handler: Handler) -> AsyncIterator[int]:
    """Serve on a free port."""
    serving = await asyncio.start_server(handler, "127.0.0.1", 0)
    async with serving:
        yield serving.sockets[0].getsockname()[1]


@asynccontextmanager
async def tls_server(
    good: DemoCertificates, newest: ssl.TLSVersion, ca: Path | None = None
) -> AsyncIterator[int]:
    """Shake hands with one caller in TLS that is no newer than this, in a thread: asyncio closes
    before OpenSSL's last words are out. With `ca` the caller needs a certificate of that authority.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = newest
    context.load_cert_chain(good.server_cert, good.server_key)
    if ca is not None:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(ca)

    def shake(listening: socket.socket) -> None:
        caller, _ = listening.accept()
        with suppress(OSError), context.wrap_socket(caller, server_side=True) as tls:
            tls.recv(1)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        shaking = asyncio.get_running_loop().run_in_executor(None, shake, listening)
        yield listening.getsockname()[1]
        await shaking


async def outcomes(good: DemoCertificates, folder: Path) -> tuple[dict[str, str], int]:
    """What is said of each bad peer, and the binds that all of them took together."""
    authority, now = read_authority(good.ca.parent), datetime.now(UTC)
    pairs: dict[str, Issued] = {
        "wrong authority": issue_by_stranger(folder / "a", client=False, now=now),
        "wrong name": issue_wrong_name(folder / "b", authority, now=now),
        "expired": issue_expired(folder / "c", authority, client=False, now=now),
        "not yet valid": issue_not_yet_valid(folder / "d", authority, client=False, now=now),
        "self-signed": issue_self_signed(folder / "e", client=False, now=now),
    }
    found: dict[str, str] = {}
    binds = 0
    for name, pair in pairs.items():
        served = replace(good, server_cert=pair.cert, server_key=pair.key)
        found[name], count = await said_of_simulator(good, served)
        binds += count
    stranger = make_authority(folder / "f", name="A stranger")
    async with tls_server(good, ssl.TLSVersion.TLSv1_3, stranger.path) as port:
        found["another authority for us"] = await said(good, port)
    found["wrong pin"], count = await said_of_simulator(good, good, "0" * 64)
    binds += count
    found["SMPP without TLS"], count = await said_of_simulator(good, good, plain=True)
    binds += count
    for name, handler in (("HTTP", http), ("silent", silent), ("closes", closing)):
        async with server(handler) as port:
            found[name] = await said(good, port)
    async with tls_server(good, ssl.TLSVersion.TLSv1_1) as port:
        found["old TLS"] = await said(good, port)
    return found, binds


def test_twelve_bad_peers_get_no_bind_and_twelve_sentences(
    good: DemoCertificates, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dialer, "CONNECT_SECONDS", 2.0)
    found, binds = asyncio.run(outcomes(good, tmp_path))
    assert binds == 0
    assert BOUND not in found.values()
    assert len(found) == 12
    assert len(set(found.values())) == 12, found
    for name, words in {
        "wrong authority": "an authority that the CA file does not hold",
        "wrong name": "for another name than localhost",
        "expired": "has expired",
        "not yet valid": "not valid yet",
        "self-signed": "signed by itself",
        "another authority for us": "does not know the authority that signed our certificate",
        "wrong pin": "public key is not the pinned one",
        "SMPP without TLS": "speaks SMPP on this port, but without TLS",
        "HTTP": "An HTTP server answers",
        "silent": "does not answer",
        "closes": "closed the connection before the bind",
        "old TLS": "no TLS that is new enough",
    }.items():
        assert words in found[name], (name, found[name])


def test_the_pinned_key_is_bound_whatever_the_name(good: DemoCertificates, tmp_path: Path) -> None:
    authority = read_authority(good.ca.parent)
    pair = issue_wrong_name(tmp_path, authority, now=datetime.now(UTC))
    served = replace(good, server_cert=pair.cert, server_key=pair.key)
    assert asyncio.run(said_of_simulator(good, served, "1" * 64, pin_of(pair))) == (BOUND, 1)


def test_tls_1_3_alone_is_spoken_where_it_is_asked_for(good: DemoCertificates) -> None:
    async def bound() -> str:
        async with tls_server(good, ssl.TLSVersion.TLSv1_2) as port:
            files = (good.ca, good.client_cert, good.client_key)
            one = account(*files, port, tls_minimum="1.3")
            return await Call(one, Keepers()).outcome()

    assert asyncio.run(bound()) == "The peer speaks no TLS that is new enough."


def test_a_good_peer_that_knows_no_more_than_tls_1_2_is_bound_unless_1_3_is_asked_for(
    good: DemoCertificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One peer, which takes two callers that differ in what they ask for and in nothing else."""

    def no_newer(config: Config) -> ssl.SSLContext:
        context = server_context(config)
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        return context

    async def bound() -> tuple[dict[str, str], int]:
        config = Config(
            good.ca.parent / "ledger.tsv", ca=good.ca, cert=good.server_cert, key=good.server_key
        )
        files = (good.ca, good.client_cert, good.client_key)
        found: dict[str, str] = {}
        async with Simulator(config) as simulator:
            for minimum in ("1.2", "1.3"):
                one = account(*files, simulator.port, tls_minimum=minimum)
                call = Call(one, Keepers())
                found[minimum] = await call.outcome()
                await call.end()
            return found, simulator.exchange.counters.binds

    monkeypatch.setattr(simulators, "server_context", no_newer)
    found, binds = asyncio.run(bound())
    assert (found["1.2"], binds) == (BOUND, 1)
    assert found["1.3"] != BOUND


def pin_of(pair: Issued) -> str:
    """The pin of a certificate, by the library's own words."""
    certificate = x509.load_pem_x509_certificate(pair.cert.read_bytes())
    form = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(certificate.public_key().public_bytes(*form)).hexdigest()
