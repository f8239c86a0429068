"""One HTTP request to an anchor: no redirects, no proxies, bounded in time and size."""

import http.client
import ssl
from dataclasses import dataclass
from urllib.parse import urlsplit

from audit.rules.anchoring import AnchorRefused, Unreachable

SECONDS = 10
_MOST = 1_000_000


@dataclass(frozen=True)
class Answer:
    """An answer: its status, its type without parameters, and its body."""

    status: int
    content_type: str
    body: bytes


def post(url: str, body: bytes, content_type: str) -> Answer:
    """Send a body and return what came back.

    Raises AnchorRefused for an address that is none or a certificate that is not believed, and
    Unreachable when there is no answer or the server is in trouble.
    """
    connection = _connect(url)
    try:
        connection.request("POST", _path(url), body, {"Content-Type": content_type})
        response = connection.getresponse()
        data = response.read(_MOST + 1)
    except ssl.SSLCertVerificationError as doubt:
        raise AnchorRefused(f"{url}: the certificate is not believed: {doubt.reason}.") from doubt
    except (OSError, http.client.HTTPException) as failure:
        raise Unreachable(f"{url} does not answer: {failure or type(failure).__name__}.") from None
    finally:
        connection.close()
    if len(data) > _MOST:
        raise AnchorRefused(f"{url} answered with more than a megabyte.")
    if response.status >= 500 or response.status == 429:
        raise Unreachable(f"{url} is in trouble (HTTP {response.status}).")
    kind = response.getheader("Content-Type", "").partition(";")[0].strip().lower()
    return Answer(response.status, kind, data)


def _connect(url: str) -> http.client.HTTPConnection:
    parts = urlsplit(url)
    try:
        if parts.scheme == "https" and parts.hostname:
            context = ssl.create_default_context()
            return http.client.HTTPSConnection(
                parts.hostname, parts.port, timeout=SECONDS, context=context
            )
        if parts.scheme == "http" and parts.hostname:
            return http.client.HTTPConnection(parts.hostname, parts.port, timeout=SECONDS)
    except ValueError as bad_port:
        raise AnchorRefused(f"{url} is not an address: {bad_port}.") from bad_port
    raise AnchorRefused(f"{url} is not an address of http or https.")


def _path(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}"
