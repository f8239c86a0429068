"""From the octets of a short message to its text: GSM 03.38, Latin-1 and UCS-2.

This decoder judges the product's encoder, so it was written from 3GPP TS 23.038 alone.
"""

_BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION = {
    0x0A: "\f",
    0x14: "^",
    0x28: "{",
    0x29: "}",
    0x2F: "\\",
    0x3C: "[",
    0x3D: "~",
    0x3E: "]",
    0x40: "|",
    0x65: "€",
}
_ESCAPE = 0x1B
_UNREADABLE = "\N{REPLACEMENT CHARACTER}"
_PLAIN = {octet: _BASIC[octet] if octet < 128 else _UNREADABLE for octet in range(256)}


def decoded(octets: bytes, coding: int) -> str:
    """Return the text of one part without its header; what cannot be read becomes U+FFFD.

    `coding` is data_coding (5.2.19): 3 is Latin-1, 8 (and the groups with these bits) UCS-2, the
    rest is GSM 03.38 with one octet per septet.
    """
    if coding in {1, 3}:
        return octets.decode("latin-1")
    if coding & 0x0C == 0x08:
        return octets.decode("utf-16-be", errors="replace")
    return _gsm(octets)


def _gsm(octets: bytes) -> str:
    if _ESCAPE not in octets:
        return octets.decode("latin-1").translate(_PLAIN)
    text = []
    follows_escape = False
    for octet in octets:
        if follows_escape:
            text.append(_EXTENSION.get(octet, _UNREADABLE))
            follows_escape = False
        elif octet == _ESCAPE:
            follows_escape = True
        else:
            text.append(_PLAIN[octet])
    # An escape that ends a part was cut from its letter.
    return "".join(text) + (_UNREADABLE if follows_escape else "")
