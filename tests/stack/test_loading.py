"""What a start switches off, it switches on again."""

import os
import subprocess
import sys

from message_center.stack.product import ROOT
from tests.ground import Ground

LOADS = (
    "import gc, message_center; print(gc.isenabled());"
    "import django; django.setup(); print(gc.isenabled(), gc.get_freeze_count() > 10_000)"
)


def test_garbage_is_collected_as_soon_as_everything_is_loaded(ground: Ground) -> None:
    environment = os.environ | ground.environment()
    words = [sys.executable, "-c", LOADS]
    done = subprocess.run(
        words, cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["False", "True", "True"]
