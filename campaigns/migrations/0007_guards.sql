-- The small part of the approval digest, always computed from the rows themselves.
CREATE FUNCTION utc_text(p_at timestamptz) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT to_char(p_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
$$;

CREATE FUNCTION campaign_digest(c campaign) RETURNS bytea LANGUAGE sql STABLE AS $$
    SELECT sha256(convert_to(jsonb_build_array(
        'message-center-campaign/v1', c.workspace_id, c.id, c.mode, c.priority, c.text,
        c.sender_id, c.sender_revision_id, r.value, r.ton, r.npi,
        c.recipient_list_id, encode(c.audience_digest, 'hex'), c.total, c.segment_total,
        c.route_id, utc_text(c.starts_at), utc_text(c.ends_at), c.daily_from, c.daily_until, c.zone,
        c.rate_ceiling, c.start_by, c.daily_cap, c.slots)::text, 'UTF8'))
    FROM (SELECT 1) AS one LEFT JOIN sender_revision r ON r.id = c.sender_revision_id
$$;

-- The audience: every frozen row in order of position, its fingerprint and the values that fill its text.
CREATE FUNCTION campaign_audience_digest(p_campaign bigint) RETURNS bytea LANGUAGE plpgsql STABLE AS $$
DECLARE
    c campaign;
    v_digest bytea := '\x';
    v_from bigint := 0;
    v_chunk bytea;
BEGIN
    SELECT * INTO c FROM campaign WHERE id = p_campaign;
    LOOP
        SELECT string_agg(
                   int8send(m.position) || m.fingerprint || int2send(m.segment_count)
                   || sha256(convert_to(r.values::text, 'UTF8')), '' ORDER BY m.position)
        INTO v_chunk
        FROM message m JOIN recipient r ON r.id = m.recipient_id
        WHERE m.frozen_on = c.frozen_on AND m.campaign_id = c.id
          AND m.position >= v_from AND m.position < v_from + 10000;
        EXIT WHEN v_chunk IS NULL;
        v_digest := sha256(v_digest || v_chunk);
        v_from := v_from + 10000;
    END LOOP;
    RETURN v_digest;
END $$;

-- A campaign moves by the table of campaigns/rules/campaign_states.py only, and is approved only as what it is now.
CREATE FUNCTION campaign_state_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.state = OLD.state THEN RETURN NEW; END IF;
    IF NOT EXISTS (
        SELECT 1 FROM (VALUES /* moves */) AS moves(old_state, new_state)
        WHERE old_state = OLD.state AND new_state = NEW.state)
    THEN
        RAISE EXCEPTION 'A campaign cannot move from % to %.', OLD.state, NEW.state
            USING ERRCODE = 'check_violation', CONSTRAINT = 'campaign_move';
    END IF;
    IF NEW.state = 'approved' AND NOT EXISTS (
        SELECT 1 FROM approval a
        WHERE a.id = NEW.approval_id AND a.campaign_id = NEW.id AND a.verdict = 'approve'
          AND a.digest = campaign_digest(NEW))
    THEN
        RAISE EXCEPTION 'Campaign % has no approval of what it is now.', NEW.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'campaign_approved_as_is';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER campaign_state_guard BEFORE UPDATE OF state ON campaign
    FOR EACH ROW EXECUTE FUNCTION campaign_state_guard();

-- Four eyes: who made what is decided on is copied from the rows, never taken from the caller.
CREATE FUNCTION approval_copy_persons() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE c campaign;
BEGIN
    SELECT * INTO STRICT c FROM campaign
    WHERE id = NEW.campaign_id AND workspace_id = NEW.workspace_id;
    IF c.state <> 'in_review' THEN
        RAISE EXCEPTION 'Campaign % is not in review.', c.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'approval_in_review';
    END IF;
    NEW.author_person_id := c.author_person_id;
    NEW.editor_person_id := c.editor_person_id;
    NEW.submitter_person_id := c.submitter_person_id;
    NEW.uploader_person_id :=
        (SELECT l.uploaded_person_id FROM recipient_list l WHERE l.id = c.recipient_list_id);
    NEW.decided_person_id := (SELECT u.person_id FROM account u WHERE u.id = NEW.decided_by_id);
    NEW.digest := campaign_digest(c);
    RETURN NEW;
END $$;
CREATE TRIGGER approval_copy_persons BEFORE INSERT ON approval
    FOR EACH ROW EXECUTE FUNCTION approval_copy_persons();

CREATE FUNCTION sender_decision_copy_persons() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    SELECT r.proposed_person_id INTO STRICT NEW.proposed_person_id FROM sender_revision r
    WHERE r.id = NEW.revision_id AND r.workspace_id = NEW.workspace_id;
    NEW.decided_person_id := (SELECT u.person_id FROM account u WHERE u.id = NEW.decided_by_id);
    RETURN NEW;
END $$;
CREATE TRIGGER sender_decision_copy_persons BEFORE INSERT ON sender_decision
    FOR EACH ROW EXECUTE FUNCTION sender_decision_copy_persons();

CREATE FUNCTION resend_decision_copy_person() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.requested_person_id := (SELECT u.person_id FROM account u WHERE u.id = NEW.requested_by_id);
    RETURN NEW;
END $$;
CREATE TRIGGER resend_decision_copy_person BEFORE INSERT ON resend_decision
    FOR EACH ROW EXECUTE FUNCTION resend_decision_copy_person();

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

-- A sender whose approval is taken counts only while one of its revisions is approved.
CREATE FUNCTION sender_revision_approval_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.state = 'approved' AND OLD.state <> 'approved' AND (
        SELECT count(*) FROM sender_decision d WHERE d.revision_id = NEW.id AND d.is_approval)
        < NEW.needed_approvals
    THEN
        RAISE EXCEPTION 'Revision % has not got its approvals.', NEW.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'sender_revision_approved_by_enough';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER sender_revision_approval_guard BEFORE UPDATE OF state ON sender_revision
    FOR EACH ROW EXECUTE FUNCTION sender_revision_approval_guard();

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

-- What two people are asked to send again stays as it was asked, and a decision is made once.
CREATE FUNCTION resend_decision_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state <> 'requested'
        OR (OLD.workspace_id, OLD.campaign_id, OLD.positions, OLD.note, OLD.requested_by_id, OLD.requested_person_id,
            OLD.requested_at)
           IS DISTINCT FROM
           (NEW.workspace_id, NEW.campaign_id, NEW.positions, NEW.note, NEW.requested_by_id, NEW.requested_person_id,
            NEW.requested_at)
    THEN
        RAISE EXCEPTION 'A decision to send again is written once.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'resend_decision_written_once';
    END IF;
    NEW.decided_person_id := (SELECT u.person_id FROM account u WHERE u.id = NEW.decided_by_id);
    RETURN NEW;
END $$;
CREATE TRIGGER resend_decision_guard BEFORE UPDATE ON resend_decision
    FOR EACH ROW EXECUTE FUNCTION resend_decision_guard();

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is written once.', TG_TABLE_NAME
        USING ERRCODE = 'check_violation', CONSTRAINT = TG_TABLE_NAME || '_written_once';
END $$;
CREATE TRIGGER approval_written_once BEFORE UPDATE OR DELETE ON approval
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER sender_decision_written_once BEFORE UPDATE OR DELETE ON sender_decision
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
-- History is only added to: no column but the state and its time ever changes, nothing goes.
CREATE TRIGGER sender_revision_written_once BEFORE UPDATE ON sender_revision FOR EACH ROW
    WHEN (to_jsonb(OLD) - 'state' - 'decided_at' IS DISTINCT FROM
          to_jsonb(NEW) - 'state' - 'decided_at')
    EXECUTE FUNCTION refuse_change();
CREATE TRIGGER sender_revision_stays BEFORE DELETE ON sender_revision
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
-- Erasing a person's number is allowed; changing whom or what a frozen audience says is not.
CREATE TRIGGER recipient_written_once BEFORE UPDATE ON recipient FOR EACH ROW
    WHEN ((OLD.workspace_id, OLD.recipient_list_id, OLD.row_number, OLD.fingerprint, OLD.values)
          IS DISTINCT FROM
          (NEW.workspace_id, NEW.recipient_list_id, NEW.row_number, NEW.fingerprint, NEW.values)
          OR (NEW.number_sealed IS NOT NULL AND NEW.number_sealed <> OLD.number_sealed))
    EXECUTE FUNCTION refuse_change();

-- A frozen audience is written once; while its campaign is built anew (and only then) the owner's function may take it away.
CREATE FUNCTION message_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND EXISTS (
        SELECT 1 FROM campaign c WHERE c.id = OLD.campaign_id AND c.state = 'building')
    THEN RETURN OLD; END IF;
    RAISE EXCEPTION 'message is written once.'
        USING ERRCODE = 'check_violation', CONSTRAINT = 'message_written_once';
END $$;
CREATE TRIGGER message_written_once BEFORE UPDATE OR DELETE ON message
    FOR EACH ROW EXECUTE FUNCTION message_guard();

CREATE FUNCTION discard_audience(p_campaign bigint) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    v_n bigint;
    v_on date;
BEGIN
    SELECT frozen_on INTO v_on FROM campaign
    WHERE id = p_campaign AND state = 'building' AND started_at IS NULL;
    IF NOT FOUND THEN RAISE EXCEPTION 'Campaign % is not being built.', p_campaign; END IF;
    DELETE FROM message WHERE frozen_on = v_on AND campaign_id = p_campaign;
    GET DIAGNOSTICS v_n = ROW_COUNT;
    RETURN v_n;
END $$;
REVOKE ALL ON FUNCTION discard_audience(bigint) FROM PUBLIC;
