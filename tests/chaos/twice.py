"""The product's settings, and a worker that runs every task twice: the second time after the first
has done all of it, as a broker does that delivers a message again.
"""

import os
from pathlib import Path
from typing import Any

from celery.signals import task_postrun, task_prerun

from message_center.settings import *  # noqa: F403


@task_prerun.connect
def _run_before(task: Any, args: Any, kwargs: Any, **_: Any) -> None:
    """Run the task once more, ahead of its own run."""
    task.run(*args, **kwargs)
    _note(f"once {task.name}")


@task_postrun.connect
def _tell(task: Any, **_: Any) -> None:
    _note(f"again {task.name}")


def _note(line: str) -> None:
    """Leave a line in TWICE_FILE for each run that is over."""
    with Path(os.environ["TWICE_FILE"]).open("a", encoding="utf-8") as file:
        file.write(f"{line}\n")
