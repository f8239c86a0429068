"""What a PDF says, read back by a reader that did not write it."""

import io

from pypdf import PdfReader


def words_of(data: bytes) -> str:
    """Return a PDF's text without blanks: where a line ends is a matter of its layout."""
    return squeezed(text_of(data))


def text_of(data: bytes) -> str:
    """Return a PDF's text, line by line."""
    return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(data)).pages)


def squeezed(text: str) -> str:
    """Return a text without its blanks."""
    return "".join(text.split())
