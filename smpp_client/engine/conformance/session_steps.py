"""Steps about certificates, TLS, binds and the session itself. None of them sends a message."""

import asyncio
import ssl
import time
from datetime import UTC, datetime

from cryptography import x509
from django.utils.translation import gettext as _

from smpp_client.engine.conformance.bench import Bench, Failed, Figures, NotTried
from smpp_client.engine.conformance.probe import CONNECT_SECONDS, NoBind, Probe, context_of
from smpp_client.engine.tls import MINIMUM_VERSIONS, build_context, explain, server_name_for
from smpp_client.protocol import pdus
from smpp_client.protocol.pdus import BindType
from smpp_client.queries.certificates import CertificatesRefused
from smpp_client.rules.errors import explain as explain_status

Told = tuple[str, Figures]
NOBODY = "another-name.invalid"
ENQUIRIES = 3
REFUSAL_SECONDS = 2.0
REBIND_SECONDS = 15.0


def _needs_tls(bench: Bench) -> ssl.SSLContext:
    context = bench.security()
    if context is None:
        raise NotTried(_("An exception allows this connection to go without TLS."))
    return context


async def certificates(bench: Bench) -> Told:
    """Ours can be read, fit together and are valid."""
    try:
        bench.context = context_of(bench.account)
    except CertificatesRefused as refused:
        raise Failed(refused.sentence) from refused
    bench.has_context = True
    _needs_tls(bench)
    trusted = build_context(bench.account.files, datetime.now(UTC))
    ends = trusted.certificates.ends_at
    days = (ends - datetime.now(UTC)).days
    said = _("Ours fits its key and ends on %(day)s, in %(n)s days.")
    return said % {"day": f"{ends:%-d %b %Y}", "n": days}, {"days_left": days}


async def tls(bench: Bench) -> Told:
    """The partner's version, cipher and certificate."""
    context = _needs_tls(bench)
    transport = await _reach(bench, context, server_name_for(bench.account, bench.host))
    try:
        peer = transport.get_extra_info("ssl_object")
        certificate = x509.load_der_x509_certificate(peer.getpeercert(binary_form=True))
        days = (certificate.not_valid_after_utc - datetime.now(UTC)).days
        figures: Figures = {
            "version": peer.version(),
            "cipher": peer.cipher()[0],
            "bits": peer.cipher()[2],
            "partner_days_left": days,
        }
    finally:
        transport.abort()
    said = _("%(version)s with %(cipher)s. The partner's certificate ends in %(n)s days.")
    return said % {"version": figures["version"], "cipher": figures["cipher"], "n": days}, figures


async def wrong_name(bench: Bench) -> Told:
    """We refuse the partner's certificate under another name."""
    context = _needs_tls(bench)
    if bench.account.pins:
        raise NotTried(_("The partner's key is pinned, so that its name is not compared."))
    try:
        transport = await _reach(bench, context, NOBODY)
    except Failed as failed:
        if "another name" in failed.sentence:
            return _("Under another name the partner's certificate is refused by us."), {}
        raise
    transport.abort()
    raise Failed(_("The partner's certificate was accepted under the name %s.") % NOBODY)


async def no_certificate(bench: Bench) -> Told:
    """The partner refuses who has no certificate of ours."""
    _needs_tls(bench)
    bare = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    bare.minimum_version = MINIMUM_VERSIONS[bench.account.tls_minimum]
    bare.check_hostname = not bench.account.pins
    bare.load_verify_locations(cafile=bench.account.files.ca)
    host, name = bench.host, server_name_for(bench.account, bench.host)
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            reader, writer = await asyncio.open_connection(
                host.name, host.port, ssl=bare, server_hostname=name
            )
    except (OSError, ssl.SSLError, TimeoutError):
        return _("Without our certificate the partner ends the handshake."), {}
    try:
        # With TLS 1.3 the refusal comes after our part of the handshake.
        async with asyncio.timeout(REFUSAL_SECONDS):
            is_refused = not await reader.read(1)
    except (OSError, ssl.SSLError):
        is_refused = True
    except TimeoutError:
        is_refused = False
    finally:
        writer.transport.abort()
    if is_refused:
        return _("Without our certificate the partner closes the connection."), {}
    raise Failed(
        _("The partner asks for no certificate: whoever knows the password can bind as us.")
    )


async def _reach(bench: Bench, context: ssl.SSLContext, name: str) -> asyncio.Transport:
    host = bench.host
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            transport, _protocol = await asyncio.get_running_loop().create_connection(
                asyncio.Protocol, host.name, host.port, ssl=context, server_hostname=name
            )
    except (OSError, ssl.SSLError, TimeoutError) as error:
        raise Failed(explain(error, host=host.name, port=host.port, name=name)) from error
    return transport


async def bind_transmitter(bench: Bench) -> Told:
    """Bind to send only."""
    return await _bind(bench, BindType.TRANSMITTER)


async def bind_receiver(bench: Bench) -> Told:
    """Bind to receive only."""
    return await _bind(bench, BindType.RECEIVER)


async def bind_transceiver(bench: Bench) -> Told:
    """Bind for both."""
    return await _bind(bench, BindType.TRANSCEIVER)


async def _bind(bench: Bench, kind: BindType) -> Told:
    """A bind type that the connection does not use may be refused: that is told, and no fault."""
    try:
        probe, seconds = await bench.bound(kind)
    except NoBind as refused:
        if kind in {place.bind_type for place in bench.account.places}:
            raise Failed(refused.sentence) from refused
        sentence = _("Refused, and this connection does not need it: %s") % refused.sentence
        raise NotTried(sentence) from refused
    told = probe.told.bound
    left = await probe.close()
    said = _("Bound after %(ms)s ms; the partner calls itself “%(name)s”.")
    name = told.system_id if told else ""
    figures: Figures = {"bind_ms": _ms(seconds), "unbind_ms": _ms(left), "partner": name}
    return said % {"ms": _ms(seconds), "name": name}, figures


async def enquire_link(bench: Bench) -> Told:
    """The partner answers enquire_link."""
    probe = await bench.sender()
    taken = []
    for _number in range(ENQUIRIES):
        try:
            frame, seconds = await probe.wire.ask(
                lambda sequence: pdus.header_only(pdus.ENQUIRE_LINK, 0, sequence), 10.0
            )
        except TimeoutError as error:
            raise Failed(_("No answer to enquire_link within 10 s.")) from error
        if frame[0] != pdus.ENQUIRE_LINK_RESP or frame[1]:
            raise Failed(_("enquire_link was refused: %s.") % explain_status(frame[1]))
        taken.append(seconds)
    worst = _ms(max(taken))
    return _("%(n)s of %(n)s answered, the slowest after %(ms)s ms.") % {
        "n": ENQUIRIES,
        "ms": worst,
    }, {"slowest_ms": worst}


async def unbind(bench: Bench) -> Told:
    """Our unbind is answered."""
    probe = await bench.sender()
    seconds = await probe.close()
    await bench.leave()
    if not probe.wire.commands[pdus.UNBIND_RESP]:
        raise Failed(_("The partner did not answer unbind."), {"seconds": round(seconds, 3)})
    return _("Answered, and the session ended after %s ms.") % _ms(seconds), {
        "unbind_ms": _ms(seconds)
    }


async def reconnect(bench: Bench) -> Told:
    """A new session right after an orderly end."""
    probe, seconds = await _bound_at_last(bench, 0.0)
    await probe.close()
    return _("Bound again after %s ms.") % _ms(seconds), {"bind_ms": _ms(seconds)}


async def after_break(bench: Bench) -> Told:
    """A new session right after a broken one: some partners take the old one for alive."""
    broken, _seconds = await _bound_at_last(bench, 0.0)
    broken.wire.cut()
    probe, seconds = await _bound_at_last(bench, REBIND_SECONDS)
    await probe.close()
    figures = {"bind_ms": _ms(seconds)}
    return _("After a broken connection we are bound again within %s ms.") % _ms(seconds), figures


async def _bound_at_last(bench: Bench, patience: float) -> tuple[Probe, float]:
    kind = bench.account.places[0].bind_type
    began = time.monotonic()
    while True:
        try:
            probe, _seconds = await bench.bound(kind)
        except NoBind as refused:
            if time.monotonic() - began >= patience:
                raise Failed(refused.sentence) from refused
            await asyncio.sleep(1.0)
            continue
        return probe, time.monotonic() - began


async def failover(bench: Bench) -> Told:
    """Every further host can be bound."""
    further = bench.account.hosts[1:]
    if not further:
        raise NotTried(_("The connection has one host."))
    bad, figures = [], {}
    for host in further:
        try:
            probe, seconds = await bench.bound(bench.account.places[0].bind_type, host)
        except NoBind as refused:
            bad.append(f"{host}: {refused.sentence}")
            continue
        figures[f"{host} bind_ms"] = _ms(seconds)
        await probe.close()
    if bad:
        raise Failed(" ".join(bad), figures)
    return _("All %s further hosts can be bound.") % len(further), figures


def _ms(seconds: float) -> int:
    return round(1000 * seconds)
