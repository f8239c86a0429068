-- With several senders a receipt may come to one while the answer to its segment is being stored by another: neither sees
-- the other, and the receipt waited a minute.

-- Apply waiting receipts: each to the newest attempt of that connection with that id. A state only climbs.
-- One sender at a time. Counters of messages of one part move by what the rows were, others by all their parts.
-- A message that went as one message_payload has one id, and one receipt, for all its parts.
-- Nothing costs more than in step with the number of receipts. Those that fit nothing are read by their keys: the
-- index of such receipts, which is empty when the table is looked at for its plan, would be read through once for each.
-- Whoever is not reached within p_ms milliseconds is due again at once.
CREATE OR REPLACE FUNCTION apply_receipts(p_limit integer, p_hours integer DEFAULT 72, p_ms integer DEFAULT 100) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    v_now timestamptz := clock_timestamp();
    v_since date := (v_now AT TIME ZONE 'UTC')::date - 62;
    v_matched matched_receipt[];
    v_ends timestamptz;
    v_done integer := 0;
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
        WHERE result = 'orphan' AND look_at <= v_now ORDER BY look_at LIMIT least(p_limit, 200)) due
    WHERE r.received_on = due.received_on AND r.id = due.id;

    -- Of several about one part the best is applied, the others repeat it.
    SELECT array_agg(ROW(
        t.received_on, t.id, t.state, t.error, t.received_at, t.batch_on, t.batch_id, t.position, t.part,
        t.part_count, t.campaign_id, t.was,
        CASE WHEN t.result = 'applied' AND t.place > 1 THEN 'repeated' ELSE t.result END)::matched_receipt)
    INTO v_matched
    FROM (
        SELECT j.*, row_number() OVER (
            PARTITION BY j.result, j.batch_on, j.batch_id, j.position, j.part
            ORDER BY receipt_rank(j.state) DESC, j.id) AS place
        FROM (
            SELECT r.received_on, r.id, r.state, r.error, r.received_at, s.batch_on, s.batch_id, s.position,
                s.part, s.part_count, s.campaign_id, s.receipt_state AS was,
                CASE WHEN s.batch_id IS NULL THEN 'orphan'
                     WHEN r.is_unmarked AND r.fingerprint IS DISTINCT FROM (
                         SELECT m.fingerprint FROM message m JOIN campaign c ON c.id = m.campaign_id
                         WHERE m.frozen_on = c.frozen_on AND m.campaign_id = s.campaign_id
                           AND m.position = s.position) THEN 'orphan'
                     WHEN receipt_rank(r.state) = 0 THEN 'interim'
                     WHEN receipt_rank(r.state) <= receipt_rank(s.receipt_state) THEN 'repeated'
                     ELSE 'applied' END AS result
            FROM (SELECT * FROM receipt WHERE result = '' ORDER BY id LIMIT p_limit) r
            LEFT JOIN LATERAL (
                SELECT * FROM submission s
                WHERE s.connection_id = r.connection_id AND s.smsc_id = r.smsc_id AND s.smsc_id <> ''
                  AND s.batch_on >= v_since AND s.kind = 'submitted'
                ORDER BY s.batch_id DESC LIMIT 1) newest ON true
            LEFT JOIN LATERAL (
                SELECT newest.*
                UNION ALL
                SELECT other.* FROM submission other
                WHERE newest.part_count > 1 AND other.connection_id = newest.connection_id
                  AND other.smsc_id = newest.smsc_id AND other.batch_on = newest.batch_on
                  AND other.batch_id = newest.batch_id AND other.position = newest.position
                  AND other.part <> newest.part AND other.kind = 'submitted') s ON true) j) t;
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

    WITH best AS (SELECT * FROM unnest(v_matched) t WHERE t.result = 'applied'),
    moved AS (
        UPDATE submission s SET receipt_state = b.state, receipt_error = b.error, receipt_at = b.received_at
        FROM best b
        WHERE s.batch_on = b.batch_on AND s.batch_id = b.batch_id AND s.position = b.position
          AND s.part = b.part
        RETURNING b.campaign_id, b.part_count, b.was, b.state),
    told AS (
        UPDATE receipt r SET
            result = m.result,
            -- Looked at again after 5 seconds, and 1, 10 and 60 minutes.
            look_at = CASE WHEN m.result <> 'orphan' THEN NULL
                WHEN m.received_at + interval '5 seconds' > v_now THEN m.received_at + interval '5 seconds'
                WHEN m.received_at + interval '1 minute' > v_now THEN m.received_at + interval '1 minute'
                WHEN m.received_at + interval '10 minutes' > v_now THEN m.received_at + interval '10 minutes'
                WHEN m.received_at + interval '1 hour' > v_now THEN m.received_at + interval '1 hour' END
        FROM unnest(v_matched) m
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

    -- What fits no id may be about an attempt whose answer was lost. Who settles one holds the counters of its
    -- campaign, for which claims wait: so it ends in time, after one at least, and the others follow in transactions of
    -- their own.
    IF NOT EXISTS (SELECT 1 FROM unnest(v_matched) m WHERE m.result = 'orphan') THEN
        RETURN cardinality(v_matched);
    END IF;
    v_ends := clock_timestamp() + p_ms * interval '1 millisecond';
    FOR v_receipt IN
        SELECT r.* FROM unnest(v_matched) m
        JOIN receipt r ON r.received_on = m.received_on AND r.id = m.id
        WHERE m.result = 'orphan' ORDER BY r.id
    LOOP
        IF v_done > 0 AND clock_timestamp() >= v_ends THEN
            UPDATE receipt r SET look_at = v_now FROM unnest(v_matched) m
            WHERE m.result = 'orphan' AND m.id >= v_receipt.id AND r.received_on = m.received_on AND r.id = m.id
              AND r.result = 'orphan';
            EXIT;
        END IF;
        v_done := v_done + 1;
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
