"""What a PDF says, read back by a reader that did not write it."""

import io

from pypdf import PdfReader


def words_of(data: bytes) -> str:
    """Return a PDF's text without blanks: where a line ends is a matter of its layout."""
    pages = PdfReader(io.BytesIO(data)).pages
    return squeezed("".join(page.extract_text() for page in pages))


def squeezed(text: str) -> str:
    """Return a text without its blanks."""
    return "".join(text.split())
