"""Runs the verifier's command again and again in one process of a Python that has nothing of ours.

The command names its folder. The words of each run come in as a JSON list, what each answered
goes out as one.
"""

import contextlib
import importlib
import io
import json
import sys


def main() -> None:
    """Answer each run."""
    sys.path.insert(0, sys.argv[1])
    verifier = importlib.import_module("verify_evidence")
    answers = []
    for words in json.load(sys.stdin):
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            verifier.main(words)
        answers.append(json.loads(said.getvalue()))
    json.dump(answers, sys.stdout)


if __name__ == "__main__":
    main()
