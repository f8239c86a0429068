"""Sealing what became of messages, beside the hashes alone that its lines cannot do without.

`BENCH_LINES` is how many outcomes one hour has (200,000; 1,000,000 for the full figure); half of
the text is personal. A proof is taken out of the middle afterwards.
"""

import hmac
import os
import resource
import time
from datetime import timedelta
from hashlib import sha256

import psycopg
from django.utils import timezone

from audit.actions.record import open_chain
from audit.rules.hashes import leaf_hash, node_hash
from campaigns.actions.sealing import seal_messages
from campaigns.models import Campaign, MessageSegment
from campaigns.queries.sealed import sealed_lines
from tests import make
from tests.bench.figures import cpu_seconds
from tests.bench.lines import postmaster
from tests.ground import SHARED, Ground
from workspaces.rules.permissions import Role
from workspaces.scope import scope_everywhere

LINES = int(os.environ.get("BENCH_LINES", "200000"))
ROWS = 1_000
FILL = """
WITH listed AS (SELECT * FROM recipient WHERE recipient_list_id = %(list)s),
more AS (
    INSERT INTO recipient (workspace_id, row_number, fingerprint, number_sealed, "values")
    SELECT s.workspace_id, n, s.fingerprint, s.number_sealed, s."values"
    FROM generate_series(%(first)s::bigint, %(last)s::bigint) n
    JOIN listed s ON s.row_number = 2 + n %% %(rows)s
    RETURNING id, row_number, workspace_id, fingerprint)
INSERT INTO message
    (frozen_on, workspace_id, campaign_id, position, recipient_id, fingerprint, segment_count)
SELECT %(frozen_on)s, workspace_id, %(campaign)s, row_number, id, fingerprint, 1 FROM more
"""
SUBMIT = """
INSERT INTO submission (batch_on, batch_id, workspace_id, campaign_id, position, part, part_count,
    connection_id, kind, smsc_id, happened_at, receipt_state, receipt_at)
SELECT m.frozen_on, m.campaign_id * 1000000 + m.position / 200, m.workspace_id, m.campaign_id,
       m.position, 1, 1, 1, 'submitted', 'id-' || m.position, now(), 'delivered', now()
FROM message m WHERE m.campaign_id = %(campaign)s
"""


def measure(ground: Ground) -> None:
    """Seal a tenth of an hour and then an hour of outcomes, and print."""
    for lines in (max(ROWS, LINES // 10), LINES):
        campaign = _sent(ground, lines)
        began, used = time.perf_counter(), time.process_time()
        database = cpu_seconds(postmaster(ground))
        sealed = seal_messages(timezone.now() + timedelta(hours=lines))
        assert sealed == lines, f"{sealed} lines were sealed, {lines} are there"
        cpu = time.process_time() - used
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(
            f"  {lines:,} lines: {time.perf_counter() - began:.1f} s, {cpu:.1f} s of CPU here and"
            f" {cpu_seconds(postmaster(ground)) - database:.1f} s in PostgreSQL;"
            f" {peak:.0f} MB at the peak; {cpu / _hashes(lines):.1f} times the hashes alone"
        )
        _prove(campaign)


def _sent(ground: Ground, lines: int) -> Campaign:
    """Make a campaign with so many outcomes, none of them sealed yet."""
    with scope_everywhere("the bench makes its workspace"):
        author = make.person_in(make.workspace(), Role.ADMIN)
        open_chain(author.here.uuid, now=timezone.now())
        campaign = make.sending(author, make.route(author.here, make.connection()), rows=ROWS)
    values = {
        "list": campaign.recipient_list_id,
        "first": ROWS,
        "last": lines - 1,
        "rows": ROWS,
        "frozen_on": campaign.frozen_on,
        "campaign": campaign.pk,
    }
    with psycopg.connect(ground.url("superuser", SHARED), autocommit=True) as link:
        link.execute(FILL, values)
        link.execute(SUBMIT, values)
        link.execute("ANALYZE submission, message, recipient")
    return campaign


def _hashes(lines: int) -> float:
    """Return the CPU seconds of three HMACs and two hashes for each line."""
    key, used = b"k" * 32, time.process_time()
    node = bytes(32)
    for n in range(lines):
        salt = hmac.digest(key, b"smsc-segment-salt/v1\n%d\n" % n, sha256)
        hmac.digest(salt, b"smsc-audit-pd/v1\nnumber\n+447700900000", sha256)
        hmac.digest(salt, b"smsc-audit-pd/v1\ntext\n" + 64 * b"0", sha256)
        node = node_hash(node, leaf_hash(400 * b"0"))
    return time.process_time() - used


def _prove(campaign: Campaign) -> None:
    with scope_everywhere("the bench looks at everything"):
        segment = MessageSegment.objects.filter(workspace=campaign.workspace).latest("number")
        began = time.perf_counter()
        (line,) = sealed_lines(campaign.workspace, campaign, segment.line_count // 2)
    print(
        f"  one of them proved by {len(line.path)} hashes: found, and its file of"
        f" {segment.size_bytes / 1e6:.0f} MB hashed whole, in {time.perf_counter() - began:.1f} s"
    )
