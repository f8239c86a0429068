"""Say once, in the system chain and in the log, that message evidence is not sealed any more."""

from datetime import datetime

from audit.actions.anchors.alarms import tell
from audit.rules.events import Obj
from campaigns.actions.sealing import SEALER
from campaigns.queries.sealed import last_sealed_at
from campaigns.queries.sealing_state import unsealed_since
from workspaces.scope import scope_everywhere


def tell_unsealed(now: datetime) -> bool:
    """Raise the alarm when no pass comes any more, and forget it when one came; say if raised.

    Whatever ends a pass (a full disk, a database that cancels it, its time limit), this one runs
    apart from it.
    """
    with scope_everywhere("passes seal the outcomes of all workspaces"):
        since = unsealed_since(last_sealed_at(), now)
    sentence = (
        f"What became of messages has not been sealed since {since:%Y-%m-%d %H:%M} UTC: the pass "
        "of each hour fails, does not run, or waits for a transaction that nobody ends. The "
        "worker's log says why."
        if since
        else ""
    )
    return tell(
        "sealing", "messages.late", Obj("segment", "sealing"), sentence, actor=SEALER, now=now
    )
