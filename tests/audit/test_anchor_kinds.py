"""Each anchor against a real far end: what it hands over, what it believes, what it refuses."""

import base64
import json
import os
import re
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingTCPServer

import pytest
from django.core import mail
from pytest_django.fixtures import Settings

from audit.actions.anchors.file import FileAnchor
from audit.actions.anchors.mail import MailAnchor
from audit.actions.anchors.syslog import SyslogAnchor
from audit.actions.anchors.time_stamp import TimeStampAnchor
from audit.actions.anchors.witness import WitnessAnchor
from audit.rules.anchoring import AnchorRefused, Given, Last, SignedCheckpoint, Unreachable
from audit.rules.consistency import consistency_proof
from audit.rules.hashes import leaf_hash, tree_root
from audit.rules.notes import Checkpoint, read_key, read_note, sign, verify
from audit.verifier import verify_evidence as verifier
from message_center.stack.certificates import demo_certificates
from tests.audit.authority import Authority, authority
from tests.audit.far_end import serve
from tests.audit.make import NOW
from tests.audit.site import DOMAIN, KEY
from tests.audit.witness import Witness, witness

ORIGIN = f"{DOMAIN}/log"
LEAVES = [leaf_hash(b"%d" % number) for number in range(20)]
HOUR = timedelta(hours=1)
NOBODY = "127.0.0.1:9"


def checkpoint(epoch: int, leaves: list[bytes] = LEAVES) -> SignedCheckpoint:
    body = Checkpoint(ORIGIN, epoch + 1, tree_root(leaves[: epoch + 1])).body
    return SignedCheckpoint(
        epoch=epoch,
        at=NOW,
        note=str(sign(body, ORIGIN, KEY)),
        proof=lambda old: consistency_proof(leaves[: epoch + 1], old),
    )


def last(epoch: int, given: Given) -> Last:
    return Last(epoch, given.content, NOW)


# --- A file of another owner


@pytest.fixture
def file(tmp_path: Path) -> FileAnchor:
    path = tmp_path / "checkpoints.jsonl"
    path.touch()
    return FileAnchor(str(path), may_be_own=True)


def test_a_file_of_the_workers_own_is_refused(file: FileAnchor) -> None:
    with pytest.raises(AnchorRefused, match="the worker's own"):
        FileAnchor(file.path).send(checkpoint(0), None)
    assert Path(file.path).read_bytes() == b""


def test_a_file_gets_a_line_for_each_checkpoint(file: FileAnchor) -> None:
    first = file.send(checkpoint(0), None)
    file.send(checkpoint(1), last(0, first))
    lines = Path(file.path).read_text().splitlines()
    assert [json.loads(line)["note"] for line in lines] == [checkpoint(0).note, checkpoint(1).note]


def test_the_receipt_says_where_the_line_stands(file: FileAnchor) -> None:
    first = file.send(checkpoint(0), None)
    place = json.loads(file.send(checkpoint(1), last(0, first)).content)
    data = Path(file.path).read_bytes()[place["offset"] :][: place["length"]]
    assert json.loads(data)["epoch"] == 1


def test_a_file_that_shrank_is_refused_and_left_alone(file: FileAnchor) -> None:
    given = file.send(checkpoint(0), None)
    os.truncate(file.path, 10)
    with pytest.raises(AnchorRefused, match="was cut: it has 10 bytes"):
        file.send(checkpoint(1), last(0, given))
    assert Path(file.path).stat().st_size == 10


def test_a_file_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(AnchorRefused, match="its owner must make it"):
        FileAnchor(str(tmp_path / "absent")).send(checkpoint(0), None)
    assert not (tmp_path / "absent").exists()


def test_what_others_wrote_stays_and_our_line_begins_anew(file: FileAnchor) -> None:
    Path(file.path).write_text("a line without its end")
    file.send(checkpoint(0), None)
    others, ours = Path(file.path).read_text().splitlines()
    assert (others, json.loads(ours)["epoch"]) == ("a line without its end", 0)


@pytest.mark.parametrize("kind", ["link", "pipe", "folder"])
def test_only_a_plain_file_is_written_to(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "place"
    if kind == "link":
        (tmp_path / "target").touch()
        path.symlink_to(tmp_path / "target")
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path.mkdir()
    with pytest.raises(AnchorRefused):
        FileAnchor(str(path)).send(checkpoint(0), None)


def test_a_full_disk_is_a_failure_that_is_tried_again() -> None:
    with pytest.raises((Unreachable, AnchorRefused)):
        FileAnchor("/dev/full").send(checkpoint(0), None)


# --- A time-stamping authority


@pytest.fixture(scope="module")
def tsa(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Authority]:
    with authority(tmp_path_factory.mktemp("tsa") / "one") as one:
        yield one


def stamped(tsa: Authority, ca: Path | None = None) -> TimeStampAnchor:
    return TimeStampAnchor(tsa.url, str(ca or tsa.ca), HOUR)


def test_a_time_stamp_is_over_the_whole_note(tsa: Authority, tmp_path: Path) -> None:
    given = stamped(tsa).send(checkpoint(3), None)
    read = verifier.read_time_stamp(given.content)
    assert read.digest == verifier.sha256(checkpoint(3).note.encode())
    (tmp_path / "1.tsr").write_bytes(given.content)
    assert verifier.openssl_says(tmp_path / "1.tsr", read, tsa.ca) == verifier.CONFIRMED


def test_the_receipt_has_the_authoritys_time(tsa: Authority) -> None:
    given = stamped(tsa).send(checkpoint(3), None)
    assert given.attested_at is not None
    assert abs(given.attested_at - datetime.now(UTC)) < timedelta(minutes=5)


def test_a_stamp_of_another_authority_is_not_believed(tsa: Authority, tmp_path: Path) -> None:
    refused = pytest.raises(AnchorRefused, match="cannot be believed")
    with authority(tmp_path / "other") as other, refused:
        stamped(other, tsa.ca).send(checkpoint(3), None)


def test_a_stamp_over_something_else_is_not_believed(tsa: Authority) -> None:
    old = stamped(tsa).send(checkpoint(2), None).content

    class Replay(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(old)

        def log_message(self, *_: object) -> None:
            """Nothing is written down."""

    with serve(Replay) as address, pytest.raises(AnchorRefused, match="cannot be believed"):
        TimeStampAnchor(f"http://{address}/", str(tsa.ca), HOUR).send(checkpoint(3), None)


def test_a_request_that_the_authority_rejects_is_a_refusal(tmp_path: Path) -> None:
    refused = pytest.raises(AnchorRefused, match="The authority refused")
    with authority(tmp_path / "strict", digests="sha512") as strict, refused:
        stamped(strict).send(checkpoint(3), None)


def test_an_authority_in_trouble_is_tried_again(tsa: Authority) -> None:
    tsa.is_down = True
    try:
        with pytest.raises(Unreachable, match="HTTP 503"):
            stamped(tsa).send(checkpoint(3), None)
    finally:
        tsa.is_down = False


def test_certificates_that_are_missing_are_said(tsa: Authority, tmp_path: Path) -> None:
    with pytest.raises(AnchorRefused, match="AUDIT_TSA_CA"):
        stamped(tsa, tmp_path / "absent.pem").send(checkpoint(3), None)


@pytest.mark.parametrize("url", ["ftp://tsa.example/", "http://:bad/", "http://host:port/", ""])
def test_an_address_that_is_none_is_refused(tsa: Authority, url: str) -> None:
    with pytest.raises(AnchorRefused, match="not an address"):
        TimeStampAnchor(url, str(tsa.ca), HOUR).send(checkpoint(3), None)


def test_nobody_there_is_tried_again(tsa: Authority) -> None:
    with pytest.raises(Unreachable, match="does not answer"):
        TimeStampAnchor(f"http://{NOBODY}/", str(tsa.ca), HOUR).send(checkpoint(3), None)


def test_a_server_whose_certificate_is_not_believed_gets_nothing(
    tsa: Authority, tmp_path: Path
) -> None:
    demo_certificates(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "server.pem", tmp_path / "server.key")
    refused = pytest.raises(AnchorRefused, match="certificate is not believed")
    with serve(BaseHTTPRequestHandler, context) as address, refused:
        TimeStampAnchor(f"https://{address}/", str(tsa.ca), HOUR).send(checkpoint(3), None)


def test_an_answer_without_end_is_refused(tsa: Authority) -> None:
    class Endless(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.end_headers()
            with suppress(OSError):
                self.wfile.write(b"x" * 1_100_000)

        def log_message(self, *_: object) -> None:
            """Nothing is written down."""

    with serve(Endless) as address, pytest.raises(AnchorRefused, match="more than a megabyte"):
        TimeStampAnchor(f"http://{address}/", str(tsa.ca), HOUR).send(checkpoint(3), None)


# --- A mailbox


def test_a_mail_carries_the_note_to_the_byte(settings: Settings) -> None:
    given = MailAnchor(("notary@regulator.example",), HOUR).send(checkpoint(3), None)
    [sent] = mail.outbox
    [attached] = sent.attachments
    assert attached == ("3.note", checkpoint(3).note.encode(), "application/octet-stream")
    assert checkpoint(3).note in sent.body
    assert sent.to == ["notary@regulator.example"]
    assert given.content.decode() == f"{sent.message()['Message-ID']}\n"


def test_a_mail_server_that_is_away_is_tried_again(settings: Settings) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = NOBODY.split(":", maxsplit=1)[0], 9
    with pytest.raises(Unreachable, match="not taken"):
        MailAnchor(("notary@regulator.example",), HOUR).send(checkpoint(3), None)


@contextmanager
def mail_server(settings: Settings, at_rcpt: bytes) -> Iterator[None]:
    """A mail server that answers every recipient with this."""

    class Talk(StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(b"220 mail.example\r\n")
            for line in self.rfile:
                verb = line[:4].upper()
                self.wfile.write(at_rcpt if verb == b"RCPT" else b"250 go on\r\n")

    with ThreadingTCPServer(("127.0.0.1", 0), Talk) as server:
        thread = threading.Thread(target=server.serve_forever, args=[0.05])
        thread.start()
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.server_address[1]
        try:
            yield
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize(
    ("answer", "raised"),
    [
        (b"550 <jane@telco.example> is unknown here\r\n", "every recipient (SMTP 550)."),
        (b"421 not now, jane@telco.example\r\n", "every recipient (SMTP 421)."),
    ],
)
def test_a_mail_server_that_refuses_is_quoted_by_its_code_only(
    settings: Settings, answer: bytes, raised: str
) -> None:
    with mail_server(settings, answer), pytest.raises(AnchorRefused) as refused:
        MailAnchor(("jane@telco.example",), HOUR).send(checkpoint(3), None)
    assert str(refused.value) == f"The mail server refused {raised}"


# --- A log collector


SYSLOG = re.compile(
    rb"<109>1 2026-03-01T09:00:00\.000000Z \S+ message-center \d+ checkpoint - "
    rb"(\S+) (\d+) (\S+) note=(\S+)"
)


def check_line(line: bytes) -> None:
    found = SYSLOG.fullmatch(line)
    assert found
    assert found[1].decode() == ORIGIN
    assert base64.b64decode(found[4]).decode() == checkpoint(3).note


def test_syslog_over_udp_sends_one_line_with_the_whole_note() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as collector:
        collector.bind(("127.0.0.1", 0))
        collector.settimeout(30)
        url = f"udp://127.0.0.1:{collector.getsockname()[1]}"
        given = SyslogAnchor(url).send(checkpoint(3), None)
        line = collector.recv(65_536)
    check_line(line)
    assert given.content == line + b"\n"


@contextmanager
def tcp_collector() -> Iterator[tuple[str, list[bytes]]]:
    got: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def take() -> None:
            connection, _address = server.accept()
            with connection, connection.makefile("rb") as stream:
                got.append(stream.read())

        thread = threading.Thread(target=take)
        thread.start()
        yield f"tcp://127.0.0.1:{server.getsockname()[1]}", got
        thread.join(30)


def test_syslog_over_tcp_counts_its_octets() -> None:
    with tcp_collector() as (url, got):
        SyslogAnchor(url).send(checkpoint(3), None)
    size, _space, line = got[0].partition(b" ")
    assert int(size) == len(line)
    check_line(line)


def test_a_collector_that_is_away_is_tried_again() -> None:
    with pytest.raises(Unreachable):
        SyslogAnchor(f"tcp://{NOBODY}").send(checkpoint(3), None)


@pytest.mark.parametrize("url", ["http://host:1", "udp://", "tcp://host:port"])
def test_an_address_that_is_no_collectors_is_refused(url: str) -> None:
    with pytest.raises(AnchorRefused, match="not an address"):
        SyslogAnchor(url).send(checkpoint(3), None)


# --- A witness


@pytest.fixture
def seen() -> Iterator[Witness]:
    with witness(ORIGIN, KEY.public_key().public_bytes_raw()) as one:
        yield one


def asked(seen: Witness, key: str = "") -> WitnessAnchor:
    return WitnessAnchor(seen.url, key or seen.verifier_key)


def test_the_cosignature_stands_under_the_note(seen: Witness) -> None:
    given = asked(seen).send(checkpoint(3), None)
    note = read_note(checkpoint(3).note + given.content.decode())
    [verified] = verify(note, [read_key(seen.verifier_key)])
    assert verified.at == seen.clock
    assert given.attested_at == datetime.fromtimestamp(seen.clock, UTC)


@pytest.mark.parametrize(("old", "new"), [(0, 1), (0, 7), (3, 4), (6, 19), (7, 15), (4, 4)])
def test_the_next_one_comes_with_a_proof(seen: Witness, old: int, new: int) -> None:
    given = asked(seen).send(checkpoint(old), None)
    asked(seen).send(checkpoint(new), last(old, given))
    assert seen.seen[ORIGIN][0] == new + 1
    assert len(seen.requests) == 2


def test_a_witness_that_knows_more_than_our_receipts_is_followed(seen: Witness) -> None:
    asked(seen).send(checkpoint(3), None)
    asked(seen).send(checkpoint(9), None)
    assert [request.partition("\n")[0] for request in seen.requests] == ["old 0", "old 0", "old 4"]
    assert seen.seen[ORIGIN][0] == 10


def test_a_witness_that_saw_a_longer_log_refuses(seen: Witness) -> None:
    asked(seen).send(checkpoint(9), None)
    with pytest.raises(AnchorRefused, match="saw 10 epochs of this log; here are 4"):
        asked(seen).send(checkpoint(3), None)


def test_a_rewritten_log_is_refused(seen: Witness) -> None:
    given = asked(seen).send(checkpoint(5), None)
    forged = [leaf_hash(b"forged"), *LEAVES[1:]]
    with pytest.raises(AnchorRefused, match="HTTP 422"):
        asked(seen).send(checkpoint(9, forged), last(5, given))


def test_a_fork_of_the_same_length_is_refused(seen: Witness) -> None:
    given = asked(seen).send(checkpoint(5), None)
    forged = [leaf_hash(b"forged"), *LEAVES[1:]]
    with pytest.raises(AnchorRefused, match="saw another log"):
        asked(seen).send(checkpoint(5, forged), last(5, given))


def test_a_witness_that_does_not_know_the_log_refuses(seen: Witness) -> None:
    seen.logs.clear()
    with pytest.raises(AnchorRefused, match="HTTP 404: unknown log"):
        asked(seen).send(checkpoint(3), None)


def test_a_witness_that_does_not_know_the_key_refuses(seen: Witness) -> None:
    seen.logs[ORIGIN] = []
    with pytest.raises(AnchorRefused, match="HTTP 403"):
        asked(seen).send(checkpoint(3), None)


def test_the_answer_of_another_witness_is_not_believed(seen: Witness) -> None:
    with witness(ORIGIN) as other, pytest.raises(AnchorRefused, match="not signed by"):
        asked(seen, other.verifier_key).send(checkpoint(3), None)


def test_a_witness_key_must_be_one(seen: Witness) -> None:
    with pytest.raises(AnchorRefused, match="AUDIT_WITNESS_KEY"):
        asked(seen, "nonsense").send(checkpoint(3), None)
    log_key = "audit.telco.example/x"
    with pytest.raises(AnchorRefused, match="AUDIT_WITNESS_KEY"):
        asked(seen, log_key).send(checkpoint(3), None)
