"""The demo's teams, people, texts and lists. Every number is from a range reserved for fiction."""

from collections.abc import Iterator
from dataclasses import dataclass

# Names that the simulator beside us is started with: its one account, and the file of what
# subscribers write.
SYSTEM_ID = "messagecenter"
SUBSCRIBERS = "subscribers.jsonl"
PASSWORD = "demo-two-eyes-more"  # noqa: S105 - refused wherever DEBUG is off
FIRST_AREA = 201
NAMES = (
    "Amina", "Bakhtiyor", "Chiara", "Dilnoza", "Emil", "Farida", "Grace", "Hamid", "Ines", "Jasur",
    "Kamola", "Liam", "Malika", "Nigora", "Otabek", "Petra", "Rustam", "Sofia", "Timur", "Umida",
)  # fmt: skip
PLANS = ("Start 5", "Plus 20", "Max 50", "Family 100")


@dataclass(frozen=True)
class Team:
    """One workspace of the demo: its address, name, sender name and what it sends. `code` is the
    short code to which its subscribers can write.
    """

    slug: str
    name: str
    sender: str
    purpose: str
    sample: str
    category: str = "service"
    code: str = ""


TEAMS = (
    Team("network-ops", "Network Ops", "NetStatus", "Maintenance, outages", "Work in your area."),
    Team(
        *("marketing", "Marketing", "Registon", "Offers", "20 GB for the weekend."),
        category="promotional",
        code="3525",
    ),
    Team(
        *("subscriber-care", "Subscriber Care", "CareDesk", "Balance", "Your balance is 10."),
        code="7010",
    ),
    Team("vas", "VAS", "RM-Codes", "PIN messages", "Your code is 1234.", "transactional"),
    Team("roaming", "Roaming", "RoamInfo", "Roaming advisories", "Welcome abroad."),
)
PEOPLE = (
    ("admin", "admin"),
    ("author", "author"),
    ("moderator", "moderator"),
    ("viewer", "viewer"),
)
PERSON_NAMES = {
    "network-ops": ("Sherzod Aliyev", "Laylo Nazarova", "Bobur Umarov", "Kate Miller"),
    "marketing": ("Malika Yusupova", "Dilnoza Karimova", "Jasur Rahimov", "Tom Becker"),
    "subscriber-care": ("Nigora Saidova", "Otabek Tursunov", "Grace Adeyemi", "Anna Weiss"),
    "vas": ("Timur Iskandarov", "Sofia Rossi", "Rustam Kadirov", "Paul Martin"),
    "roaming": ("Umida Sobirova", "Emil Novak", "Farida Azimova", "Joan Vidal"),
}
# The campaign that is always under way, and whose it is.
SPREAD_TEAM = "marketing"
SPREAD_NAME = "Weekend 20 GB"
SPREAD_TEXT = "Hello {{name}}, your plan {{plan}} has 20 GB more this weekend. STOP to opt out."
NOTICE_TEXT = (
    "Dear {{name}}, on Saturday between 01:00 and 03:00 we renew the equipment that serves you. "
    "Calls and data can break off for some minutes. Emergency calls work at all times. "
    "Thank you for your patience."
)
ROAM_TEXT = "Welcome abroad, {{name}}. Your plan {{plan}} covers calls and 2 GB a day here."
CODE_TEXT = "Your code is {{code}}. It is valid for {{minutes}} minutes. Tell it to nobody."
BALANCE_TEXT = "Your balance is {{amount}} on {{day}}."


@dataclass(frozen=True)
class Reply:
    """What subscriber `index` of the lists writes to a short code, `after` seconds of silence. At
    most 70 characters: one part.
    """

    index: int
    code: str
    text: str
    after: float


REPLIES = (
    Reply(20_003, "3525", "Does the weekend offer also work with Family 100?", 2),
    Reply(20_017, "7010", "My balance looks wrong since Friday. Please call me back.", 3),
    Reply(20_029, "3525", "STOP", 4),
    Reply(20_041, "7010", "Здравствуйте! Когда починят связь в Юнусабаде?", 3),
    Reply(20_003, "3525", "And until when is it valid?", 5),
    Reply(20_058, "7010", "Rahmat, internet yana ishlayapti!", 4),
)


def number(index: int) -> str:
    """Return the number of a subscriber as the lists have it: +1 401 555-0103."""
    area, line = divmod(index, 100)
    return f"+1 {FIRST_AREA + area} 555-0{100 + line}"


def digits(index: int) -> str:
    """Return the digits of a subscriber's number."""
    return "".join(filter(str.isdecimal, number(index)))


def rows(first: int, count: int) -> Iterator[str]:
    """Yield lines of a CSV file with a header; some rows have faults, as real files do."""
    yield "phone,name,plan"
    for index in range(first, first + count):
        name = NAMES[index % len(NAMES)]
        yield f"{number(index)},{name},{PLANS[index % len(PLANS)]}"
        if index % 1_000 == 500:
            yield f"{number(index)},{name},{PLANS[0]}"
            yield "1.2025E+10,Spreadsheet,Start 5"
            yield f"not a number,{NAMES[0]},Plus 20"
