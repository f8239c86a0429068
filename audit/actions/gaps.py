"""Declare that the newest part of the log is lost: a backup or a replica was restored.

The log goes on from what was restored, which contradicts the checkpoints that were signed after it:
whoever kept one is told so by every verifier, for good. That is right, and cannot be mended. What
can be done is to say so aloud, in every chain, before the signer begins anew.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from uuid import uuid4

from django.db import transaction

from audit.actions.record import record
from audit.models import Epoch, Head, LogKey
from audit.queries.system import every_chain
from audit.rules.epochs import read_epoch
from audit.rules.events import Actor, Diff, Obj
from audit.rules.hashes import Tree, tree_root
from audit.rules.notes import (
    BadNote,
    BadSignature,
    Checkpoint,
    VerifierKey,
    read_key,
    read_signed_checkpoint,
)
from audit.rules.reasons import SHORTEST_REASON


class GapRefused(ValueError):
    """Nothing was declared; the sentence says why."""


@dataclass(frozen=True)
class Gap:
    """What was declared: `signed` epochs are known outside, `present` are here; in so many chains.

    `since` is the time of the last epoch that both have, "" when there is none.
    """

    signed: int
    present: int
    since: str
    chain_count: int


def declare_gap(
    *, note: str, keys: Sequence[VerifierKey] = (), actor: Actor, why: str, now: datetime
) -> Gap:
    """Record in every chain that this database lacks epochs which a checkpoint (`note`) fixed.

    The note must be this log's, signed by a key that the database names or by one of `keys`, and
    must not fit the epochs that are here. Raises GapRefused.
    """
    why = " ".join(why.split())
    if len(why) < SHORTEST_REASON:
        raise GapRefused("Say what happened, in at least 10 characters. Every reader sees it.")
    with every_chain(), transaction.atomic(durable=True):
        heads = list(Head.objects.order_by("slot"))
        held = _checkpoint(note, keys, f"/{heads[0].ws}" if heads else "/none")
        gap = _gap(held, len(heads))
        said: Diff = {
            "epochs": (gap.signed, gap.present),
            "since": (None, gap.since),
            "note_sha256": (None, sha256(note.encode()).hexdigest()),
        }
        name = str(uuid4())
        for head in heads:
            record(
                "gap.declared",
                workspace=head.ws,
                actor=actor,
                obj=Obj("gap", name),
                now=now,
                diff=said,
                why=why,
            )
    return gap


def _checkpoint(note: str, keys: Sequence[VerifierKey], install: str) -> Checkpoint:
    """Read the checkpoint that was held; raise GapRefused when it is not this log's."""
    published = [read_key(key) for key in LogKey.objects.values_list("key", flat=True)]
    try:
        held = read_signed_checkpoint(note, [*published, *keys])
    except (BadNote, BadSignature) as doubt:
        raise GapRefused(f"The checkpoint cannot be believed: {doubt}") from doubt
    if not held.origin.endswith(install):
        raise GapRefused(f"The checkpoint is of another log: {held.origin}.")
    return held


def _gap(held: Checkpoint, chain_count: int) -> Gap:
    """Compare the checkpoint with the epochs that are here; raise GapRefused when it fits them."""
    tree, since, signed_root = Tree(), "", tree_root([])
    for body in Epoch.objects.order_by("epoch").values_list("body", flat=True).iterator():
        epoch = read_epoch(body.encode())
        tree.append(epoch.leaf())
        if tree.size <= held.size:
            since = epoch.at
        if tree.size == held.size:
            signed_root = tree.root()
    if tree.size >= held.size and signed_root == held.root:
        raise GapRefused("The checkpoint fits the epochs that are here: nothing is missing.")
    return Gap(held.size, tree.size, since, chain_count)
