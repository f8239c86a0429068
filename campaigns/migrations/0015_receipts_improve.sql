-- What a receipt says about a message that was accepted: it only ever climbs. Zero says nothing final.
-- campaigns/rules/improvements.py holds the same table; a test compares them.
CREATE FUNCTION receipt_rank(p_state text) RETURNS integer LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE p_state WHEN 'delivered' THEN 3 WHEN 'undeliverable' THEN 2 WHEN 'expired' THEN 2
        WHEN 'rejected' THEN 2 WHEN 'deleted' THEN 2 WHEN 'none' THEN 1 ELSE 0 END
$$;

-- The message state of one accepted part, by its receipt.
CREATE FUNCTION accepted_state(p_receipt text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE receipt_rank(p_receipt)
        WHEN 3 THEN 'delivered' WHEN 2 THEN 'undelivered' WHEN 1 THEN 'no_receipt' ELSE 'submitted' END
$$;

-- What we send as user_message_reference: the same at every attempt of a part, 1 to 65535.
-- campaigns/rules/references.py computes the same; a test compares them.
CREATE FUNCTION segment_reference(p_campaign bigint, p_position bigint, p_part integer)
RETURNS integer LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT (1 + (p_campaign * 10007 + p_position * 131 + p_part) % 65535)::integer
$$;

-- A receipt also keeps whom it is about: with a lost answer that may be all there is to match by.
-- The subscriber as our keyed fingerprint, never the number.
ALTER TABLE receipt
    ADD COLUMN fingerprint bytea,
    ADD COLUMN sender varchar(21) NOT NULL DEFAULT '',
    ADD COLUMN is_unmarked boolean NOT NULL DEFAULT false,
    ADD COLUMN look_at timestamptz,
    DROP CONSTRAINT receipt_result_check,
    ADD CONSTRAINT receipt_result_check CHECK (
        result IN ('', 'applied', 'repeated', 'interim', 'orphan', 'settled'));
CREATE INDEX receipt_unmatched ON receipt (connection_id, fingerprint) WHERE result = 'orphan';
CREATE INDEX receipt_to_look_at ON receipt (look_at) WHERE result = 'orphan' AND look_at IS NOT NULL;

-- How an unknown attempt was settled: by a late response, a receipt, or the SMSC's call records.
ALTER TABLE submission ADD COLUMN evidence varchar(10) NOT NULL DEFAULT '';
CREATE INDEX submission_unknown_since ON submission (happened_at) WHERE kind = 'unknown';

-- As before, but of several attempts of a part a delivered one counts before the newest.
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

-- All that moves receipts and settles unknowns takes this lock first: what it reads cannot move before it writes.
CREATE FUNCTION only_one_settles() RETURNS void LANGUAGE sql AS $$
    SELECT pg_advisory_xact_lock(hashtext('apply_receipts'))
$$;

-- An unknown attempt was accepted after all. The caller holds the lock of only_one_settles.
-- The campaign's counters move; what waits to be sent again of that part does not go any more.
-- False when the attempt is not unknown any more.
CREATE FUNCTION settle_as_accepted(
    p_batch_on date, p_batch bigint, p_position bigint, p_part integer, p_smsc_id text,
    p_receipt text, p_error text, p_at timestamptz, p_evidence text)
RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    v_campaign bigint;
    v_before text[];
    v_after text[];
    v_receipt text := CASE WHEN receipt_rank(p_receipt) > 1 THEN p_receipt ELSE '' END;
BEGIN
    SELECT s.campaign_id INTO v_campaign FROM submission s
    WHERE s.batch_on = p_batch_on AND s.batch_id = p_batch AND s.position = p_position AND s.part = p_part;
    PERFORM 1 FROM progress p WHERE p.campaign_id = v_campaign FOR UPDATE;
    SELECT array_agg(t.message_state) INTO v_before FROM message_states(v_campaign, ARRAY[p_position]) t;
    UPDATE submission s SET
        kind = 'submitted', status = 0, cause = '', smsc_id = p_smsc_id, evidence = p_evidence,
        receipt_state = v_receipt, receipt_error = CASE WHEN v_receipt <> '' THEN p_error ELSE '' END,
        receipt_at = CASE WHEN v_receipt <> '' THEN p_at END
    WHERE s.batch_on = p_batch_on AND s.batch_id = p_batch AND s.position = p_position
      AND s.part = p_part AND s.kind = 'unknown';
    IF NOT FOUND THEN RETURN false; END IF;
    DELETE FROM queued_segment q
    WHERE q.campaign_id = v_campaign AND q.position = p_position AND q.part = p_part
      AND q.batch_id IS NULL;
    SELECT array_agg(t.message_state) INTO v_after FROM message_states(v_campaign, ARRAY[p_position]) t;
    PERFORM count_moves(v_campaign, v_before, v_after, 1);
    RETURN true;
END $$;

-- Our segments of one connection that a receipt without an answer may be about: to that subscriber, from that
-- sender, intended before it came and not longer ago than p_since. Unknown, in flight, or accepted and waiting
-- for a receipt of their own. A reference, where the peer gave ours back, narrows them.
CREATE FUNCTION segments_of_subscriber(
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
      AND (s.kind = 'unknown' OR (s.kind = 'submitted' AND receipt_rank(s.receipt_state) < 2))
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

-- A receipt whose id nobody knows may be about a segment whose answer was lost. It settles that one when no
-- other segment and no other receipt can be meant. Returns whether it did. The lock is held.
CREATE FUNCTION settle_by_receipt(r receipt, p_hours integer) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    v_candidates integer;
    v_kind text;
    v_on date;
    v_batch bigint;
    v_position bigint;
    v_part integer;
BEGIN
    IF r.fingerprint IS NULL OR r.is_unmarked THEN RETURN false; END IF;
    SELECT count(*), min(t.kind), min(t.batch_on), min(t.batch_id), min(t.message_position), min(t.part)
    INTO v_candidates, v_kind, v_on, v_batch, v_position, v_part
    FROM segments_of_subscriber(
        r.connection_id, r.fingerprint, r.sender, r.reference,
        r.received_at - make_interval(hours => p_hours), r.received_at + interval '1 minute') t;
    IF v_candidates <> 1 OR v_kind <> 'unknown' THEN RETURN false; END IF;
    -- One of two receipts about different messages may belong to somebody else on this account.
    IF EXISTS (
        SELECT 1 FROM receipt o
        WHERE o.connection_id = r.connection_id AND o.fingerprint = r.fingerprint AND o.result = 'orphan'
          AND o.smsc_id <> r.smsc_id AND o.sender = r.sender
          AND (r.reference = 0 OR o.reference = r.reference)
          AND o.received_at BETWEEN r.received_at - make_interval(hours => p_hours)
                                AND r.received_at + make_interval(hours => p_hours))
    THEN RETURN false; END IF;
    RETURN settle_as_accepted(
        v_on, v_batch, v_position, v_part, r.smsc_id, r.state, r.error, r.received_at, 'receipt');
END $$;

DROP FUNCTION apply_receipts(integer);
DROP TYPE matched_receipt;
CREATE TYPE matched_receipt AS (
    received_on date, id bigint, state text, error text, received_at timestamptz, batch_on date,
    batch_id bigint, position bigint, part smallint, part_count smallint, campaign_id bigint, was text,
    result text);
CREATE TYPE moving_messages AS (campaign_id bigint, positions bigint[], before text[]);

-- Apply waiting receipts: each to the newest attempt of that connection with that id. A state only climbs.
-- One sender at a time. Counters of messages of one part move by what the rows were, others by all their parts.
CREATE FUNCTION apply_receipts(p_limit integer, p_hours integer DEFAULT 72) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    v_now timestamptz := clock_timestamp();
    v_since date := (v_now AT TIME ZONE 'UTC')::date - 62;
    v_matched matched_receipt[];
    v_lost bytea[];
    v_campaigns bigint[];
    v_moving moving_messages[] := '{}';
    v_long moving_messages;
    v_after text[];
    v_receipt receipt;
BEGIN
    IF NOT pg_try_advisory_xact_lock(hashtext('apply_receipts')) THEN RETURN 0; END IF;
    -- Receipts are durable and applying them twice changes nothing: a crash may take the last of this back.
    PERFORM set_config('synchronous_commit', 'off', true);
    UPDATE receipt r SET result = '', look_at = NULL
    FROM (
        SELECT received_on, id FROM receipt
        WHERE result = 'orphan' AND look_at <= v_now ORDER BY look_at LIMIT p_limit) due
    WHERE r.received_on = due.received_on AND r.id = due.id;

    SELECT array_agg(ROW(
        r.received_on, r.id, r.state, r.error, r.received_at, s.batch_on, s.batch_id, s.position, s.part,
        s.part_count, s.campaign_id, s.receipt_state,
        CASE WHEN s.batch_id IS NULL THEN 'orphan'
             WHEN r.is_unmarked AND r.fingerprint IS DISTINCT FROM (
                 SELECT m.fingerprint FROM message m JOIN campaign c ON c.id = m.campaign_id
                 WHERE m.frozen_on = c.frozen_on AND m.campaign_id = s.campaign_id
                   AND m.position = s.position) THEN 'orphan'
             WHEN receipt_rank(r.state) = 0 THEN 'interim'
             WHEN receipt_rank(r.state) <= receipt_rank(s.receipt_state) THEN 'repeated'
             ELSE 'applied' END)::matched_receipt)
    INTO v_matched
    FROM (SELECT * FROM receipt WHERE result = '' ORDER BY id LIMIT p_limit) r
    LEFT JOIN LATERAL (
        SELECT * FROM submission s
        WHERE s.connection_id = r.connection_id AND s.smsc_id = r.smsc_id AND s.smsc_id <> ''
          AND s.batch_on >= v_since AND s.kind = 'submitted'
        ORDER BY s.batch_id DESC LIMIT 1) s ON true;
    IF v_matched IS NULL THEN RETURN 0; END IF;

    -- Messages of several parts, and those of campaigns with attempts made again, count by all they have.
    FOR v_long IN
        SELECT t.campaign_id, array_agg(DISTINCT t.position), NULL::text[]
        FROM unnest(v_matched) t JOIN progress p ON p.campaign_id = t.campaign_id
        WHERE t.result = 'applied' AND (t.part_count > 1 OR p.resent > 0)
        GROUP BY t.campaign_id ORDER BY t.campaign_id
    LOOP
        PERFORM 1 FROM progress p WHERE p.campaign_id = v_long.campaign_id FOR UPDATE;
        SELECT array_agg(s.message_state ORDER BY s.message_position) INTO v_long.before
        FROM message_states(v_long.campaign_id, v_long.positions) s;
        v_moving := v_moving || v_long;
        v_campaigns := v_campaigns || v_long.campaign_id;
    END LOOP;

    WITH best AS (
        SELECT DISTINCT ON (t.batch_on, t.batch_id, t.position, t.part) t.*
        FROM unnest(v_matched) t WHERE t.result = 'applied'
        ORDER BY t.batch_on, t.batch_id, t.position, t.part, receipt_rank(t.state) DESC, t.id),
    moved AS (
        UPDATE submission s SET receipt_state = b.state, receipt_error = b.error, receipt_at = b.received_at
        FROM best b
        WHERE s.batch_on = b.batch_on AND s.batch_id = b.batch_id AND s.position = b.position
          AND s.part = b.part
        RETURNING b.campaign_id, b.part_count, b.was, b.state, b.id),
    told AS (
        UPDATE receipt r SET
            result = CASE WHEN m.result <> 'applied' OR moved.id IS NOT NULL THEN m.result
                          ELSE 'repeated' END,
            -- Looked at again after 1, 10 and 60 minutes.
            look_at = CASE WHEN m.result <> 'orphan' THEN NULL
                WHEN m.received_at + interval '1 minute' > v_now THEN m.received_at + interval '1 minute'
                WHEN m.received_at + interval '10 minutes' > v_now THEN m.received_at + interval '10 minutes'
                WHEN m.received_at + interval '1 hour' > v_now THEN m.received_at + interval '1 hour' END
        FROM unnest(v_matched) m LEFT JOIN moved ON moved.id = m.id
        WHERE r.received_on = m.received_on AND r.id = m.id),
    counted AS (
        SELECT campaign_id, accepted_state(was) AS before, accepted_state(state) AS after, count(*) AS n
        FROM moved
        WHERE part_count = 1 AND (v_campaigns IS NULL OR NOT EXISTS (
            SELECT 1 FROM progress p WHERE p.campaign_id = moved.campaign_id AND p.resent > 0))
        GROUP BY 1, 2, 3),
    change AS (
        SELECT campaign_id,
            coalesce(sum(n) FILTER (WHERE after = 'delivered'), 0) AS delivered,
            coalesce(sum(n) FILTER (WHERE after = 'undelivered'), 0)
                - coalesce(sum(n) FILTER (WHERE before = 'undelivered'), 0) AS undelivered,
            coalesce(sum(n) FILTER (WHERE before = 'submitted'), 0) AS submitted,
            coalesce(sum(n) FILTER (WHERE before = 'no_receipt'), 0) AS no_receipt
        FROM counted GROUP BY campaign_id ORDER BY campaign_id),
    locked AS (
        SELECT p.campaign_id FROM progress p WHERE p.campaign_id IN (SELECT campaign_id FROM change)
        ORDER BY p.campaign_id FOR UPDATE)
    UPDATE progress p SET
        delivered = p.delivered + c.delivered, undelivered = p.undelivered + c.undelivered,
        submitted = p.submitted - c.submitted, no_receipt = p.no_receipt - c.no_receipt
    FROM change c JOIN locked USING (campaign_id) WHERE p.campaign_id = c.campaign_id;

    FOREACH v_long IN ARRAY v_moving LOOP
        SELECT array_agg(s.message_state ORDER BY s.message_position) INTO v_after
        FROM message_states(v_long.campaign_id, v_long.positions) s;
        PERFORM count_moves(v_long.campaign_id, v_long.before, v_after, 0);
    END LOOP;

    -- What fits no id may be about an attempt whose answer was lost.
    IF NOT EXISTS (SELECT 1 FROM unnest(v_matched) m WHERE m.result = 'orphan') THEN
        RETURN cardinality(v_matched);
    END IF;
    SELECT array_agg(DISTINCT g.fingerprint) INTO v_lost
    FROM submission u JOIN campaign c ON c.id = u.campaign_id
    JOIN message g ON g.frozen_on = c.frozen_on AND g.campaign_id = u.campaign_id AND g.position = u.position
    WHERE u.kind = 'unknown' AND u.happened_at >= v_now - make_interval(hours => p_hours + 24)
      AND u.batch_on >= v_since;
    FOR v_receipt IN
        SELECT r.* FROM unnest(v_matched) m
        JOIN receipt r ON r.received_on = m.received_on AND r.id = m.id AND r.result = 'orphan'
        WHERE m.result = 'orphan' AND r.fingerprint = ANY (v_lost)
        ORDER BY r.id
    LOOP
        IF settle_by_receipt(v_receipt, p_hours) THEN
            UPDATE receipt r SET result = 'settled', look_at = NULL
            WHERE r.received_on = v_receipt.received_on AND r.id = v_receipt.id;
            UPDATE receipt r SET result = '', look_at = NULL
            WHERE r.result = 'orphan' AND r.connection_id = v_receipt.connection_id
              AND r.smsc_id = v_receipt.smsc_id AND r.smsc_id <> '';
        END IF;
    END LOOP;
    RETURN cardinality(v_matched);
END $$;

-- What has waited too long for its receipt says so; a late receipt still improves it.
CREATE OR REPLACE FUNCTION give_up_receipts(p_before timestamptz, p_limit integer) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    v_campaign bigint;
    v_positions bigint[];
    v_before text[];
    v_after text[];
    v_n integer := 0;
BEGIN
    PERFORM only_one_settles();
    FOR v_campaign, v_positions IN
        SELECT t.campaign_id, array_agg(DISTINCT t.position) FROM (
            SELECT s.campaign_id, s.position FROM submission s
            WHERE s.kind = 'submitted' AND s.receipt_state = '' AND s.happened_at < p_before
            LIMIT p_limit) t GROUP BY t.campaign_id ORDER BY 1
    LOOP
        PERFORM 1 FROM progress p WHERE p.campaign_id = v_campaign FOR UPDATE;
        SELECT array_agg(s.message_state ORDER BY s.message_position) INTO v_before
        FROM message_states(v_campaign, v_positions) s;
        UPDATE submission s SET receipt_state = 'none'
        WHERE s.campaign_id = v_campaign AND s.position = ANY (v_positions) AND s.kind = 'submitted'
          AND s.receipt_state = '' AND s.happened_at < p_before;
        SELECT array_agg(s.message_state ORDER BY s.message_position) INTO v_after
        FROM message_states(v_campaign, v_positions) s;
        PERFORM count_moves(v_campaign, v_before, v_after, 0);
        v_n := v_n + cardinality(v_positions);
    END LOOP;
    RETURN v_n;
END $$;
