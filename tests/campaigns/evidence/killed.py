"""Seals until everything is sealed, to be killed on the way; hours pass by its arguments.

python -m tests.campaigns.evidence.killed DATA_DIR NOW
"""

import sys
from datetime import datetime
from pathlib import Path

import django

django.setup()

from django.conf import settings  # noqa: E402

from campaigns.actions.sealing import seal_messages  # noqa: E402

settings.DATA_DIR = Path(sys.argv[1])
print("ready", flush=True)
print(seal_messages(datetime.fromisoformat(sys.argv[2])), flush=True)
