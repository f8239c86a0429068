"""Runs the verifier's command again and again in one process of a Python that has nothing of ours.

The file is named in the command. The words of each run come in as a JSON list, what each answered
goes out as one.
"""

import contextlib
import importlib.util
import io
import json
import sys


def main() -> None:
    """Answer each run."""
    found = importlib.util.spec_from_file_location("verify_evidence", sys.argv[1])
    assert found is not None
    assert found.loader is not None
    verifier = sys.modules["verify_evidence"] = importlib.util.module_from_spec(found)
    found.loader.exec_module(verifier)
    answers = []
    for words in json.load(sys.stdin):
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            verifier.main(words)
        answers.append(json.loads(said.getvalue()))
    json.dump(answers, sys.stdout)


if __name__ == "__main__":
    main()
