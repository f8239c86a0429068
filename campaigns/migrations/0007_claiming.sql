-- Lock order everywhere: lease, campaign, progress, batch.

-- Why this campaign may not send now; null when it may. Checked in every claim, from the rows.
CREATE FUNCTION claim_refusal(c campaign, p_now timestamptz) RETURNS text LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_approved bytea;
    v_local time := (p_now AT TIME ZONE c.zone)::time;
    v_is_open boolean;
BEGIN
    IF c.state <> 'sending' THEN RETURN 'state'; END IF;
    IF (SELECT w.is_suspended FROM workspace w WHERE w.id = c.workspace_id) THEN RETURN 'suspended'; END IF;
    IF p_now < c.starts_at THEN RETURN 'not_yet'; END IF;
    IF p_now >= c.ends_at THEN RETURN 'window_over'; END IF;
    -- A window that closes no later than it opens runs over midnight.
    v_is_open := c.daily_from IS NULL OR c.daily_until IS NULL
        OR (c.daily_from < c.daily_until AND v_local >= c.daily_from AND v_local < c.daily_until)
        OR (c.daily_from >= c.daily_until AND (v_local >= c.daily_from OR v_local < c.daily_until));
    IF NOT v_is_open THEN RETURN 'closed_hours'; END IF;
    SELECT a.digest INTO v_approved FROM approval a
    WHERE a.id = c.approval_id AND a.campaign_id = c.id AND a.verdict = 'approve';
    IF v_approved IS NULL THEN RETURN 'no_approval'; END IF;
    IF NOT EXISTS (
        SELECT 1 FROM sender_revision r JOIN sender s ON s.id = r.sender_id
        WHERE r.id = c.sender_revision_id AND s.id = c.sender_id AND NOT s.is_archived
          AND r.state IN ('approved', 'replaced'))
    THEN RETURN 'sender'; END IF;
    IF v_approved <> campaign_digest(c) THEN RETURN 'digest'; END IF;
    IF NOT EXISTS (
        SELECT 1 FROM route_grant g WHERE g.workspace_id = c.workspace_id AND g.route_id = c.route_id)
    THEN RETURN 'route'; END IF;
    RETURN NULL;
END $$;

-- The fence: true while this epoch of the lease is the last one and has not run out.
CREATE FUNCTION lease_holds(p_lease bigint, p_epoch bigint) RETURNS boolean LANGUAGE sql AS $$
    SELECT EXISTS (
        SELECT 1 FROM lease WHERE id = p_lease AND epoch = p_epoch AND expires_at > clock_timestamp()
        FOR SHARE)
$$;

CREATE FUNCTION note_rate(c campaign, p_now timestamptz, p_claimed integer, p_planned float8, p_reason text)
RETURNS void LANGUAGE sql AS $$
    INSERT INTO rate_sample (workspace_id, campaign_id, second, claimed, planned, reason)
    VALUES (c.workspace_id, c.id, floor(extract(epoch FROM p_now))::bigint, p_claimed, p_planned, p_reason)
    ON CONFLICT (campaign_id, second) DO UPDATE SET
        claimed = rate_sample.claimed + excluded.claimed,
        planned = excluded.planned,
        reason = CASE WHEN excluded.reason = '' THEN rate_sample.reason ELSE excluded.reason END
$$;

-- Claim from the cursor: commit the intent to submit the next messages, at most p_room segments but at least one whole message.
-- One row per message to send; or one row with a refusal, or with batch 0 where all were suppressed. Each row is read
-- once: message, recipient and opt-out in one pass. Values come only where the text has placeholders.
CREATE FUNCTION claim_range(
    p_lease bigint, p_epoch bigint, p_campaign bigint, p_room integer, p_now timestamptz,
    p_planned float8, p_request text)
RETURNS TABLE (
    refusal text, batch bigint, message_position bigint, part_count smallint, part smallint,
    recipient_fingerprint bytea, number_sealed bytea, recipient_values jsonb)
LANGUAGE plpgsql AS $$
DECLARE
    c campaign;
    v_refusal text;
    v_cursor bigint;
    v_last bigint;
    v_positions bigint[];
    v_counts smallint[];
    v_sealed bytea[];
    v_values jsonb[];
    v_suppressed bigint[];
    v_reasons text[];
    v_messages integer;
    v_segments bigint;
    v_open bigint;
    v_batch bigint;
    v_connection bigint;
    v_is_personal boolean;
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
    v_is_personal := position('{{' IN c.text) > 0;
    SELECT connection_id INTO v_connection FROM lease WHERE id = p_lease;
    SELECT p.cursor INTO v_cursor FROM progress p WHERE p.campaign_id = c.id FOR UPDATE;

    WITH taken AS MATERIALIZED (
        SELECT t.position, t.segment_count, t.recipient_id, t.fingerprint
        FROM (
            SELECT m.position, m.segment_count, m.recipient_id, m.fingerprint,
                   sum(m.segment_count) OVER (ORDER BY m.position) AS upto
            FROM message m
            WHERE m.frozen_on = c.frozen_on AND m.campaign_id = c.id
              AND m.position >= v_cursor AND m.position < v_cursor + greatest(p_room, 1)) t
        WHERE t.upto <= p_room OR t.position = v_cursor),
    seen AS (
        SELECT t.position, t.segment_count, r.number_sealed,
               CASE WHEN v_is_personal THEN r.values END AS values,
               CASE WHEN EXISTS (
                   SELECT 1 FROM opt_out o
                   WHERE o.workspace_id = c.workspace_id AND o.fingerprint = t.fingerprint AND o.lifted_at IS NULL)
               THEN 'opted_out' WHEN r.number_sealed IS NULL THEN 'erased' END AS reason
        FROM taken t LEFT JOIN recipient r ON r.id = t.recipient_id
        ORDER BY t.position)
    SELECT count(*), coalesce(sum(s.segment_count), 0), max(s.position),
           coalesce(sum(s.segment_count) FILTER (WHERE s.reason IS NULL), 0),
           array_agg(s.position) FILTER (WHERE s.reason IS NULL),
           array_agg(s.segment_count) FILTER (WHERE s.reason IS NULL),
           array_agg(s.number_sealed) FILTER (WHERE s.reason IS NULL),
           array_agg(s.values) FILTER (WHERE s.reason IS NULL),
           array_agg(s.position) FILTER (WHERE s.reason IS NOT NULL),
           array_agg(s.reason) FILTER (WHERE s.reason IS NOT NULL)
    INTO v_messages, v_segments, v_last, v_open, v_positions, v_counts, v_sealed, v_values, v_suppressed, v_reasons
    FROM seen s;
    IF v_messages = 0 THEN
        RETURN QUERY SELECT 'nothing', 0::bigint, 0::bigint, 0::smallint, 0::smallint, NULL::bytea, NULL::bytea, NULL::jsonb;
        RETURN;
    END IF;

    INSERT INTO batch (workspace_id, campaign_id, connection_id, lease_id, epoch, first_position,
                       last_position, segment_count, open_count, opened_on, opened_at, closed_at, request_id)
    VALUES (c.workspace_id, c.id, v_connection, p_lease, p_epoch, v_cursor, v_last, v_segments, v_open, v_on, p_now,
            CASE WHEN v_open = 0 THEN p_now END, p_request)
    RETURNING id INTO v_batch;
    IF v_suppressed IS NOT NULL THEN
        INSERT INTO submission (batch_on, batch_id, workspace_id, campaign_id, position, part, part_count,
                                connection_id, kind, cause, happened_at)
        SELECT v_on, v_batch, c.workspace_id, c.id, u.position, 0, 0, v_connection, 'suppressed', u.reason, p_now
        FROM unnest(v_suppressed, v_reasons) AS u(position, reason);
    END IF;
    UPDATE progress p SET
        cursor = v_last + 1,
        claimed_segments = p.claimed_segments + v_segments,
        queued = p.queued - v_messages,
        suppressed = p.suppressed + coalesce(cardinality(v_suppressed), 0),
        sending = p.sending + v_messages - coalesce(cardinality(v_suppressed), 0)
    WHERE p.campaign_id = c.id;
    PERFORM note_rate(c, p_now, v_segments::integer, p_planned, '');

    IF v_open = 0 THEN
        RETURN QUERY SELECT NULL::text, 0::bigint, 0::bigint, 0::smallint, 0::smallint, NULL::bytea, NULL::bytea, NULL::jsonb;
        RETURN;
    END IF;
    RETURN QUERY
    SELECT NULL::text, v_batch, u.position, u.n, 0::smallint, NULL::bytea, u.sealed, u.values
    FROM unnest(v_positions, v_counts, v_sealed, v_values) AS u(position, n, sealed, values);
END $$;

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
-- Parts of one message that were put off together come together, so that what was one message_payload is one again:
-- each was given its own moment, and the first that is due brings the others along.
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

-- Take one message that was pushed through the API: everything that it is, in one call and under one lock.
-- Returns a refusal (of claim_refusal, or 'reference' with the message that has it already, or 'quota'), or
-- whether it is the first of this key for this campaign since p_day. What it returns is told where it was first made.
CREATE FUNCTION push_message(
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
