"""Exports the bench's log once, in a process whose time and memory the bench measures."""

import sys
from datetime import datetime, timedelta
from pathlib import Path

import django


def export(target: Path) -> None:
    """Write the bundle, as the command does once its epoch is signed."""
    django.setup()
    # These need Django to be ready.
    from django.conf import settings

    from audit.actions.exporting.bundle import Order, Site, write_bundle
    from audit.actions.exporting.telling import Cover
    from message_center.stack.product import ROOT
    from tests.audit.evidence.installation import EXPORT_KEY, SECRET, uuid4
    from tests.bench.verifying import EPOCHS, SLOT, START, WORKSPACES

    site = Site(
        url=settings.EXPORTER_DATABASE_URL,
        secret=SECRET,
        private=EXPORT_KEY,
        verifier=ROOT / "audit" / "verifier",
        formats=ROOT / "docs" / "FORMAT.md",
        fonts=ROOT / "audit" / "fonts",
        fallback=target.with_name("kept"),
    )
    end = START + timedelta(hours=EPOCHS)
    order = Order(WORKSPACES[SLOT], None, end, uuid4("bench"), shows_values=True)
    now = datetime.now(tz=START.tzinfo)
    cover = Cover("Bench", "How long does it take?", "the bench", "", now, shows_values=True)
    write_bundle(order, site, target, cover, lambda _more: None)


if __name__ == "__main__":
    export(Path(sys.argv[1]))
