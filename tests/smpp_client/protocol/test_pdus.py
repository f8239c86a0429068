"""The codec against smpplib's, octet for octet, and what no field can carry."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from smpplib import consts

from smpp_client.carrier import Address, Sar, Segment, SegmentKey
from smpp_client.protocol.pdus import (
    DATA_SM,
    DATA_SM_RESP,
    DELIVER_SM,
    DELIVER_SM_RESP,
    ENQUIRE_LINK,
    GENERIC_NACK,
    UNBIND,
    BindType,
    FieldRefused,
    Malformed,
    SubmitEncoder,
    bind,
    delivery_response,
    header_only,
    query_sm,
    read_delivery,
    read_submit_response,
)
from smpp_client.protocol.tlvs import number_of, read_options, text_of
from tests.smpp_client.protocol.make import delivered, delivery_body, generated, segment, tlv

ascii_values = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=20)
segments = st.builds(
    Segment,
    key=st.just(SegmentKey(1, 2, 3, 1)),
    part_count=st.just(1),
    source=st.builds(Address, st.just(5), st.just(0), ascii_values),
    destination=st.builds(
        Address, st.just(1), st.just(1), st.from_regex(r"[1-9][0-9]{6,14}", fullmatch=True)
    ),
    short_message=st.binary(max_size=254),
    data_coding=st.sampled_from([0, 3, 8, 0xF0]),
    has_header=st.booleans(),
    reference=st.integers(0, 0xFFFF),
    priority=st.integers(0, 3),
    validity_period=st.sampled_from(["", "000000010000000R", "261120100000000+"]),
    sar=st.none(),
    covers=st.just(1),
)


@given(segments, st.integers(1, 0x7FFFFFFF))
def test_submit_sm_is_octet_for_octet_what_smpplib_writes(one: Segment, sequence: int) -> None:
    theirs = generated(
        "submit_sm",
        sequence,
        service_type="",
        source_addr_ton=one.source.ton,
        source_addr_npi=one.source.npi,
        source_addr=one.source.value,
        dest_addr_ton=one.destination.ton,
        dest_addr_npi=one.destination.npi,
        destination_addr=one.destination.value,
        esm_class=0x40 if one.has_header else 0,
        protocol_id=0,
        priority_flag=one.priority,
        schedule_delivery_time="",
        validity_period=one.validity_period,
        registered_delivery=1,
        replace_if_present_flag=0,
        data_coding=one.data_coding,
        sm_default_msg_id=0,
        short_message=one.short_message,
        user_message_reference=one.reference or None,
    )
    assert SubmitEncoder().encode(one, sequence) == theirs


def test_the_place_of_a_part_is_what_smpplib_writes() -> None:
    one = segment(1)._replace(sar=Sar(0x1234, 3, 2), reference=7)
    ours = SubmitEncoder().encode(one, 9)
    theirs = generated(
        "submit_sm",
        9,
        source_addr_ton=5,
        source_addr=one.source.value,
        dest_addr_ton=1,
        dest_addr_npi=1,
        destination_addr=one.destination.value,
        registered_delivery=1,
        short_message=b"hello",
        user_message_reference=7,
        sar_msg_ref_num=0x1234,
        sar_total_segments=3,
        sar_segment_seqnum=2,
    )
    assert sorted(read_options(ours[16:], len(ours) - 16 - 22).items()) == sorted(
        read_options(theirs[16:], len(theirs) - 16 - 22).items()
    )
    assert ours[:-22] == theirs[:-22]


def test_a_payload_of_any_length_is_read_back() -> None:
    one = segment(1)._replace(short_message=bytes(range(256)) * 3, covers=5, reference=7)
    pdu = SubmitEncoder().encode(one, 9)
    at = pdu.index(b"\x04\x24\x03\x00")
    assert pdu[at - 1] == 0
    assert pdu[at + 4 : at + 4 + 768] == one.short_message
    assert len(pdu) == int.from_bytes(pdu[:4], "big")


@pytest.mark.parametrize(
    "one",
    [
        segment(1)._replace(sar=Sar(0x10000, 3, 2)),
        segment(1)._replace(sar=Sar(1, 3, 4)),
        segment(1)._replace(sar=Sar(1, 256, 4)),
        segment(1)._replace(short_message=b"x" * 64_001, covers=2),
    ],
)
def test_a_place_or_a_payload_that_does_not_fit_is_refused(one: Segment) -> None:
    with pytest.raises(FieldRefused):
        SubmitEncoder().encode(one, 9)


def test_a_template_is_not_shared_by_segments_that_differ() -> None:
    encoder = SubmitEncoder()
    first = segment(1)
    variants = [
        first,
        first._replace(source=Address(3, 0, "150")),
        first._replace(data_coding=8),
        first._replace(has_header=True),
        first._replace(priority=1),
        first._replace(validity_period="000000010000000R"),
    ]
    together = [encoder.encode(one, 1) for one in variants]
    assert together == [SubmitEncoder().encode(one, 1) for one in variants]
    assert len(set(together)) == len(variants)


def test_templates_are_bounded() -> None:
    encoder = SubmitEncoder()
    for number in range(10_000):
        encoder.encode(segment(1)._replace(source=Address(5, 0, f"S{number}")), 1)
    assert len(encoder._templates) <= 4096


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"destination": Address(1, 1, "4" * 21)}, "at most 20 characters; this one has 21"),
        ({"destination": Address(1, 1, "+447700900123")}, "digits only"),
        ({"destination": Address(1, 1, "44770\x00900123")}, "printable ASCII"),
        ({"source": Address(5, 0, "Оператор")}, "printable ASCII"),
        ({"short_message": bytes(255)}, "short_message has 255 octets"),
        ({"validity_period": "0" * 17}, "validity_period has 17"),
        ({"validity_period": "1"}, "16 characters or none"),
        ({"reference": 0x10000}, "user_message_reference is 65536"),
        ({"data_coding": 256}, "data_coding is 256"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_and_never_cut(
    change: dict[str, object], sentence: str
) -> None:
    with pytest.raises(FieldRefused, match=sentence):
        SubmitEncoder().encode(segment(1)._replace(**change), 1)  # type: ignore[arg-type]


@pytest.mark.parametrize("bind_type", BindType)
def test_a_bind_is_what_smpplib_writes(bind_type: BindType) -> None:
    theirs = generated(
        f"bind_{bind_type}",
        9,
        system_id="mc",
        password="secret",
        system_type="",
        address_range="",
        interface_version=0x34,
    )
    assert bind(bind_type, 9, "mc", "secret") == theirs


@pytest.mark.parametrize(
    ("field", "value"),
    [("system_id", "x" * 16), ("password", "x" * 9), ("system_type", "x" * 13), ("password", "é")],
)
def test_bind_fields_are_refused_rather_than_cut(field: str, value: str) -> None:
    values = {"system_id": "mc", "password": "p", "system_type": ""} | {field: value}
    with pytest.raises(FieldRefused) as refused:
        bind(BindType.TRANSCEIVER, 1, **values)
    assert field in str(refused.value)
    assert value not in str(refused.value)


def test_a_query_is_what_smpplib_writes() -> None:
    theirs = generated(
        "query_sm",
        5,
        message_id="abc-1",
        source_addr_ton=5,
        source_addr_npi=0,
        source_addr="Operator",
    )
    assert query_sm(5, "abc-1", Address(5, 0, "Operator")) == theirs


@pytest.mark.parametrize(
    ("ours", "name"), [(ENQUIRE_LINK, "enquire_link"), (UNBIND, "unbind"), (GENERIC_NACK, None)]
)
def test_a_pdu_without_a_body_is_its_header(ours: int, name: str | None) -> None:
    assert header_only(ours, 0, 3) == struct.pack(">LLLL", 16, ours, 0, 3)
    if name:
        assert header_only(ours, 0, 3) == generated(name, 3)


@pytest.mark.parametrize(
    ("command", "name"), [(DELIVER_SM_RESP, "deliver_sm_resp"), (DATA_SM_RESP, "data_sm_resp")]
)
def test_a_delivery_response_has_an_empty_message_id(command: int, name: str) -> None:
    assert delivery_response(command, 0, 0xFFFFFFFF) == generated(name, 0xFFFFFFFF, message_id="")


@pytest.mark.parametrize(
    ("body", "smsc_id"),
    [
        (b"abc\0", "abc"),
        (b"abc", "abc"),
        (b"", ""),
        (b"\0", ""),
        (b"x" * 64 + b"\0", "x" * 64),
        (b"x" * 90 + b"\0", "x" * 90),
        (b"id with spaces\0", "id with spaces"),
        (b"7c9e6679-7425-40de-944b-e07fc1f90ae7\0", "7c9e6679-7425-40de-944b-e07fc1f90ae7"),
        (b"abc\0\x04\x25\0\1\1", "abc"),
    ],
)
def test_a_message_id_is_read_as_it_is(body: bytes, smsc_id: str) -> None:
    assert read_submit_response(body) == smsc_id


def test_a_deliver_sm_of_smpplib_is_read() -> None:
    pdu = delivered(1, service_type="CMT", data_coding=3, short_message=b"hello")
    delivery = read_delivery(DELIVER_SM, pdu[16:])
    assert delivery.source == Address(1, 1, "447700900123")
    assert delivery.destination == Address(5, 0, "Operator")
    assert (delivery.esm_class, delivery.data_coding, delivery.short_message) == (4, 3, b"hello")
    assert number_of(delivery.options, 0x0427) == 2
    assert text_of(delivery.options, 0x001E) == "abc"


def test_a_data_sm_has_its_text_in_the_payload() -> None:
    body = (
        b"\0"
        + b"\x01\x01"
        + b"447700900123\0"
        + b"\x05\x00Operator\0"
        + b"\x04\0\x08"
        + tlv(0x0424, b"payload")
    )
    delivery = read_delivery(DATA_SM, body)
    assert (delivery.esm_class, delivery.data_coding) == (4, 8)
    assert delivery.short_message == b"payload"


def test_every_cut_of_the_mandatory_part_is_malformed() -> None:
    body = delivery_body(b"hello")
    for length in range(len(body)):
        with pytest.raises(Malformed) as malformed:
            read_delivery(DELIVER_SM, body[:length])
        assert malformed.value.status in (
            consts.SMPP_ESME_RINVCMDLEN,
            consts.SMPP_ESME_RINVMSGLEN,
        )


def test_octets_after_the_fields_do_no_harm() -> None:
    assert read_delivery(DELIVER_SM, delivery_body(b"hello") + b"\0").short_message == b"hello"


@given(st.binary(max_size=300))
def test_any_body_is_read_or_malformed(body: bytes) -> None:
    for command in (DELIVER_SM, DATA_SM):
        try:
            read_delivery(command, body)
        except Malformed:
            continue


@pytest.mark.parametrize(
    ("options", "tag", "number"),
    [
        (tlv(0x0427, b"\x02"), 0x0427, 2),
        (tlv(0x0427, b"\x00\x02"), 0x0427, 2),
        (tlv(0x0427, b""), 0x0427, None),
        (tlv(0x1401, b"vendor") + tlv(0x0427, b"\x05"), 0x0427, 5),
        (tlv(0x0427, b"\x02") + tlv(0x0427, b"\x05"), 0x0427, 2),
        (tlv(0x0427, b"") + tlv(0x0427, b"\x05"), 0x0427, 5),
        (tlv(0x0427, b"\x02") + b"\x00\x1e\x00\x40abc", 0x0427, 2),
        (tlv(0x0427, b"\x00\x02") + tlv(0x0204, b"\x00\x07"), 0x0204, 7),
    ],
)
def test_options_honour_the_length_on_the_wire(
    options: bytes, tag: int, number: int | None
) -> None:
    assert number_of(read_options(options, 0), tag) == number


@pytest.mark.parametrize("value", [b"ABC123", b"ABC123\0"])
def test_a_string_option_may_have_a_nul_or_not(value: bytes) -> None:
    assert text_of(read_options(tlv(0x001E, value), 0), 0x001E) == "ABC123"
