"""Text for people's eyes: what hides or reorders other characters is written as an escape."""

import re

# Zero-width and direction marks, soft hyphen, byte-order mark, and control characters but for the
# line feed and the tab.
_HIDDEN = re.compile(
    "[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\u00ad\u0000-\u0008\u000b-\u001f\u007f-\u009f]"
)


def visible(text: str) -> str:
    """Return the text with each hidden character as its escape."""
    return _HIDDEN.sub(lambda match: f"\\u{ord(match[0]):04x}", text)
