"""The verifier judges an event of a known shape as if it saw such a one for the first time."""

import re
from collections.abc import Iterator

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from audit.verifier import verify_evidence as verifier

WS, EID = "78e51061-7311-48a3-82ce-6f447ed4d57b", "a648a7dd-0683-4eb9-85b6-e6e307d4bedc"
INNER = '{"a.b":"usr_6","a_b":"user","eid":"x","pd":{"x":"y"},"src":"s","t":"t","v":7,"ws":"w"}'
HEAD = f'{{"act":{INNER},"eid":"{EID}","n":[0,-7,null,true],'
TAIL = f'"t":"2026-03-01T00:00:00.040000Z","v":1,"why":"café №3 \\"q\\" \\\\","ws":"{WS}"}}'
COMMITTED = f'"pd":{{"to.msisdn":"{"0" * 64}","to_text":"{"1f" * 32}"}},'
SHAPED = (
    f'{HEAD}"op":"route.edit",{TAIL}',
    f'{HEAD}"op":"route.edit",{COMMITTED}{TAIL}',
    f'{HEAD}"op":"route.edit","res":"denied","src":"web-1",{TAIL}',
    f'{HEAD}"op":"route.edit",{COMMITTED}"res":"ok","src":"web-1",{TAIL}',
)
# What an event differs in from its like, and JSON from its one form.
PIECES = (
    *('"', "\\", "{", "}", "[", "]", ":", ",", " ", "-", "0", "01", "-0", "1.0", "1e3", "true"),
    *("\\u0041", "\\u0000", "\\u0001", "\\n", "\\/", "\\ud800", "\x7f", "\x1f", "\n", "\x85"),
    *("é", "\u200b", "\u2028", "\N{PUSHPIN}", "\N{ARABIC-INDIC DIGIT THREE}", "g", "z", "A"),
    *("9" * 15, "9007199254740991", "9007199254740992", "9" * 17, ',"zz":1', ',"b":1', '"v":1'),
    *('"v":2', '"op":"a.b"', "pd.erase", "retention.prune", "2026-02-30", "1999-01-01"),
)
Edit = tuple[int, int, str]
EDITS = st.lists(
    st.tuples(st.integers(0, 500), st.integers(0, 12), st.sampled_from(("", *PIECES))),
    min_size=1,
    max_size=3,
)


@pytest.fixture(autouse=True)
def shapes() -> Iterator[verifier.Shapes]:
    """Leave what other tests know as it is."""
    before, verifier._shapes = verifier._shapes, verifier.Shapes()
    yield verifier._shapes
    verifier._shapes = before


def judged(data: bytes) -> verifier.Event | str:
    try:
        return verifier.judge_event(data)
    except verifier.Unreadable as problem:
        return str(problem)


def looked_at(data: bytes, *, after: tuple[str, ...] = ()) -> verifier.Event | str:
    """Return what is judged of an event after others, or why it is refused."""
    verifier._shapes = verifier.Shapes()
    for text in after:
        verifier.judge_event(text.encode())
    return judged(data)


def edited(text: str, edits: list[Edit]) -> bytes:
    for at, length, piece in edits:
        text = text[:at] + piece + text[at + length :]
    return text.encode()


@settings(max_examples=2_000)
@given(st.sampled_from(SHAPED), EDITS)
@example(SHAPED[0], [(7, 0, "\u200b")])
def test_it_makes_no_difference_whether_its_shape_is_known(text: str, edits: list[Edit]) -> None:
    data = edited(text, edits)
    assert looked_at(data, after=SHAPED) == looked_at(data)


@pytest.mark.parametrize("piece", PIECES)
def test_no_place_of_an_event_takes_what_it_does_not_take_the_first_time(piece: str) -> None:
    text = SHAPED[-1]
    for at in range(len(text)):
        for length in (0, 1):
            data = edited(text, [(at, length, piece)])
            assert looked_at(data, after=(text,)) == looked_at(data), data


def test_what_has_a_known_shape_is_not_read_as_json(monkeypatch: pytest.MonkeyPatch) -> None:
    first = [verifier.judge_event(text.encode()) for text in SHAPED]
    monkeypatch.setattr(verifier, "read_canonical", None)
    assert [verifier.judge_event(text.encode()) for text in SHAPED] == first
    like = SHAPED[1].replace("usr_6", "usr_12").replace("№3", "№47").replace("00:00:00", "23:59:59")
    assert verifier.judge_event(like.encode()) == first[1]._replace(t="2026-03-01T23:59:59.040000Z")


@pytest.mark.parametrize("op", ["pd.erase", "retention.prune", "first.one", "route.cut"])
def test_an_operation_is_not_taken_for_another_that_is_named_before_it(op: str) -> None:
    known = SHAPED[0].replace('"eid":"x"', '"op":"first.one"')
    data = known.replace("route.edit", op).encode()
    assert looked_at(data, after=(known,)) == looked_at(data)


@pytest.mark.parametrize(
    ("stands", "instead"),
    [
        ('"v":1', '"v":2'),
        ("route.edit", "route"),
        ("1f1f", "1f1g"),
        ("-4eb9", "-5eb9"),
        ("T00", "T30"),
    ],
)
def test_what_lacks_something_lacks_it_the_second_time_as_well(stands: str, instead: str) -> None:
    data = SHAPED[1].replace(stands, instead)
    first = looked_at(data.encode())
    assert isinstance(first, verifier.Event)
    assert first.problem
    assert looked_at(data.encode(), after=(data,)) == first


def test_more_shapes_than_there_is_room_for_are_judged_all_the_same(
    shapes: verifier.Shapes,
) -> None:
    events = [
        SHAPED[0].replace('"n":[0', '"n":[' + "0," * times + "0").replace("route.edit", f"op.n{op}")
        for op in range(2_000)
        for times in range(verifier.Shapes.MOST_ALIKE + 4 if op < 3 else 1)
    ]
    first = [judged(text.encode()) for text in events]
    assert {event.problem for event in first if isinstance(event, verifier.Event)} == {""}
    assert [judged(text.encode()) for text in events] == first
    assert -verifier.Shapes.LONGEST * 100 < shapes.room <= 0
    assert len(shapes.kinds) < 2_000
    assert max(map(len, shapes.kinds.values())) == verifier.Shapes.MOST_ALIKE


def test_a_new_day_is_no_new_shape(shapes: verifier.Shapes) -> None:
    for day in range(1, 29):
        judged(SHAPED[0].replace("2026-03-01", f"1987-02-{day:02}").encode())
    assert sum(map(len, shapes.kinds.values())) == 1
    missing = SHAPED[0].replace("2026-03-01", "1987-02-29").encode()
    assert looked_at(missing, after=SHAPED) == looked_at(missing)


def test_a_long_event_takes_no_room(shapes: verifier.Shapes) -> None:
    room = shapes.room
    for _round in range(2):
        event = judged(SHAPED[0].replace("[0", "[" + '"",' * 2_000 + "0").encode())
        assert isinstance(event, verifier.Event)
    assert shapes.room == room


def test_a_removing_event_is_returned_whole_each_time() -> None:
    text = SHAPED[0].replace("route.edit", "pd.erase")
    for _round in range(2):
        event = verifier.judge_event(text.encode())
        assert event.removing["n"] == [0, -7, None, True]
    tried = SHAPED[2].replace("route.edit", "pd.erase")
    assert verifier.judge_event(tried.encode()).removing == {}


def disclosed(data: bytes) -> dict[str, object] | str:
    try:
        return verifier.read_disclosure(data)
    except verifier.Unreadable as problem:
        return str(problem)


@pytest.mark.parametrize("piece", PIECES)
def test_a_disclosed_value_is_read_as_any_json_is(
    piece: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = f'{{"field":"to.msisdn","salt":"{"0f" * 32}","seq":70,"value":"+44 7700 (900)"}}'
    changed = [
        edited(line, [(at, length, piece)]) for at in range(len(line) + 1) for length in (0, 1)
    ]
    found = [disclosed(data) for data in changed]
    monkeypatch.setattr(verifier, "DISCLOSURE_LINE", re.compile(b"none"))
    assert [disclosed(data) for data in changed] == found
