"""An upload in pieces to the real web process, which is killed in the middle of one."""

import json
from http.client import HTTPConnection

import pytest
from pytest_django import Settings

from campaigns.models import ListState, RecipientList
from campaigns.queries.list_files import file_of
from tests import make
from tests.campaigns.lists import again, counts, finished, people
from tests.poll import poll
from tests.processes import Handle, Processes
from tests.visitors import Visitor
from workspaces.rules.permissions import Role
from workspaces.scope import scope, scope_everywhere

pytestmark = pytest.mark.processes
PIECE = 1_000_000
COLUMNS = {
    "delimiter": ",",
    "has_header": "on",
    "country": "GB",
    "use_0": "number",
    "use_1": "name",
    "name_1": "name",
    "use_2": "skip",
}


def long_file() -> bytes:
    """Return a row for each British number for fiction, with as much beside it as makes several
    pieces of the file.
    """
    rows = [f"+{make.number(row)},Name{row},{'x' * 2_500}" for row in range(make.BRITISH_COUNT)]
    return "\n".join(["phone,name,note", *rows, ""]).encode()


def test_an_upload_goes_on_where_the_killed_web_process_left_it(
    processes: Processes, settings: Settings
) -> None:
    settings.UPLOAD_DIR = processes.data / "uploads"
    with scope_everywhere("the test makes its ground"):
        author = make.person_in(make.workspace(), Role.AUTHOR)
    data = long_file()
    assert len(data) > 2 * PIECE
    web = processes.start("web")
    visitor = Visitor(web, author.user)
    home = f"/w/{author.here.slug}/lists/"
    begun = visitor.post(f"{home}start/", file_name="people.csv", size=len(data), name="Friends")
    to = json.loads(begun.text)
    assert visitor.put(to["file"], data[:PIECE], offset=0) == {"offset": PIECE}
    with scope(author.here):
        lst = RecipientList.objects.select_related("workspace").get()
    break_off(web, visitor, to["file"], lst, data)

    web.start()
    offset = json.loads(visitor.get(to["file"]).text)["offset"]
    assert PIECE < offset < 2 * PIECE
    while offset < len(data):
        offset = visitor.put(to["file"], data[offset : offset + PIECE], offset=offset)["offset"]
    assert file_of(lst).read_bytes() == data
    page = json.loads(visitor.post(to["finish"]).text)["page"]
    visitor.post(page, **COLUMNS)
    done = finished(author, again(lst))
    assert (done.state, counts(done)) == (ListState.READY, (make.BRITISH_COUNT, 1_000, 0, 0))
    assert people(done) == [
        (row + 2, make.number(row), {"name": f"Name{row}"}) for row in range(make.BRITISH_COUNT)
    ]


def break_off(web: Handle, visitor: Visitor, path: str, lst: RecipientList, data: bytes) -> None:
    """Send the second piece but for its end, and kill the process that is taking it in."""
    wire = HTTPConnection("127.0.0.1", web.port, timeout=30)
    wire.putrequest("PUT", path)
    for name, value in (visitor.piece(PIECE) | {"Content-Length": str(PIECE)}).items():
        wire.putheader(name, value)
    wire.endheaders()
    wire.send(data[PIECE : PIECE + PIECE * 9 // 10])
    poll(lambda: file_of(lst).stat().st_size > PIECE, 30, "nothing of it is on the disk")
    web.kill9()
    wire.close()
