-- As before, but parts of one message that were put off together come together, so that what was one message_payload
-- is one again: each was given its own moment, and the first that is due brings the others along.
CREATE OR REPLACE FUNCTION claim_queue(
    p_lease bigint, p_epoch bigint, p_campaign bigint, p_room integer, p_now timestamptz,
    p_planned float8, p_request text, p_from bigint DEFAULT 0, p_upto bigint DEFAULT 1000000000,
    p_late timestamptz DEFAULT NULL)
RETURNS TABLE (
    refusal text, batch bigint, message_position bigint, part_count smallint, part smallint,
    recipient_fingerprint bytea, number_sealed bytea, recipient_values jsonb)
LANGUAGE plpgsql AS $$
DECLARE
    c campaign;
    v_refusal text;
    v_ids bigint[];
    v_positions bigint[];
    v_suppressed bigint[];
    v_before text[];
    v_after text[];
    v_open bigint;
    v_new bigint;
    v_handed bigint;
    v_batch bigint;
    v_connection bigint;
    v_on date := (clock_timestamp() AT TIME ZONE 'UTC')::date;
BEGIN
    IF NOT lease_holds(p_lease, p_epoch) THEN
        RETURN QUERY SELECT 'fenced', 0::bigint, 0::bigint, 0::smallint, 0::smallint, NULL::bytea, NULL::bytea, NULL::jsonb;
        RETURN;
    END IF;
    SELECT * INTO c FROM campaign WHERE id = p_campaign FOR SHARE;
    v_refusal := CASE WHEN c.id IS NULL THEN 'state' ELSE claim_refusal(c, p_now) END;
    IF v_refusal IS NOT NULL THEN
        RETURN QUERY SELECT v_refusal, 0::bigint, 0::bigint, 0::smallint, 0::smallint, NULL::bytea, NULL::bytea, NULL::jsonb;
        RETURN;
    END IF;
    SELECT connection_id INTO v_connection FROM lease WHERE id = p_lease;
    PERFORM 1 FROM progress p WHERE p.campaign_id = c.id FOR UPDATE;

    -- Rows of one message stay together: all its waiting parts come along, or none.
    SELECT array_agg(t.id), array_agg(DISTINCT t.position) INTO v_ids, v_positions
    FROM (
        SELECT q.id, q.position,
               sum(CASE WHEN q.part = 0 THEN q.part_count ELSE 1 END) OVER (
                   ORDER BY first_at, q.position RANGE UNBOUNDED PRECEDING) AS upto,
               dense_rank() OVER (ORDER BY first_at, q.position) AS place
        FROM (
            WITH due AS MATERIALIZED (
                SELECT * FROM queued_segment
                WHERE campaign_id = c.id AND batch_id IS NULL AND not_before_at <= p_now
                  AND may_take(v_connection, lane_id, position, not_before_at, p_from, p_upto, p_late)
                ORDER BY not_before_at, position LIMIT greatest(p_room, 1)
                FOR UPDATE SKIP LOCKED),
            taken AS (
                SELECT * FROM due
                UNION
                SELECT o.*
                FROM (SELECT DISTINCT u.position, u.attempt_count, u.lane_id FROM due u
                      WHERE u.part > 0 AND u.part_count > 1) d
                CROSS JOIN LATERAL (
                    SELECT * FROM queued_segment q
                    WHERE q.campaign_id = c.id AND q.position = d.position AND q.batch_id IS NULL
                      AND q.attempt_count = d.attempt_count AND q.lane_id IS NOT DISTINCT FROM d.lane_id
                      AND q.not_before_at <= p_now + interval '2 minutes'
                    OFFSET 0) o)
            SELECT w.*, min(w.not_before_at) OVER (PARTITION BY w.position) AS first_at FROM taken w) q) t
    WHERE t.upto <= p_room OR t.place = 1;
    IF v_ids IS NULL THEN
        RETURN QUERY SELECT 'nothing', 0::bigint, 0::bigint, 0::smallint, 0::smallint, NULL::bytea, NULL::bytea, NULL::jsonb;
        RETURN;
    END IF;
    SELECT array_agg(s.message_state ORDER BY s.message_position) INTO v_before
    FROM message_states(c.id, v_positions) s;

    SELECT array_agg(m.position) INTO v_suppressed
    FROM message m JOIN recipient r ON r.id = m.recipient_id
    WHERE m.frozen_on = c.frozen_on AND m.campaign_id = c.id AND m.position = ANY (v_positions)
      AND (r.number_sealed IS NULL OR EXISTS (
          SELECT 1 FROM opt_out o WHERE o.workspace_id = c.workspace_id
            AND o.fingerprint = m.fingerprint AND o.lifted_at IS NULL));
    SELECT coalesce(sum(CASE WHEN q.part = 0 THEN q.part_count ELSE 1 END), 0),
           coalesce(sum(q.part_count) FILTER (WHERE q.part = 0), 0),
           count(*) FILTER (WHERE q.lane_id IS NOT NULL)
    INTO v_open, v_new, v_handed
    FROM queued_segment q
    WHERE q.id = ANY (v_ids) AND (v_suppressed IS NULL OR q.position <> ALL (v_suppressed));

    INSERT INTO batch (workspace_id, campaign_id, connection_id, lease_id, epoch, segment_count,
                       open_count, opened_on, opened_at, closed_at, request_id)
    VALUES (c.workspace_id, c.id, v_connection, p_lease, p_epoch, v_open, v_open, v_on, p_now,
            CASE WHEN v_open = 0 THEN p_now END, p_request)
    RETURNING id INTO v_batch;
    IF v_suppressed IS NOT NULL THEN
        INSERT INTO submission (batch_on, batch_id, workspace_id, campaign_id, position, part, part_count,
                                connection_id, kind, cause, happened_at)
        SELECT v_on, v_batch, c.workspace_id, c.id, u.position, 0, 0, v_connection, 'suppressed', 'opted_out', p_now
        FROM unnest(v_suppressed) AS u(position);
        DELETE FROM queued_segment q
        WHERE q.campaign_id = c.id AND q.position = ANY (v_suppressed) AND q.batch_id IS NULL;
    END IF;
    UPDATE queued_segment q SET batch_id = v_batch WHERE q.id = ANY (v_ids) AND q.batch_id IS NULL;

    SELECT array_agg(s.message_state ORDER BY s.message_position) INTO v_after
    FROM message_states(c.id, v_positions) s;
    PERFORM count_moves(c.id, v_before, v_after, 0);
    UPDATE progress p SET claimed_segments = p.claimed_segments + v_new WHERE p.campaign_id = c.id;
    -- What was handed over was counted when its number was read.
    PERFORM note_rate(c, p_now, (v_open - v_handed)::integer, p_planned, '');

    RETURN QUERY
    SELECT NULL::text, v_batch, q.position, q.part_count, q.part, m.fingerprint, r.number_sealed, r.values
    FROM queued_segment q
    JOIN message m ON m.frozen_on = c.frozen_on AND m.campaign_id = c.id AND m.position = q.position
    JOIN recipient r ON r.id = m.recipient_id
    WHERE q.batch_id = v_batch ORDER BY q.position, q.part;
    IF v_open = 0 THEN
        RETURN QUERY SELECT NULL::text, 0::bigint, 0::bigint, 0::smallint, 0::smallint, NULL::bytea, NULL::bytea, NULL::jsonb;
    END IF;
END $$;

-- Whether an attempt whose parts are all unknown was one message_payload: its connection sends long messages so, and
-- nobody has changed it since (the sender reads a change within seconds).
CREATE FUNCTION went_as_one(p_connection bigint, p_batch_on date, p_batch bigint, p_position bigint)
RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT count(*) > 1 AND count(*) = max(s.part_count) AND bool_and(s.kind = 'unknown')
    FROM submission s JOIN batch b ON b.id = s.batch_id
    JOIN connection n ON n.id = b.connection_id
    WHERE s.batch_on = p_batch_on AND s.batch_id = p_batch AND s.position = p_position
      AND n.id = p_connection AND n.carrier = 'smpp' AND n.long_form = 'payload'
      AND NOT EXISTS (
          SELECT 1 FROM connection_event e
          WHERE e.connection_id = n.id AND e.kind = 'changed'
            AND e.happened_at > b.opened_at - interval '10 seconds')
$$;

-- As before; the receipt of a message that went as one settles all its parts, with our reference or without.
CREATE OR REPLACE FUNCTION settle_by_receipt(r receipt, p_hours integer) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    v_candidates integer;
    v_messages integer;
    v_is_whole boolean;
    v_kind text;
    v_on date;
    v_batch bigint;
    v_position bigint;
    v_part integer;
BEGIN
    IF r.fingerprint IS NULL OR r.is_unmarked THEN RETURN false; END IF;
    SELECT count(*), count(DISTINCT (t.batch_id, t.message_position)), min(t.kind), min(t.batch_on),
           min(t.batch_id), min(t.message_position), min(t.part)
    INTO v_candidates, v_messages, v_kind, v_on, v_batch, v_position, v_part
    FROM segments_of_subscriber(
        r.connection_id, r.fingerprint, r.sender, r.reference,
        r.received_at - make_interval(hours => p_hours), r.received_at + interval '1 minute') t;
    IF v_messages <> 1 OR v_kind <> 'unknown' THEN RETURN false; END IF;
    v_is_whole := v_part = 1 AND went_as_one(r.connection_id, v_on, v_batch, v_position);
    IF v_candidates <> 1 AND NOT v_is_whole THEN RETURN false; END IF;
    -- One of two receipts about different messages may belong to somebody else on this account.
    IF EXISTS (
        SELECT 1 FROM receipt o
        WHERE o.connection_id = r.connection_id AND o.fingerprint = r.fingerprint AND o.result = 'orphan'
          AND o.smsc_id <> r.smsc_id AND o.sender = r.sender
          AND (r.reference = 0 OR o.reference = r.reference)
          AND o.received_at BETWEEN r.received_at - make_interval(hours => p_hours)
                                AND r.received_at + make_interval(hours => p_hours))
    THEN RETURN false; END IF;
    FOR v_part IN
        SELECT s.part FROM submission s
        WHERE s.batch_on = v_on AND s.batch_id = v_batch AND s.position = v_position
          AND (s.part = v_part OR v_is_whole)
        ORDER BY s.part
    LOOP
        IF NOT settle_as_accepted(
            v_on, v_batch, v_position, v_part, r.smsc_id, r.state, r.error, r.received_at, 'receipt')
        THEN RETURN false; END IF;
    END LOOP;
    RETURN true;
END $$;
