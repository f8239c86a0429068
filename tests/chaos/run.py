"""One campaign of faults: strike, wait until segments flow, judge; and the verdict at the end."""

import random
import subprocess
import sys
import time

from message_center.stack.product import ROOT
from tests.chaos.faults import Fault
from tests.chaos.invariants import Broken
from tests.chaos.journal import Entry, Journal
from tests.chaos.settling import settled_by_records
from tests.chaos.stage import PATIENCE, Stage, now
from tests.poll import TooLate, poll

# All counts against all rows, after so many faults; the cheap checks are made after each.
COUNT_EVERY = 15
# The table tells how often I8 was missed. On a busy machine that is no fault; this much more is.
GRACE, LEAST_GRACE = 5.0, 30.0
# After so many violations there is nothing more to learn.
MOST_BROKEN = 6
# The burst of 20 ms is in the factor; the most segments of one message here.
LONGEST_MESSAGE = 2
# The SMSC takes the time when it is its turn on a busy processor, so its seconds are uneven: what
# was claimed in a second is judged strictly, what arrived in one is told, and judged roughly.
UNEVEN = 2.0


def run(
    stage: Stage, faults: list[Fault], dice: random.Random, journal: Journal, until: float
) -> None:
    """Let all of it happen to a stage whose sender sends, or as much as begins before `until`, in
    monotonic seconds. What does not hold is noted; raises Broken when that is too much.
    """
    for number, fault in enumerate(faults, start=1):
        if time.monotonic() >= until:
            journal.note(f"{len(faults) - number + 1} faults were left out: the time was up")
            return
        try:
            said = _one(stage, fault, dice, journal, number)
        except AssertionError as broken:
            said = f"BROKEN {broken}"
            journal.broke(f"{number}: {fault.name}", broken)
            if len(journal.broken) >= MOST_BROKEN:
                raise
            stage.recover()
        stage.watch.suffered = number
        print(f"{number:4}/{len(faults)} {fault.group}: {fault.name}: {said}", flush=True)


def _one(stage: Stage, fault: Fault, dice: random.Random, journal: Journal, number: int) -> str:
    stage.supply()
    stage.wait_accepted(dice.randint(15, 60))
    entry = _suffer(stage, fault, dice)
    journal.entries.append(entry)
    if number % COUNT_EVERY == 0:
        stage.checker.counted(stage.campaign_ids[-3:])
    return f"{entry.resumed:.2f} s, unknown {entry.unknown}"


def _suffer(stage: Stage, fault: Fault, dice: random.Random) -> Entry:
    floor = stage.checker.oldest_open()
    before, epochs = stage.checker.unknown(floor), stage.checker.epochs()
    struck_at = now()
    try:
        heal_at = fault.strike(stage, dice)
        resumed = stage.wait_flow(max(heal_at, fault.flows_from)) - heal_at
        stage.wait_settled(now())
        stage.checker.after_fault()
    except AssertionError as broken:
        broken.add_note(f"after {fault.name}; the sender says:\n{stage.sender.log_text[-4000:]}")
        raise
    if fault.disturbs:
        # What was held up arrives in a bunch: the rate is judged outside of these times.
        stage.disturbed.append((struck_at, now() + 1))
    unknown = stage.checker.unknown(floor) - before
    # A budget for each session that ended: `fault.budgets` times all of them. On a busy machine a
    # sender may lose a lease without a fault: that ends a session as well.
    changed = stage.checker.epochs() - epochs
    ended = max(fault.budgets * stage.sessions, changed) if fault.budgets else 0
    allowed = ended * stage.budget
    _judge(stage, fault, resumed, unknown, allowed)
    return Entry(fault.group, fault.name, resumed, unknown, allowed, fault.limit)


def _judge(stage: Stage, fault: Fault, resumed: float, unknown: int, allowed: float) -> None:
    if unknown > allowed:
        raise Broken(f"I4: {fault.name} left {unknown} unknown, at most {allowed:g} may be")
    if fault.limit is not None and resumed > max(fault.limit * GRACE, LEAST_GRACE):
        raise TooLate(f"I8: {fault.name}: segments flowed after {resumed:.1f} s only")
    if stage.watch.faults:
        raise Broken(f"I3: seen in between: {stage.watch.faults[:5]}")


def finish(stage: Stage, journal: Journal, seconds: float = 10 * PATIENCE) -> None:
    """Send the rest, then hold everything against the ledger; raises Broken."""
    began = time.monotonic()
    stage.finish(seconds)
    journal.note(f"the rest was settled in {time.monotonic() - began:.0f} s")
    checker, ledger = stage.checker, stage.ledger
    checker.nothing_twice()
    submitted = checker.submitted_is_in_the_ledger()
    checker.counted(stage.campaign_ids)
    checker.nothing_stuck()
    counts = checker.nothing_lost()
    causes = checker.causes()
    journal.note(audited(stage))
    late = [
        number
        for number, at in zip(ledger.destinations.values(), ledger.at, strict=True)
        if at > stage.opted_out.get(number, at) + 1
    ]
    if late:
        raise Broken(f"I5: {len(late)} segments to people who had opted out")
    claimed, busiest = checker.busiest_claims(), ledger.busiest_second(stage.disturbed)
    longest = LONGEST_MESSAGE * stage.sessions
    if claimed > stage.rate * 1.02 + longest or busiest > stage.rate * UNEVEN:
        raise Broken(f"I6: {claimed} claimed and {busiest} accepted in a second of {stage.rate}")
    if stage.watch.most_open > stage.budget + LONGEST_MESSAGE - 1:
        raise Broken(f"I4: {stage.watch.most_open} segments were open at once")
    journal.note(f"messages {sum(counts.values()):,}: {counts}")
    journal.note(f"accepted by the SMSC {len(ledger):,}, recorded as submitted {submitted:,}")
    journal.note(f"unknown segments by cause: {causes}")
    journal.note(
        f"busiest second at a rate of {stage.rate}: {claimed} claimed by the clock, {busiest}"
        " accepted within any second outside of jams"
    )
    journal.note(
        f"counts were conserved at {stage.watch.looks} looks, {stage.watch.blind} had no database;"
        f" most segments claimed and open in a session {stage.watch.most_open} of {stage.budget}"
    )
    if stage.watch.memory:
        mebibytes = stage.watch.memory
        journal.note(f"sender's memory {min(mebibytes):.0f} to {max(mebibytes):.0f} MiB")
    journal.note(settled_by_records(stage))


def audited(stage: Stage) -> str:
    """I7: let the log be numbered and signed, verify it, and count the people's decisions in it."""
    for name in ("sequencer", "signer"):
        stage.processes.start(name)
    poll(lambda: not stage.checker.rows("SELECT 1 FROM audit_pending LIMIT 1"), 60, "not numbered")
    verdict: list[str] = []

    def is_verified() -> bool:
        words = [sys.executable, "manage.py", "verify_audit"]
        done = subprocess.run(
            words,
            cwd=ROOT,
            env=stage.processes.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        verdict[:] = (done.stdout + done.stderr).splitlines()[-3:]
        if done.returncode == 1:
            raise Broken(f"I7: {verdict}")
        return done.returncode == 0

    poll(is_verified, 60, "the audit log is not verified")
    rows = stage.checker.rows("SELECT op, count(*) FROM audit_event WHERE result = 'ok' GROUP BY 1")
    entries = {str(op): int(count) for op, count in rows}
    for op, wanted in stage.decisions.items():
        if entries.get(op, 0) < wanted:
            raise Broken(f"I7: {wanted} of {op} were done, the log holds {entries.get(op, 0)}")
    return f"audit: {verdict[-1] if verdict else ''} Decisions: {dict(stage.decisions)}"
