-- A revision begins in review, by the person behind the account, and moves by this table only.
CREATE FUNCTION sender_revision_begins() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.state <> 'in_review' THEN
        RAISE EXCEPTION 'A revision begins in review, not %.', NEW.state
            USING ERRCODE = 'check_violation', CONSTRAINT = 'sender_revision_begins_in_review';
    END IF;
    NEW.proposed_person_id := (SELECT u.person_id FROM account u WHERE u.id = NEW.proposed_by_id);
    RETURN NEW;
END $$;
CREATE TRIGGER sender_revision_begins BEFORE INSERT ON sender_revision
    FOR EACH ROW EXECUTE FUNCTION sender_revision_begins();

CREATE FUNCTION sender_revision_moves() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.state <> OLD.state AND (OLD.state, NEW.state) NOT IN (
        ('in_review', 'approved'), ('in_review', 'rejected'), ('in_review', 'withdrawn'),
        ('approved', 'replaced'))
    THEN
        RAISE EXCEPTION 'A revision cannot move from % to %.', OLD.state, NEW.state
            USING ERRCODE = 'check_violation', CONSTRAINT = 'sender_revision_move';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER sender_revision_moves BEFORE UPDATE OF state ON sender_revision
    FOR EACH ROW EXECUTE FUNCTION sender_revision_moves();

ALTER TABLE sender_revision ADD CONSTRAINT sender_revision_needs_an_approval
    CHECK (needed_approvals BETWEEN 1 AND 2);

-- History is only added to: no column but the state and its time ever changes, nothing goes.
DROP TRIGGER sender_revision_written_once ON sender_revision;
CREATE TRIGGER sender_revision_written_once BEFORE UPDATE ON sender_revision FOR EACH ROW
    WHEN (to_jsonb(OLD) - 'state' - 'decided_at' IS DISTINCT FROM
          to_jsonb(NEW) - 'state' - 'decided_at')
    EXECUTE FUNCTION refuse_change();
CREATE TRIGGER sender_revision_stays BEFORE DELETE ON sender_revision
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- What is decided already takes no more decisions; a refusal is one decision too.
CREATE FUNCTION sender_decision_is_due() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT 1 FROM sender_revision r WHERE r.id = NEW.revision_id AND r.state = 'in_review')
    THEN
        RAISE EXCEPTION 'Revision % is not in review.', NEW.revision_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'sender_decision_in_review';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER sender_decision_is_due BEFORE INSERT ON sender_decision
    FOR EACH ROW EXECUTE FUNCTION sender_decision_is_due();
