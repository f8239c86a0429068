-- A resent attempt was unknown until two people decided to send its segment again; the new attempt counts.
ALTER TABLE submission DROP CONSTRAINT submission_kind_check, ADD CONSTRAINT submission_kind_check CHECK (
    kind IN ('submitted', 'refused', 'deferred', 'released', 'unknown', 'suppressed', 'resent'));
CREATE INDEX submission_resent ON submission (campaign_id, position) WHERE kind = 'resent';

-- An unknown attempt that the SMSC never had, by records that somebody stated to be complete.
-- The caller holds the lock of only_one_settles. False when the attempt is not unknown any more.
CREATE FUNCTION settle_as_absent(
    p_batch_on date, p_batch bigint, p_position bigint, p_part integer, p_cause text)
RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    v_campaign bigint;
    v_before text[];
    v_after text[];
BEGIN
    SELECT s.campaign_id INTO v_campaign FROM submission s
    WHERE s.batch_on = p_batch_on AND s.batch_id = p_batch AND s.position = p_position AND s.part = p_part;
    PERFORM 1 FROM progress p WHERE p.campaign_id = v_campaign FOR UPDATE;
    SELECT array_agg(t.message_state) INTO v_before FROM message_states(v_campaign, ARRAY[p_position]) t;
    UPDATE submission s SET kind = 'refused', cause = p_cause, evidence = 'records'
    WHERE s.batch_on = p_batch_on AND s.batch_id = p_batch AND s.position = p_position
      AND s.part = p_part AND s.kind = 'unknown';
    IF NOT FOUND THEN RETURN false; END IF;
    SELECT array_agg(t.message_state) INTO v_after FROM message_states(v_campaign, ARRAY[p_position]) t;
    PERFORM count_moves(v_campaign, v_before, v_after, 0);
    RETURN true;
END $$;

-- All attempts over one connection to these subscribers that call records may be about.
CREATE FUNCTION attempts_of_subscribers(p_connection bigint, p_fingerprints bytea[], p_since timestamptz)
RETURNS TABLE (
    subscriber bytea, batch_on date, batch_id bigint, workspace_id bigint, campaign_id bigint,
    message_position bigint, part integer, sender text, kind text, smsc_id text, opened_at timestamptz,
    until timestamptz)
LANGUAGE sql STABLE AS $$
    WITH sent AS (
        SELECT m.fingerprint, m.workspace_id, c.id AS campaign_id, c.frozen_on, m.position, m.segment_count,
               r.value
        FROM workspace w
        JOIN message m ON m.workspace_id = w.id AND m.fingerprint = ANY (p_fingerprints)
        JOIN campaign c ON c.id = m.campaign_id AND c.frozen_on = m.frozen_on
        JOIN sender_revision r ON r.id = c.sender_revision_id)
    SELECT sent.fingerprint, s.batch_on, s.batch_id, s.workspace_id, s.campaign_id, s.position, s.part::integer,
           sent.value::text, s.kind::text, s.smsc_id::text, b.opened_at, greatest(s.happened_at, b.opened_at)
    FROM sent JOIN submission s ON s.campaign_id = sent.campaign_id AND s.position = sent.position
        AND s.batch_on >= sent.frozen_on
    JOIN batch b ON b.id = s.batch_id
    WHERE s.connection_id = p_connection AND s.kind IN ('unknown', 'submitted', 'resent')
      AND b.opened_at >= p_since
    UNION ALL
    SELECT sent.fingerprint, b.opened_on, b.id, b.workspace_id, b.campaign_id, sent.position, n,
           sent.value::text, 'sending', '', b.opened_at, clock_timestamp()
    FROM sent
    JOIN batch b ON b.campaign_id = sent.campaign_id AND b.connection_id = p_connection
        AND b.closed_at IS NULL AND b.opened_at >= p_since
    CROSS JOIN generate_series(1, sent.segment_count::integer) AS n
    WHERE (sent.position BETWEEN b.first_position AND b.last_position
           OR EXISTS (SELECT 1 FROM queued_segment q
                      WHERE q.batch_id = b.id AND q.position = sent.position AND q.part IN (0, n)))
      AND NOT EXISTS (
          SELECT 1 FROM submission s
          WHERE s.batch_on = b.opened_on AND s.batch_id = b.id AND s.position = sent.position
            AND s.part IN (0, n))
$$;

-- Put the unknown parts of these messages into the queue: two people decided it. What was settled meanwhile is
-- left out. The decision's own transaction, which has locked the campaign's row. Returns how many messages.
CREATE FUNCTION queue_resend(p_campaign bigint, p_positions bigint[], p_now timestamptz) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    c campaign;
    v_positions bigint[];
    v_before text[];
    v_after text[];
BEGIN
    PERFORM only_one_settles();
    SELECT * INTO c FROM campaign WHERE id = p_campaign;
    PERFORM 1 FROM progress p WHERE p.campaign_id = c.id FOR UPDATE;
    SELECT array_agg(t.message_position), array_agg(t.message_state) INTO v_positions, v_before
    FROM (SELECT * FROM message_states(c.id, p_positions) s
          WHERE s.message_state = 'unknown' ORDER BY s.message_position) t;
    IF v_positions IS NULL THEN RETURN 0; END IF;
    INSERT INTO queued_segment (workspace_id, campaign_id, position, part, part_count, is_deferred,
                                attempt_count, not_before_at)
    SELECT DISTINCT s.workspace_id, c.id, s.position, s.part, s.part_count, false, 0, p_now
    FROM submission s
    WHERE s.campaign_id = c.id AND s.position = ANY (v_positions) AND s.batch_on >= c.frozen_on
      AND s.kind IN ('unknown', 'resent') AND s.part > 0
      AND NOT EXISTS (
          SELECT 1 FROM submission l
          WHERE l.campaign_id = c.id AND l.position = s.position AND l.part = s.part
            AND l.batch_on >= c.frozen_on AND l.batch_id > s.batch_id)
    ON CONFLICT (campaign_id, position, part) DO NOTHING;
    UPDATE submission s SET kind = 'resent'
    WHERE s.campaign_id = c.id AND s.position = ANY (v_positions) AND s.batch_on >= c.frozen_on
      AND s.kind = 'unknown';
    SELECT array_agg(s.message_state ORDER BY s.message_position) INTO v_after
    FROM message_states(c.id, v_positions) s;
    PERFORM count_moves(c.id, v_before, v_after, 0);
    UPDATE progress p SET resent = p.resent + cardinality(v_positions) WHERE p.campaign_id = c.id;
    RETURN cardinality(v_positions);
END $$;

-- What was asked for stays as it was asked, and a decision is made once.
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
CREATE FUNCTION resend_decision_copy_person() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.requested_person_id := (SELECT u.person_id FROM account u WHERE u.id = NEW.requested_by_id);
    RETURN NEW;
END $$;
CREATE TRIGGER resend_decision_copy_person BEFORE INSERT ON resend_decision
    FOR EACH ROW EXECUTE FUNCTION resend_decision_copy_person();

-- As before; an attempt that was made again and has no successor is unknown still.
CREATE OR REPLACE FUNCTION message_states(p_campaign bigint, p_positions bigint[])
RETURNS TABLE (message_position bigint, message_state text) LANGUAGE sql STABLE AS $$
    WITH c AS (
        SELECT campaign.*, progress.cursor FROM campaign
        JOIN progress ON progress.campaign_id = campaign.id WHERE campaign.id = p_campaign),
    wanted AS (SELECT DISTINCT unnest(p_positions) AS position),
    latest AS (
        SELECT DISTINCT ON (s.position, s.part)
            s.position, s.part, s.part_count, s.kind, s.receipt_state
        FROM submission s, c
        WHERE s.campaign_id = p_campaign AND s.position = ANY (p_positions)
          AND s.batch_on >= c.frozen_on
        ORDER BY s.position, s.part, (s.receipt_state = 'delivered') DESC, s.batch_id DESC),
    waiting AS (
        SELECT q.position, q.part, q.part_count,
               CASE WHEN q.batch_id IS NOT NULL THEN 'sending'
                    WHEN q.is_deferred THEN 'deferred' ELSE 'queued' END AS state
        FROM queued_segment q
        WHERE q.campaign_id = p_campaign AND q.position = ANY (p_positions)),
    parts AS (
        SELECT position, part, part_count, state FROM waiting
        UNION ALL
        SELECT l.position, l.part, l.part_count,
            CASE
                WHEN l.kind = 'submitted' THEN accepted_state(l.receipt_state)
                WHEN l.kind IN ('deferred', 'released') THEN
                    CASE WHEN c.state IN ('cancelled', 'expired') THEN c.state ELSE 'sending' END
                WHEN l.kind = 'resent' THEN 'unknown'
                ELSE l.kind
            END
        FROM latest l CROSS JOIN c
        WHERE NOT EXISTS (
            SELECT 1 FROM waiting w WHERE w.position = l.position AND w.part IN (0, l.part))),
    whole AS (
        SELECT position, array_agg(state) AS states, max(part_count) AS part_count,
               bool_or(part = 0) AS is_whole, count(*) AS known
        FROM parts GROUP BY position)
    SELECT wanted.position, CASE
        WHEN whole.states IS NULL THEN CASE
            WHEN wanted.position >= c.cursor OR c.mode = 'trigger' THEN
                CASE WHEN c.state IN ('cancelled', 'expired') THEN c.state
                     WHEN c.mode = 'trigger' THEN 'sending' ELSE 'queued' END
            ELSE 'sending' END
        WHEN 'unknown' = ANY (states) THEN 'unknown'
        WHEN 'refused' = ANY (states) THEN 'refused'
        WHEN 'suppressed' = ANY (states) THEN 'suppressed'
        WHEN 'sending' = ANY (states) THEN 'sending'
        WHEN 'deferred' = ANY (states) THEN 'deferred'
        WHEN 'queued' = ANY (states) THEN 'queued'
        WHEN 'cancelled' = ANY (states) THEN 'cancelled'
        WHEN 'expired' = ANY (states) THEN 'expired'
        WHEN NOT is_whole AND known < whole.part_count THEN 'sending'
        WHEN 'undelivered' = ANY (states) THEN 'undelivered'
        WHEN 'submitted' = ANY (states) THEN 'submitted'
        WHEN 'no_receipt' = ANY (states) THEN 'no_receipt'
        ELSE 'delivered' END
    FROM wanted CROSS JOIN c LEFT JOIN whole ON whole.position = wanted.position
$$;

-- As before; one that was made again competes for a receipt too.
CREATE OR REPLACE FUNCTION segments_of_subscriber(
    p_connection bigint, p_fingerprint bytea, p_sender text, p_reference integer,
    p_since timestamptz, p_until timestamptz)
RETURNS TABLE (
    batch_on date, batch_id bigint, campaign_id bigint, message_position bigint, part smallint, kind text)
LANGUAGE sql STABLE AS $$
    WITH sent AS (
        SELECT c.id AS campaign_id, c.frozen_on, m.position, m.segment_count
        FROM workspace w
        JOIN message m ON m.workspace_id = w.id AND m.fingerprint = p_fingerprint
        JOIN campaign c ON c.id = m.campaign_id AND c.frozen_on = m.frozen_on
        JOIN sender_revision r ON r.id = c.sender_revision_id
        WHERE p_sender = '' OR lower(ltrim(r.value, '+')) = lower(ltrim(p_sender, '+')))
    SELECT s.batch_on, s.batch_id, s.campaign_id, s.position, s.part, s.kind::text
    FROM sent JOIN submission s ON s.campaign_id = sent.campaign_id AND s.position = sent.position
        AND s.batch_on >= sent.frozen_on
    JOIN batch b ON b.id = s.batch_id
    WHERE s.connection_id = p_connection AND b.opened_at BETWEEN p_since AND p_until
      AND (s.kind IN ('unknown', 'resent') OR (s.kind = 'submitted' AND receipt_rank(s.receipt_state) < 2))
      AND (p_reference = 0 OR p_reference = segment_reference(s.campaign_id, s.position, s.part))
    UNION ALL
    SELECT b.opened_on, b.id, b.campaign_id, sent.position, n::smallint, 'sending'
    FROM sent
    JOIN batch b ON b.campaign_id = sent.campaign_id AND b.connection_id = p_connection
        AND b.closed_at IS NULL AND b.opened_at BETWEEN p_since AND p_until
    CROSS JOIN generate_series(1, sent.segment_count) AS n
    WHERE (sent.position BETWEEN b.first_position AND b.last_position
           OR EXISTS (SELECT 1 FROM queued_segment q
                      WHERE q.batch_id = b.id AND q.position = sent.position AND q.part IN (0, n)))
      AND (p_reference = 0 OR p_reference = segment_reference(b.campaign_id, sent.position, n))
      AND NOT EXISTS (
          SELECT 1 FROM submission s
          WHERE s.batch_on = b.opened_on AND s.batch_id = b.id AND s.position = sent.position
            AND s.part IN (0, n))
$$;

-- As before, with the table of moves of today: a completed campaign sends again what two people decided.
CREATE OR REPLACE FUNCTION campaign_state_guard() RETURNS trigger LANGUAGE plpgsql AS $$
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
