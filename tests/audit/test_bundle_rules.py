"""The parts of a bundle by themselves: heads, lines, manifest, report, cells."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from audit.rules import hashes
from audit.rules.bundle import checked_path, head_line, is_shown_of_system
from audit.rules.bundle_heads import HeadTrees
from audit.rules.bundle_lines import Passed, recomputed
from audit.rules.canonical import Json, NotCanonical, encode, stamp
from audit.rules.chain import Broken
from audit.rules.epochs import Epoch, Head, next_epoch
from audit.rules.report import NO_APPROVALS, Approvals, Counted, Line, Report, Shown, Table
from audit.rules.report_html import html_report
from audit.rules.report_pdf import _shares, _story, pdf_report
from message_center.stack.product import ROOT
from tests.audit.evidence.installation import SECRET, uuid4
from tests.audit.make import MARKETING
from tests.audit.paper import squeezed, text_of, words_of

FONTS = ROOT / "audit" / "fonts"
AT = stamp(datetime(2026, 3, 1, tzinfo=UTC))


def heads(count: int) -> list[Head]:
    return [Head(slot, uuid4(f"w{slot}"), slot, bytes([slot]) * 32) for slot in range(count)]


def trees(count: int) -> HeadTrees:
    made = HeadTrees(SECRET)
    for head in heads(count):
        made.move(head.slot, head.ws, head.seq, head.hash)
    return made


@pytest.mark.parametrize("count", [1, 2, 3, 5, 8, 13])
def test_heads_are_proved_as_the_formats_say(count: int) -> None:
    last: Epoch | None = None
    for _epoch in range(3):
        last = next_epoch(last, at=AT, secret=SECRET, heads=heads(count))
        proved = trees(count).prove(last, range(count))
        for slot, one in proved.items():
            head = heads(count)[slot]
            assert one.nonce == hashes.nonce(SECRET, last.number, slot)
            text = hashes.head_text(slot, head.ws, one.seq, one.hash, one.nonce)
            root = hashes.root_of_proof(hashes.leaf_hash(text), slot, count, one.proof)
            assert root.hex() == last.heads


def test_a_long_secret_keys_the_same_nonces() -> None:
    secret = b"x" * 100
    epoch = next_epoch(None, at=AT, secret=secret, heads=heads(2))
    made = HeadTrees(secret)
    for head in heads(2):
        made.move(head.slot, head.ws, head.seq, head.hash)
    assert made.prove(epoch, [1])[1].nonce == hashes.nonce(secret, 0, 1)


def test_an_epoch_over_other_heads_is_refused() -> None:
    epoch = replace(next_epoch(None, at=AT, secret=SECRET, heads=heads(3)), heads="0" * 64)
    with pytest.raises(Broken) as refused:
        trees(3).prove(epoch, [1])
    assert refused.value.code == "A02"


def test_a_chain_does_not_go_back_and_none_is_left_out() -> None:
    made = trees(2)
    with pytest.raises(Broken, match="goes back"):
        made.move(1, uuid4("w1"), 0, bytes(32))
    with pytest.raises(Broken, match="is missing"):
        made.move(3, uuid4("w3"), 0, bytes(32))


def test_a_head_line_is_canonical() -> None:
    proof = [bytes(32), b"\xff" * 32]
    value: dict[str, Json] = {
        "epoch": 7,
        "hash": "11" * 32,
        "nonce": "22" * 32,
        "proof": [step.hex() for step in proof],
        "seq": 9,
    }
    assert head_line(7, b"\x11" * 32, "22" * 32, proof, 9) == encode(value)


def line(seq: int, prev: bytes, event: bytes | None) -> tuple[bytes, bytes]:
    """Return an entry's line and its hash; without an event the hidden form."""
    leaf = hashes.leaf_hash(event or b"gone")
    found = hashes.entry_hash(MARKETING, seq, AT, prev, leaf)
    middle = f'"hash":"{found.hex()}","leaf":"{leaf.hex()}"'.encode()
    if event is not None:
        middle = b'"ev":%s,"hash":"%s"' % (event, found.hex().encode())
    tail = f',"prev":"{prev.hex()}","seq":{seq},"ws":"{MARKETING}"}}'.encode()
    return b'{"at":"%s",' % AT.encode() + middle + tail, found


EVENT = b'{"op":"a.b","t":"2026-03-01T00:09:00.000000Z","v":1,"why":"x"}'


def test_lines_pass_full_and_hidden_and_late_ones_are_told() -> None:
    first, found = line(9, bytes(32), EVENT)
    second, last = line(10, found, None)
    passed = Passed(MARKETING, 1, 8, bytes(32).hex().encode())
    assert list(recomputed([first, second], passed)) == [first, second]
    assert (passed.seq, passed.hash) == (10, last)
    assert (passed.hidden_count, passed.late_count, passed.late[0].seq) == (1, 1, 9)


@pytest.mark.parametrize("hidden", [False, True])
def test_every_changed_byte_of_a_line_is_refused(hidden: bool) -> None:
    good, _found = line(9, bytes(32), None if hidden else EVENT)
    for place in range(len(good)):
        bad = good[:place] + bytes([good[place] ^ 1]) + good[place + 1 :]
        with pytest.raises(Broken):
            list(recomputed([bad], Passed(MARKETING, 1, 8, bytes(32).hex().encode())))


@pytest.mark.parametrize("path", ["../x", "a//b", "/etc/passwd", "a/./b", "naïve", "a\\b"])
def test_no_path_leads_out_of_a_bundle(path: str) -> None:
    with pytest.raises(NotCanonical):
        checked_path(path)


def test_who_signed_in_stays_a_hash_in_every_bundle() -> None:
    assert is_shown_of_system("fallback.ingested")
    assert not is_shown_of_system("user.sign_in")
    assert not is_shown_of_system("workspace.create")


def report(text: str) -> Report:
    entry = Line(1, AT, text, text, text, text, text, is_refused=True)
    shown = Shown("As it is now", [("The text, exactly", text)], "00" * 32, "tables/x.json", text)
    return Report(
        title=text,
        facts=[("Log", text)],
        statement=[text],
        counts=[],
        approvals=[Approvals("campaign", "cmp_1", text, [entry], [shown], text)],
        tables=[Table("Erasures", text, ("Entry",), [(text,)], "")],
        entries=[entry],
        entries_note=text,
    )


def test_the_page_runs_and_loads_nothing_whatever_the_texts_say() -> None:
    page = "".join(html_report(report('<script src="https://x.example/a.js">"&')))
    assert "<script" not in page
    assert "src=" not in page.replace("&quot;", '"').replace('src="https://x.example', "")
    assert "default-src &#x27;none&#x27;" in page or "default-src 'none'" in page


def test_the_file_for_paper_takes_every_script_and_is_the_same_each_time() -> None:
    made = pdf_report(report("Привет, Oʻzbekiston <b> & 你好 " + "x" * 3_000), FONTS)
    assert made.startswith(b"%PDF-")
    assert made == pdf_report(report("Привет, Oʻzbekiston <b> & 你好 " + "x" * 3_000), FONTS)


def test_paper_says_each_word_of_the_report() -> None:
    said = report("*")
    step = Line(9_173, AT, "Who did", "What was done", "About whom", "The note", "Its details")
    shown = Shown("As it is", [("The text", "Ваш код 1234")], "ab" * 32, "tables/x.json", "exactly")
    approvals = Approvals("sender", "snd_9", "Korzinka", [step], [shown], "It is what was approved")
    table = Table("Erasures", "What was erased", ("Number",), [("Row one",)], "None")
    counts = [Counted("campaign.approve", "Approved a campaign", 1_234, 56, 78)]
    told = replace(
        said,
        title="Evidence of Oʻzbekiston",
        facts=[("Log", "example.com/log")],
        statement=["A rendering <b> & no more 你"],
        counts=counts,
        approvals=[approvals],
        tables=[table],
        entries=[Line(8_241, AT, "Anna", "Bound it", "Of a list", "Of an entry", "Some more")],
        entries_note="The newest entries.",
    )
    words = words_of(pdf_report(told, ROOT / "audit" / "fonts"))
    for text in (
        *("Evidence of Oʻzbekiston", "Log", "example.com/log", "A rendering <b> & no more \\u4f60"),
        *("campaign.approve", "Approved a campaign", "1,234", "56", "78"),
        *("Sender Korzinka (snd_9)", "It is what was approved"),
        *(str(step.seq), step.who, step.what, step.about, step.why, step.details),
        *(
            "As it is",
            "The text",
            "Ваш код 1234",
            f"Digest {'ab' * 32}, the SHA-256 of tables/x.json",
        ),
        *(
            "Erasures",
            "What was erased",
            "Number",
            "Row one",
            "8241",
            "Anna",
            "Bound it",
            "Of a list",
            "Of an entry",
            "Some more",
            "The newest entries.",
        ),
    ):
        assert squeezed(text) in words, text


def test_both_reports_say_that_nothing_was_worked_on() -> None:
    """A heading with nothing below it could as well be one whose rows were lost."""
    bare = replace(report("Nothing"), approvals=[])
    assert NO_APPROVALS in "".join(html_report(bare))
    assert NO_APPROVALS in [getattr(one, "text", "") for one in _story(bare)]


def test_the_page_is_one_of_cards_on_a_phone() -> None:
    """Seven columns on 390 px leave one letter a line."""
    page = "".join(html_report(report("x")))
    assert '<table class="l"><thead>' in page
    assert '.l td:nth-child(7)::before{content:"Details "}' in page


def test_a_column_of_details_gets_more_of_the_paper_than_a_number() -> None:
    shares = _shares(("Chain", "Entry", "Recorded", "What", "About", "Details", "Note"))
    assert sum(shares) == pytest.approx(1)
    assert shares[5] > 2.5 * shares[1]


def test_the_number_of_the_millionth_entry_stands_on_one_line_of_the_paper() -> None:
    page = report("x")
    entry = replace(page.entries[0], seq=1_234_567)
    assert "1234567" in text_of(pdf_report(replace(page, entries=[entry]), FONTS))


def test_a_word_longer_than_its_column_is_broken_and_lines_stay_lines() -> None:
    page = report("x")
    entry = replace(page.entries[0], details="d" * 200, why="one two\n\nthree " + "four " * 9)
    paper = pdf_report(replace(page, entries=[entry]), FONTS)
    assert "d" * 200 in words_of(paper)
    lines = [line.strip() for line in text_of(paper).splitlines()]
    assert lines[lines.index("one two") + 1] == "three four four"
