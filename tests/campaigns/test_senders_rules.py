"""What may be a sender name, and which names people take for another."""

from collections.abc import Iterator
from itertools import combinations, islice, product

import pytest

from campaigns.rules.sender_names import (
    Kind,
    NameRefused,
    kind_of,
    read_name,
    resembled,
    resembles,
    skeleton,
)

WORDS = (
    "Registon Amber Borealis Corsair Dunmore Eastline Fernwood Glimmer Harbourix Islewave"
    " Juniper Kestrel Lumenbank Marlowe Northgate Ormond Pelican Quillmark Rosemoor Silverton"
    " Thornhill Umbriel Valemont Westbrook Yarrow Zephyr Bluecoin Clearpay Solvent Trustline"
    " Mirabel Orchard Brisk Cobalt Delmar Elmstone Falcon Granite Hollis Ironbark"
    " Larkspur Meridian Nimbus Obsidian Palisade Rivulet Sorrel Tamarind Verbena Wavecrest"
)
NAMES = WORDS.split()

SWAPS = (
    ("o", "0"),
    ("l", "1"),
    ("l", "I"),
    ("i", "l"),
    ("i", "1"),
    ("m", "rn"),
    ("s", "5"),
    ("b", "8"),
    ("w", "vv"),
    ("e", "3"),
    ("a", "4"),
    ("t", "7"),
)


def look_alikes(name: str) -> Iterator[str]:
    """Yield ways to write a name so that people read the same."""
    plain = name.lower()
    changed = [plain.replace(old, new) for old, new in SWAPS if old in plain]
    changed += [plain.replace(old, new, 1) for old, new in SWAPS if plain.count(old) > 1]
    changed += [
        plain.replace(one, uno).replace(two, due)
        for (one, uno), (two, due) in combinations(SWAPS, 2)
        if one in plain and two in plain and two not in uno
    ]
    spaced = [name[:at] + mark + name[at:] for at, mark in product((1, 3, 5), " .-_") if name[at:]]
    near = [name[:at] + name[at + 1 :] for at in range(1, 4)] + [name + "s", name.upper()]
    yield from dict.fromkeys(form for form in changed + spaced + near if len(form) <= 11)


def five_hundred() -> list[tuple[str, str]]:
    """Return ten look-alikes of each name, no two alike."""
    return [(name, form) for name in NAMES for form in islice(look_alikes(name), 10)]


def test_every_one_of_500_look_alikes_is_stopped_or_escalated() -> None:
    pairs = five_hundred()
    assert len(pairs) == len(set(pairs)) == 500
    passed = [pair for pair in pairs if not resembles(skeleton(pair[1]), skeleton(pair[0]))]
    assert passed == []


def test_honest_names_are_neither_stopped_nor_escalated() -> None:
    pairs = [
        (one, other)
        for one, other in combinations(NAMES, 2)
        if resembles(skeleton(one), skeleton(other))
    ]
    assert pairs == []


@pytest.mark.parametrize("name", NAMES)
def test_a_name_of_letters_is_allowed(name: str) -> None:
    assert read_name(name).value == name


@pytest.mark.parametrize(
    ("text", "ton", "npi", "value", "kind"),
    [
        ("Registon", 5, 0, "Registon", Kind.NAME),
        ("Radio 4", 5, 0, "Radio 4", Kind.NAME),
        ("1177", 3, 0, "1177", Kind.SHORT_CODE),
        ("+447700900123", 1, 1, "447700900123", Kind.NUMBER),
        ("447700900123", 1, 1, "447700900123", Kind.NUMBER),
    ],
)
def test_ton_and_npi_follow_from_the_string(
    text: str, ton: int, npi: int, value: str, kind: Kind
) -> None:
    address = read_name(text)
    assert (address.ton, address.npi, address.value) == (ton, npi, value)
    assert kind_of(address.value) is kind


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "Enter a sender."),
        ("A", "at least 2 characters"),
        ("A" * 12, "at most 11 characters"),
        (" Amber", "cannot begin or end with a space"),
        ("Amber-", "ends with a letter or a digit"),
        ("12-34", "needs a letter"),
        ("12", "at least 3 digits"),
        ("0123", "does not begin with 0"),
        ("112", "emergency"),
        ("0123456789", "without leading zeros"),
        ("1234567890123456", "7 to 15 digits"),
        ("Am@ber", "cannot carry “@”"),
        ("A$ber", "cannot carry “$”"),
        ("Amber!", "cannot carry “!”"),
        ("Am\nber", "cannot carry U+000A"),
        ("Am\u200bber", "U+200B (zero width space)"),
        ("Café", "Write “e”"),
        ("\uff21mber", "Write “A”"),
        ("В\u0430nk", "“В” (cyrillic capital letter ve) looks like “B”"),
        ("B\u0430nk", "“\u0430” (cyrillic small letter a) looks like “a” but is another letter"),
        ("Ωmega", "Use the letters A to Z"),
        ("info", "says nothing about who sends"),
        ("1NF0", "says nothing about who sends"),
        ("No-Reply", "says nothing about who sends"),
        ("Likely-SCAM", "a word that networks warn with"),
        ("5CAM alert", "a word that networks warn with"),
    ],
)
def test_what_cannot_be_a_sender_is_refused_with_its_reason(text: str, said: str) -> None:
    with pytest.raises(NameRefused) as refused:
        read_name(text)
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Amber", "AMBER"),
        ("Amber", "A-m b.e_r"),
        ("Moon", "Rn00n"),
        ("Wave", "VVave"),
        ("Illinois", "1l1inoi5"),
        ("Blue 8", "8Iue B"),
        ("1177", "II77"),
    ],
)
def test_names_that_look_alike_have_one_skeleton(one: str, other: str) -> None:
    assert skeleton(one) == skeleton(other)


def test_no_two_short_codes_look_alike() -> None:
    codes = [f"{number:04d}" for number in range(10_000)]
    assert len({skeleton(code) for code in codes}) == 10_000


@pytest.mark.parametrize(
    "near", ["PayPal", "PayPa1", "PayPall", "PaPal", "PaxPal", "PyaPal", "PayPal Info", "My-PayPal"]
)
def test_one_edit_or_carrying_a_protected_name_resembles_it(near: str) -> None:
    assert resembled(near, [("PayPal", skeleton("PayPal"))]) == "PayPal"


@pytest.mark.parametrize("far", ["Papa", "PayPond", "Pelican", "Play"])
def test_two_edits_do_not_resemble(far: str) -> None:
    assert resembled(far, [("PayPal", skeleton("PayPal"))]) == ""


def test_a_short_protected_name_is_not_found_inside_words() -> None:
    assert resembled("Tingle", [("ING", skeleton("ING"))]) == ""


def test_the_exact_name_is_named_before_one_that_is_near() -> None:
    protected = [(name, skeleton(name)) for name in ("Amberly", "Amberl", "Amber")]
    assert resembled("4MBER", protected) == "Amber"
