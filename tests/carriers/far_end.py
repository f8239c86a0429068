"""The far end of the second carrier: answers every line with an id and brings a receipt, again to
the next session when nobody said that it is stored.
"""

import json
import socketserver
import threading
from collections import Counter
from typing import Any


class FarEnd(socketserver.ThreadingTCPServer):
    """Listens on a free port of this machine; `accepted` counts lines by number and text."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Session)
        self.accepted: Counter[tuple[str, str]] = Counter()
        self.accounts: set[tuple[str, str]] = set()
        self.stored: set[int] = set()
        self.session_count = 0
        self.sessions: list[Session] = []
        self.last = 0
        self.counting = threading.Lock()
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.server_address[1])

    def __exit__(self, *args: Any) -> None:
        self.shutdown()
        super().__exit__(*args)


class Session(socketserver.StreamRequestHandler):
    """One carrier's connection."""

    server: FarEnd

    def handle(self) -> None:
        """Answer lines until it hangs up."""
        self.server.session_count += 1
        self.server.sessions.append(self)
        for line in self.rfile:
            told = json.loads(line)
            if "account" in told:
                self.server.accounts.add((told["account"], told["secret"]))
                for number in range(1, self.server.last + 1):
                    if number not in self.server.stored:
                        self._bring(number)
            elif "stored" in told:
                self.server.stored.add(told["stored"])
            else:
                self._accept(told)

    def _accept(self, told: dict[str, Any]) -> None:
        with self.server.counting:
            self.server.last += 1
            number = self.server.last
            self.server.accepted[(told["to"], told["octets"])] += 1
        self._say({"n": told["n"], "id": f"L{number}"})
        self._bring(number)

    def _bring(self, number: int) -> None:
        self._say({"receipt": number, "id": f"L{number}", "state": "delivered"})

    def write(self, number: int, source: str, destination: str, text: str) -> None:
        """Let a subscriber write to a sender."""
        self._say({"message": number, "from": source, "to": destination, "text": text})

    def _say(self, what: dict[str, Any]) -> None:
        self.wfile.write(json.dumps(what).encode() + b"\n")
