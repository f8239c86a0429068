"""Keep of Tabler's stylesheet what our pages can use: `make styles`; `--check` only compares.

A browser parses every rule for every page it opens. Of the 635 kB that Tabler has for every part
that a page could be made of, ours use a twelfth. A rule stays while each class it names is a word
that our templates, scripts, tags or forms have in quotes: in a `class`, in what a tag is given.
"""

import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import tinycss2
from tinycss2.ast import Node

ROOT = Path(__file__).parents[2]
STATIC = ROOT / "message_center" / "static"
WHOLE = STATIC / "vendor" / "tabler-1.6.1" / "tabler.min.css"
TRIMMED = STATIC / "mc" / "tabler.css"
QUOTED = re.compile(r"""(?:"([^"\n]*)"|'([^'\n]*)'|`([^`]*)`)""")
WORD = re.compile(r"-?[A-Za-z_][\w-]*")
CLASS = re.compile(r"\.((?:\\.|[\w-])+)")
NOT = re.compile(r":not\((?:[^()]|\([^()]*\))*\)")
PROPERTY = re.compile(r"(--[\w-]+):(?:[^;{}\"']|\"[^\"]*\"|'[^']*')*(?:;|(?=}))")
EMPTY = re.compile(r"[^{}]+\{\}")
CONDITIONS = {"media", "supports", "container", "layer"}


def named() -> set[str]:
    """Every word that can be a class of ours."""
    files = [
        *(ROOT / "templates").rglob("*.html"),
        *(STATIC / "mc").glob("*.js"),
        *ROOT.glob("*/templatetags/*.py"),
        *ROOT.glob("*/forms/*.py"),
    ]
    return {
        word
        for path in files
        for quoted in QUOTED.findall(path.read_text("utf-8"))
        for word in WORD.findall(" ".join(quoted))
    }


def selectors(prelude: str) -> Iterator[str]:
    """Split a list of selectors at the commas that no bracket encloses."""
    depth, start = 0, 0
    for at, mark in enumerate(prelude):
        depth += (mark in "([") - (mark in ")]")
        if mark == "," and not depth:
            yield prelude[start:at]
            start = at + 1
    yield prelude[start:]


def is_used(selector: str, words: set[str]) -> bool:
    """Whether each class that an element needs for it is one of the words."""
    return all(name.replace("\\", "") in words for name in CLASS.findall(NOT.sub("", selector)))


def rules(nodes: Iterable[Node], words: set[str]) -> Iterator[str]:
    """Write the rules that can be used; a comment that says whose they are stays."""
    for node in nodes:
        if node.type == "qualified-rule":
            kept = [
                one for one in selectors(tinycss2.serialize(node.prelude)) if is_used(one, words)
            ]
            if kept:
                yield f"{','.join(kept)}{{{tinycss2.serialize(node.content)}}}"
        elif node.type == "at-rule" and node.lower_at_keyword in CONDITIONS:
            inner = "".join(rules(tinycss2.parse_rule_list(node.content), words))
            if inner:
                yield f"@{node.at_keyword}{tinycss2.serialize(node.prelude)}{{{inner}}}"
        elif node.type == "at-rule" or (node.type == "comment" and node.value.startswith("!")):
            yield node.serialize()


def without_unread(styles: str, others: str) -> str:
    """Drop custom properties that neither these styles nor the others read, until none is left."""
    read = set(re.findall(r"--[\w-]+", others)) | set(re.findall(r"var\(\s*(--[\w-]+)", styles))
    rest = PROPERTY.sub(lambda found: found[0] if found[1] in read else "", styles)
    rest = EMPTY.sub("", rest)
    return rest if rest == styles else without_unread(rest, others)


def trimmed() -> str:
    """What our pages can use of the whole."""
    ours = "\n".join(
        path.read_text("utf-8")
        for path in (*(STATIC / "mc").iterdir(), *(ROOT / "templates").rglob("*.html"))
        if path.suffix in {".css", ".js", ".html"} and path != TRIMMED
    )
    nodes = tinycss2.parse_stylesheet(WHOLE.read_text("utf-8"))
    return without_unread("\n".join(rules(nodes, named())), ours) + "\n"


def main() -> None:
    """Write the file, or say that it is not what it would be."""
    styles = trimmed()
    if "--check" not in sys.argv:
        TRIMMED.write_text(styles, "utf-8")
    elif not TRIMMED.exists() or TRIMMED.read_text("utf-8") != styles:
        sys.exit(f"{TRIMMED.relative_to(ROOT)} is not what the pages use of Tabler: make styles")


if __name__ == "__main__":
    main()
