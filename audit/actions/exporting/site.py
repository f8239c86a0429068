"""What this installation lends to its bundles, as the settings name it."""

from datetime import datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings

from audit.actions.anchors.installed import installed
from audit.actions.exporting.bundle import Site
from audit.actions.secret_file import BadSecret, site_secret
from audit.actions.signing_key import BadKey, signing_key
from audit.queries.anchors import anchor_states
from audit.queries.export_outside import WITNESS
from audit.rules.bundle import CannotExport

# So long an export waits for the witness, then goes on without.
WITNESS_PATIENCE = timedelta(seconds=90)

_APP = Path(__file__).resolve().parents[2]


def this_site() -> Site:
    """Return it; the export key is made when it is first needed. Raises CannotExport."""
    if not settings.EXPORTER_DATABASE_URL:
        raise CannotExport("EXPORTER_DATABASE_URL is not set: evidence is read by its own role.")
    nonces = Path(settings.AUDIT_NONCE_FILE)
    if not nonces.exists():
        # Never made here: another secret than the sequencer's proves nothing.
        raise CannotExport(f"The sequencer's secret {nonces} is not here (AUDIT_NONCE_FILE).")
    try:
        return Site(
            url=settings.EXPORTER_DATABASE_URL,
            secret=site_secret(nonces),
            private=export_key(Path(settings.AUDIT_EXPORT_KEY_FILE)),
            verifier=_APP / "verifier",
            formats=settings.BASE_DIR / "docs" / "FORMAT.md",
            fonts=_APP / "fonts",
            fallback=Path(settings.AUDIT_FALLBACK_DIR) / "kept",
        )
    except (BadSecret, BadKey) as refusal:
        raise CannotExport(str(refusal)) from refusal


def has_witness(*, now: datetime) -> bool:
    """Say whether a witness is set up that answers: it sees a checkpoint within a minute."""
    wanted = [one.expected for one in installed() if one.expected.kind == WITNESS]
    return any(not one.failure and not one.is_late for one in anchor_states(wanted, now=now))


def export_key(path: Path) -> Ed25519PrivateKey:
    """Return the key that signs manifests. It is not the log's: losing it rewrites nothing."""
    return signing_key(path, may_create=True)
