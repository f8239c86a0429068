-- The part of a route that a waiting position falls to, in billionths: neighbours spread as evenly as can be.
CREATE FUNCTION route_place(p_position bigint) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
    SELECT (p_position * 618033989) % 1000000000
$$;

-- Whether a connection may take a waiting segment of its route: what is in its lane, and of what has none what falls
-- to its part, or lies there since `p_late`.
CREATE FUNCTION may_take(
    p_connection bigint, p_lane bigint, p_position bigint, p_due timestamptz, p_from bigint,
    p_upto bigint, p_late timestamptz)
RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE
        WHEN p_lane IS NOT NULL THEN p_lane = p_connection
        WHEN p_due <= p_late THEN true
        ELSE route_place(p_position) >= p_from AND route_place(p_position) < p_upto
    END
$$;

-- Claim deferred, released and pushed work of a campaign. `part` 0 is the whole message.
-- A connection takes what is in its own lane, what falls to its part of the route (`p_from` to `p_upto`, in
-- billionths), and what nobody has taken that was due by `p_late`.
DROP FUNCTION claim_queue(bigint, bigint, bigint, integer, timestamptz, float8, text);
CREATE FUNCTION claim_queue(
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
            SELECT w.*, min(w.not_before_at) OVER (PARTITION BY w.position) AS first_at
            FROM (
                SELECT * FROM queued_segment
                WHERE campaign_id = c.id AND batch_id IS NULL AND not_before_at <= p_now
                  AND may_take(v_connection, lane_id, position, not_before_at, p_from, p_upto, p_late)
                ORDER BY not_before_at, position LIMIT greatest(p_room, 1)
                FOR UPDATE SKIP LOCKED) w) q) t
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

-- Take one message that was pushed through the API; what it returns is told where it was first made.
CREATE OR REPLACE FUNCTION push_message(
    p_campaign bigint, p_now timestamptz, p_day timestamptz, p_fingerprint bytea, p_number_sealed bytea,
    p_values jsonb, p_segments smallint, p_uuid uuid, p_reference text, p_key bigint, p_request text)
RETURNS TABLE (refusal text, existing uuid, is_first boolean)
LANGUAGE plpgsql AS $$
DECLARE
    c campaign;
    v_refusal text;
    v_existing uuid;
    v_position bigint;
    v_recipient bigint;
    v_is_first boolean;
BEGIN
    -- One push at a time: many that wait for `progress` with the campaign shared would never let a pause through.
    PERFORM pg_advisory_xact_lock(hashtextextended('push:' || p_campaign, 0));
    -- Lock order: campaign, progress. Cancelling waits for us and then drops what we add.
    SELECT * INTO c FROM campaign WHERE id = p_campaign FOR SHARE;
    -- While its route is down a campaign goes on taking messages: nothing is refused, they wait.
    IF c.state = 'held' AND c.hold_reason = 'route_down' THEN c.state := 'sending'; END IF;
    v_refusal := CASE WHEN c.id IS NULL THEN 'state' ELSE claim_refusal(c, p_now) END;
    IF v_refusal IS NOT NULL THEN
        RETURN QUERY SELECT v_refusal, NULL::uuid, false;
        RETURN;
    END IF;
    SELECT a.uuid INTO v_existing FROM api_message a
    WHERE a.workspace_id = c.workspace_id AND a.client_reference = p_reference AND p_reference <> '';
    IF v_existing IS NOT NULL THEN
        RETURN QUERY SELECT 'reference', v_existing, false;
        RETURN;
    END IF;

    SELECT p.total INTO v_position FROM progress p WHERE p.campaign_id = c.id FOR UPDATE;
    -- Positions have no gaps: when the one a whole cap back is of today, today's cap is used up.
    IF EXISTS (
        SELECT 1 FROM api_message a
        WHERE a.campaign_id = c.id AND a.position = v_position - c.daily_cap AND a.created_at >= p_day)
    THEN
        RETURN QUERY SELECT 'quota', NULL::uuid, false;
        RETURN;
    END IF;
    v_is_first := NOT EXISTS (
        SELECT 1 FROM api_message a
        WHERE a.api_key_id = p_key AND a.campaign_id = c.id AND a.created_at >= p_day);

    INSERT INTO recipient (workspace_id, recipient_list_id, row_number, fingerprint, number_sealed, "values")
    VALUES (c.workspace_id, NULL, 0, p_fingerprint, p_number_sealed, p_values)
    RETURNING id INTO v_recipient;
    INSERT INTO message (
        frozen_on, workspace_id, campaign_id, position, recipient_id, fingerprint, segment_count)
    VALUES (c.frozen_on, c.workspace_id, c.id, v_position, v_recipient, p_fingerprint, p_segments);
    INSERT INTO queued_segment (workspace_id, campaign_id, position, part, part_count, is_deferred,
                                attempt_count, not_before_at)
    VALUES (c.workspace_id, c.id, v_position, 0, p_segments, false, 0, p_now);
    INSERT INTO api_message (uuid, workspace_id, campaign_id, position, client_reference, api_key_id,
                             request_id, created_at)
    VALUES (p_uuid, c.workspace_id, c.id, v_position, p_reference, p_key, p_request, p_now);
    UPDATE progress p SET total = p.total + 1, queued = p.queued + 1 WHERE p.campaign_id = c.id;
    RETURN QUERY SELECT NULL::text, NULL::uuid, v_is_first;
END $$;
