-- Lock order everywhere: lease, campaign, progress, batch.

-- The state of messages, derived from their parts. The only place that knows how.
CREATE FUNCTION message_states(p_campaign bigint, p_positions bigint[])
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
        ORDER BY s.position, s.part, s.batch_id DESC),
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
                WHEN l.kind = 'submitted' THEN CASE l.receipt_state
                    WHEN '' THEN 'submitted' WHEN 'delivered' THEN 'delivered'
                    WHEN 'none' THEN 'no_receipt' ELSE 'undelivered' END
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

-- Move the counters of one campaign by what changed; the two arrays are states before and after, in one order.
CREATE FUNCTION count_moves(p_campaign bigint, p_before text[], p_after text[], p_submitted bigint)
RETURNS void LANGUAGE sql AS $$
    UPDATE progress p SET
        queued = p.queued + d.queued, suppressed = p.suppressed + d.suppressed,
        sending = p.sending + d.sending, submitted = p.submitted + d.submitted,
        deferred = p.deferred + d.deferred, refused = p.refused + d.refused,
        unknown = p.unknown + d.unknown, delivered = p.delivered + d.delivered,
        undelivered = p.undelivered + d.undelivered, expired = p.expired + d.expired,
        cancelled = p.cancelled + d.cancelled, no_receipt = p.no_receipt + d.no_receipt,
        submitted_segments = p.submitted_segments + p_submitted
    FROM (
        SELECT
            count(*) FILTER (WHERE a = 'queued') - count(*) FILTER (WHERE b = 'queued') AS queued,
            count(*) FILTER (WHERE a = 'suppressed') - count(*) FILTER (WHERE b = 'suppressed') AS suppressed,
            count(*) FILTER (WHERE a = 'sending') - count(*) FILTER (WHERE b = 'sending') AS sending,
            count(*) FILTER (WHERE a = 'submitted') - count(*) FILTER (WHERE b = 'submitted') AS submitted,
            count(*) FILTER (WHERE a = 'deferred') - count(*) FILTER (WHERE b = 'deferred') AS deferred,
            count(*) FILTER (WHERE a = 'refused') - count(*) FILTER (WHERE b = 'refused') AS refused,
            count(*) FILTER (WHERE a = 'unknown') - count(*) FILTER (WHERE b = 'unknown') AS unknown,
            count(*) FILTER (WHERE a = 'delivered') - count(*) FILTER (WHERE b = 'delivered') AS delivered,
            count(*) FILTER (WHERE a = 'undelivered') - count(*) FILTER (WHERE b = 'undelivered') AS undelivered,
            count(*) FILTER (WHERE a = 'expired') - count(*) FILTER (WHERE b = 'expired') AS expired,
            count(*) FILTER (WHERE a = 'cancelled') - count(*) FILTER (WHERE b = 'cancelled') AS cancelled,
            count(*) FILTER (WHERE a = 'no_receipt') - count(*) FILTER (WHERE b = 'no_receipt') AS no_receipt
        FROM unnest(p_before, p_after) AS moved(b, a)) d
    WHERE p.campaign_id = p_campaign
$$;

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
-- One row per message to send; or one row with a refusal, or with batch 0 where all were suppressed.
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
    v_positions bigint[];
    v_counts smallint[];
    v_recipients bigint[];
    v_fingerprints bytea[];
    v_suppressed bigint[];
    v_reasons text[];
    v_segments bigint;
    v_open bigint;
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
    SELECT p.cursor INTO v_cursor FROM progress p WHERE p.campaign_id = c.id FOR UPDATE;

    SELECT array_agg(t.position ORDER BY t.position), array_agg(t.segment_count ORDER BY t.position),
           array_agg(t.recipient_id ORDER BY t.position), array_agg(t.fingerprint ORDER BY t.position),
           coalesce(sum(t.segment_count), 0)
    INTO v_positions, v_counts, v_recipients, v_fingerprints, v_segments
    FROM (
        SELECT m.*, sum(m.segment_count) OVER (ORDER BY m.position) AS upto
        FROM message m
        WHERE m.frozen_on = c.frozen_on AND m.campaign_id = c.id
          AND m.position >= v_cursor AND m.position < v_cursor + greatest(p_room, 1)) t
    WHERE t.upto <= p_room OR t.position = v_cursor;
    IF v_positions IS NULL THEN
        RETURN QUERY SELECT 'nothing', 0::bigint, 0::bigint, 0::smallint, 0::smallint, NULL::bytea, NULL::bytea, NULL::jsonb;
        RETURN;
    END IF;

    SELECT array_agg(t.position), array_agg(t.reason) INTO v_suppressed, v_reasons
    FROM (
        SELECT u.position, CASE WHEN o.id IS NOT NULL THEN 'opted_out' ELSE 'erased' END AS reason
        FROM unnest(v_positions, v_fingerprints, v_recipients) AS u(position, fingerprint, recipient_id)
        LEFT JOIN opt_out o ON o.workspace_id = c.workspace_id AND o.fingerprint = u.fingerprint
            AND o.lifted_at IS NULL
        LEFT JOIN recipient r ON r.id = u.recipient_id
        WHERE o.id IS NOT NULL OR r.number_sealed IS NULL) t;
    SELECT coalesce(sum(u.n), 0) INTO v_open FROM unnest(v_positions, v_counts) AS u(position, n)
    WHERE v_suppressed IS NULL OR u.position <> ALL (v_suppressed);

    INSERT INTO batch (workspace_id, campaign_id, connection_id, lease_id, epoch, first_position,
                       last_position, segment_count, open_count, opened_on, opened_at, closed_at, request_id)
    VALUES (c.workspace_id, c.id, v_connection, p_lease, p_epoch, v_positions[1],
            v_positions[array_upper(v_positions, 1)], v_segments, v_open, v_on, p_now,
            CASE WHEN v_open = 0 THEN p_now END, p_request)
    RETURNING id INTO v_batch;
    IF v_suppressed IS NOT NULL THEN
        INSERT INTO submission (batch_on, batch_id, workspace_id, campaign_id, position, part, part_count,
                                connection_id, kind, cause, happened_at)
        SELECT v_on, v_batch, c.workspace_id, c.id, u.position, 0, 0, v_connection, 'suppressed', u.reason, p_now
        FROM unnest(v_suppressed, v_reasons) AS u(position, reason);
    END IF;
    UPDATE progress p SET
        cursor = v_positions[array_upper(v_positions, 1)] + 1,
        claimed_segments = p.claimed_segments + v_segments,
        queued = p.queued - cardinality(v_positions),
        suppressed = p.suppressed + coalesce(cardinality(v_suppressed), 0),
        sending = p.sending + cardinality(v_positions) - coalesce(cardinality(v_suppressed), 0)
    WHERE p.campaign_id = c.id;
    PERFORM note_rate(c, p_now, v_segments::integer, p_planned, '');

    RETURN QUERY
    SELECT NULL::text, v_batch, u.position, u.n, 0::smallint, u.fingerprint, r.number_sealed, r.values
    FROM unnest(v_positions, v_counts, v_recipients, v_fingerprints) AS u(position, n, recipient_id, fingerprint)
    JOIN recipient r ON r.id = u.recipient_id
    WHERE v_suppressed IS NULL OR u.position <> ALL (v_suppressed)
    ORDER BY u.position;
    IF v_open = 0 THEN
        RETURN QUERY SELECT NULL::text, 0::bigint, 0::bigint, 0::smallint, 0::smallint, NULL::bytea, NULL::bytea, NULL::jsonb;
    END IF;
END $$;

-- Claim deferred, released and pushed work of a campaign. `part` 0 is the whole message.
CREATE FUNCTION claim_queue(
    p_lease bigint, p_epoch bigint, p_campaign bigint, p_room integer, p_now timestamptz,
    p_planned float8, p_request text)
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
           coalesce(sum(q.part_count) FILTER (WHERE q.part = 0), 0)
    INTO v_open, v_new
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
    PERFORM note_rate(c, p_now, v_open::integer, p_planned, '');

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

CREATE TYPE settled_segment AS (
    batch_id bigint, position bigint, part smallint, part_count smallint, kind text, smsc_id text,
    happened_at timestamptz, retry_seconds float8, attempt_count integer, is_new boolean,
    connection_id bigint);

-- Make outcomes durable. Idempotent on (batch, position, part): a known fate never changes, an unknown one is settled by a later answer.
-- retry_seconds is the back-off's base, retry_cap the attempts after which a deferred segment is refused for good.
CREATE FUNCTION record_outcomes(
    p_batches bigint[], p_positions bigint[], p_parts smallint[], p_part_counts smallint[], p_kinds text[],
    p_statuses integer[], p_causes text[], p_smsc_ids text[], p_ats timestamptz[],
    p_retry_seconds float8[], p_retry_caps integer[])
RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    v_campaign bigint;
    c campaign;
    v_total integer := 0;
    v_long bigint[];
    v_before text[];
    v_after text[];
    v_short_before text[];
    v_short_after text[];
    v_submitted bigint;
    v_positions bigint[];
    v_final text;
    v_settled settled_segment[];
BEGIN
    FOR v_campaign IN
        SELECT DISTINCT b.campaign_id FROM batch b WHERE b.id = ANY (p_batches) ORDER BY 1
    LOOP
        SELECT * INTO c FROM campaign WHERE id = v_campaign FOR SHARE;
        PERFORM 1 FROM progress p WHERE p.campaign_id = c.id FOR UPDATE;
        v_final := CASE WHEN c.state IN ('cancelled', 'expired') THEN c.state END;
        SELECT array_agg(DISTINCT o.position) INTO v_long
        FROM unnest(p_batches, p_positions, p_part_counts) AS o(batch_id, position, part_count)
        JOIN batch b ON b.id = o.batch_id AND b.campaign_id = c.id
        WHERE o.part_count > 1;
        IF v_long IS NOT NULL THEN
            SELECT array_agg(s.message_state ORDER BY s.message_position) INTO v_before
            FROM message_states(c.id, v_long) s;
        END IF;

        WITH given AS (
            SELECT o.*, b.opened_on, b.workspace_id, b.connection_id,
                   coalesce(q.attempt_count, 0) AS attempt_count,
                   NOT EXISTS (
                       SELECT 1 FROM submission s
                       WHERE s.batch_on = b.opened_on AND s.batch_id = b.id
                         AND s.position = o.position AND s.part = o.part) AS is_new
            FROM unnest(p_batches, p_positions, p_parts, p_part_counts, p_kinds, p_statuses, p_causes,
                        p_smsc_ids, p_ats, p_retry_seconds, p_retry_caps)
                AS o(batch_id, position, part, part_count, kind, status, cause, smsc_id, happened_at,
                     retry_seconds, retry_cap)
            JOIN batch b ON b.id = o.batch_id AND b.campaign_id = c.id
            LEFT JOIN queued_segment q
                ON q.campaign_id = c.id AND q.position = o.position AND q.part IN (0, o.part)
               AND q.batch_id = o.batch_id),
        stored AS (
            INSERT INTO submission AS s (
                batch_on, batch_id, workspace_id, campaign_id, position, part, part_count, connection_id,
                kind, status, cause, smsc_id, happened_at)
            SELECT g.opened_on, g.batch_id, g.workspace_id, c.id, g.position, g.part, g.part_count,
                   g.connection_id,
                   CASE WHEN g.kind = 'deferred' AND g.attempt_count + 1 >= g.retry_cap THEN 'refused'
                        ELSE g.kind END,
                   g.status, g.cause, g.smsc_id, g.happened_at
            FROM given g
            ON CONFLICT (batch_on, batch_id, position, part) DO UPDATE SET
                kind = excluded.kind, status = excluded.status, cause = excluded.cause,
                smsc_id = excluded.smsc_id, happened_at = excluded.happened_at
            WHERE s.kind = 'unknown' AND excluded.kind <> 'unknown'
            RETURNING s.batch_id, s.position, s.part, s.part_count, s.kind, s.smsc_id, s.happened_at)
        SELECT array_agg(ROW(
            t.batch_id, t.position, t.part, t.part_count, t.kind, t.smsc_id, t.happened_at,
            g.retry_seconds, g.attempt_count, g.is_new, g.connection_id)::settled_segment)
        INTO v_settled
        FROM stored t JOIN given g USING (batch_id, position, part);
        CONTINUE WHEN v_settled IS NULL;

        -- The queue: what is settled leaves it, what may go later comes (back) to it.
        DELETE FROM queued_segment q USING unnest(v_settled) t
        WHERE q.campaign_id = c.id AND q.position = t.position AND q.part IN (0, t.part)
          AND q.batch_id = t.batch_id;
        IF v_final IS NULL THEN
            INSERT INTO queued_segment (workspace_id, campaign_id, position, part, part_count, is_deferred,
                                        attempt_count, not_before_at)
            SELECT c.workspace_id, c.id, t.position, t.part, t.part_count, t.kind = 'deferred',
                   t.attempt_count + (t.kind = 'deferred')::integer,
                   t.happened_at + CASE WHEN t.kind = 'deferred' THEN least(
                       300, t.retry_seconds * power(2, least(t.attempt_count, 12)) * (0.8 + 0.4 * random()))
                       * interval '1 second' ELSE interval '0' END
            FROM unnest(v_settled) t WHERE t.kind IN ('deferred', 'released')
              AND NOT EXISTS (
                  SELECT 1 FROM submission s
                  WHERE s.campaign_id = c.id AND s.position = t.position AND s.kind = 'refused')
            ON CONFLICT (campaign_id, position, part) DO NOTHING;
        END IF;
        -- A final refusal of one part stops what waits of the others.
        DELETE FROM queued_segment q USING unnest(v_settled) t
        WHERE t.kind = 'refused' AND t.part_count > 1 AND q.campaign_id = c.id
          AND q.position = t.position AND q.batch_id IS NULL;

        SELECT array_agg(CASE WHEN t.is_new THEN 'sending' ELSE 'unknown' END),
               array_agg(CASE WHEN t.kind = 'released' THEN coalesce(v_final, 'queued')
                              WHEN t.kind = 'deferred' THEN coalesce(v_final, 'deferred')
                              ELSE t.kind END)
        INTO v_short_before, v_short_after
        FROM unnest(v_settled) t WHERE t.part_count = 1;
        SELECT count(*) INTO v_submitted FROM unnest(v_settled) t WHERE t.kind = 'submitted';
        v_after := NULL;
        IF v_long IS NOT NULL THEN
            SELECT array_agg(s.message_state ORDER BY s.message_position) INTO v_after
            FROM message_states(c.id, v_long) s;
        END IF;
        PERFORM count_moves(c.id,
            coalesce(v_short_before, '{}') || coalesce(CASE WHEN v_long IS NOT NULL THEN v_before END, '{}'),
            coalesce(v_short_after, '{}') || coalesce(v_after, '{}'), v_submitted);

        UPDATE batch b SET
            open_count = b.open_count - t.n,
            closed_at = CASE WHEN b.open_count - t.n <= 0 THEN clock_timestamp() END
        FROM (SELECT batch_id, count(*) AS n FROM unnest(v_settled) WHERE is_new GROUP BY batch_id) t
        WHERE b.id = t.batch_id;
        -- Receipts that came before their answer are looked at again.
        UPDATE receipt r SET result = '' FROM unnest(v_settled) t
        WHERE r.result = 'orphan' AND r.connection_id = t.connection_id AND r.smsc_id = t.smsc_id
          AND t.smsc_id <> '' AND r.received_on >= c.frozen_on;
        v_total := v_total + cardinality(v_settled);
    END LOOP;
    RETURN v_total;
END $$;

-- Give every segment of a batch that has no outcome this one, and close the batch.
CREATE FUNCTION settle_batch(b batch, p_kind text, p_cause text) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    v_positions bigint[];
    v_parts smallint[];
    v_part_counts smallint[];
    v_n integer;
BEGIN
    SELECT array_agg(t.position), array_agg(t.part), array_agg(t.part_count)
    INTO v_positions, v_parts, v_part_counts
    FROM (
        SELECT m.position, n::smallint AS part, m.segment_count AS part_count
        FROM message m JOIN campaign c ON c.id = m.campaign_id AND c.frozen_on = m.frozen_on
        CROSS JOIN generate_series(1, m.segment_count) AS n
        WHERE m.campaign_id = b.campaign_id AND m.position BETWEEN b.first_position AND b.last_position
        UNION ALL
        SELECT q.position, n::smallint, q.part_count
        FROM queued_segment q
        CROSS JOIN generate_series(
            CASE WHEN q.part = 0 THEN 1 ELSE q.part END,
            CASE WHEN q.part = 0 THEN q.part_count ELSE q.part END) AS n
        WHERE q.batch_id = b.id) t
    WHERE NOT EXISTS (
        SELECT 1 FROM submission s
        WHERE s.batch_on = b.opened_on AND s.batch_id = b.id AND s.position = t.position
          AND s.part IN (0, t.part));
    v_n := coalesce(cardinality(v_positions), 0);
    IF v_n > 0 THEN
        PERFORM record_outcomes(
            array_fill(b.id, ARRAY[v_n]), v_positions, v_parts, v_part_counts,
            array_fill(p_kind, ARRAY[v_n]), array_fill(0, ARRAY[v_n]),
            array_fill(p_cause, ARRAY[v_n]), array_fill(''::text, ARRAY[v_n]),
            array_fill(clock_timestamp(), ARRAY[v_n]), array_fill(0::float8, ARRAY[v_n]),
            array_fill(0, ARRAY[v_n]));
    END IF;
    UPDATE batch SET open_count = 0, closed_at = clock_timestamp() WHERE id = b.id AND closed_at IS NULL;
    RETURN v_n;
END $$;

-- Turn what earlier epochs of a lease intended and never settled into unknown.
CREATE FUNCTION settle_lease(p_lease bigint, p_epoch bigint, p_cause text) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    b batch;
    v_count integer := 0;
BEGIN
    FOR b IN
        SELECT * FROM batch WHERE lease_id = p_lease AND epoch < p_epoch AND closed_at IS NULL ORDER BY id
    LOOP
        v_count := v_count + settle_batch(b, 'unknown', p_cause);
    END LOOP;
    RETURN v_count;
END $$;

-- A claim whose answer was lost with its connection: its living owner knows that it wrote none of it.
CREATE FUNCTION release_lost(p_lease bigint, p_epoch bigint, p_known bigint[]) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    b batch;
    v_count integer := 0;
BEGIN
    FOR b IN
        SELECT * FROM batch WHERE lease_id = p_lease AND epoch = p_epoch AND closed_at IS NULL
            AND id <> ALL (p_known) ORDER BY id
    LOOP
        v_count := v_count + settle_batch(b, 'released', 'the claim was not answered');
    END LOOP;
    RETURN v_count;
END $$;

CREATE TYPE matched_receipt AS (
    received_on date, id bigint, state text, error text, received_at timestamptz, batch_on date,
    batch_id bigint, position bigint, part smallint, campaign_id bigint, result text);

-- Apply waiting receipts: newest submission of that connection with that id. Final beats interim, delivered beats all.
CREATE FUNCTION apply_receipts(p_limit integer) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    v_campaign bigint;
    v_positions bigint[];
    v_before text[];
    v_after text[];
    v_matched matched_receipt[];
BEGIN
    -- One at a time over all senders: the rows below are read, then moved.
    IF NOT pg_try_advisory_xact_lock(hashtext('apply_receipts')) THEN RETURN 0; END IF;
    SELECT array_agg(ROW(
        r.received_on, r.id, r.state, r.error, r.received_at, s.batch_on, s.batch_id, s.position, s.part,
        s.campaign_id,
        CASE WHEN s.batch_id IS NULL THEN 'orphan'
             WHEN r.state IN ('enroute', 'accepted', 'scheduled', 'unknown') THEN 'interim'
             WHEN s.receipt_state = r.state OR s.receipt_state = 'delivered' THEN 'repeated'
             WHEN s.receipt_state NOT IN ('', 'none') AND r.state <> 'delivered' THEN 'repeated'
             ELSE 'applied' END)::matched_receipt)
    INTO v_matched
    FROM (SELECT * FROM receipt WHERE result = '' ORDER BY id LIMIT p_limit) r
    LEFT JOIN LATERAL (
        SELECT * FROM submission s
        WHERE s.connection_id = r.connection_id AND s.smsc_id = r.smsc_id AND s.smsc_id <> ''
        ORDER BY s.batch_id DESC LIMIT 1) s ON true;
    IF v_matched IS NULL THEN RETURN 0; END IF;

    FOR v_campaign IN
        SELECT DISTINCT campaign_id FROM unnest(v_matched) WHERE result = 'applied' ORDER BY 1
    LOOP
        PERFORM 1 FROM progress p WHERE p.campaign_id = v_campaign FOR UPDATE;
        SELECT array_agg(DISTINCT position) INTO v_positions FROM unnest(v_matched)
        WHERE campaign_id = v_campaign AND result = 'applied';
        SELECT array_agg(s.message_state ORDER BY s.message_position) INTO v_before
        FROM message_states(v_campaign, v_positions) s;
        UPDATE submission s SET receipt_state = m.state, receipt_error = m.error, receipt_at = m.received_at
        FROM (
            SELECT DISTINCT ON (batch_on, batch_id, position, part) * FROM unnest(v_matched)
            WHERE campaign_id = v_campaign AND result = 'applied'
            ORDER BY batch_on, batch_id, position, part, (state = 'delivered') DESC, id) m
        WHERE s.batch_on = m.batch_on AND s.batch_id = m.batch_id AND s.position = m.position
          AND s.part = m.part;
        SELECT array_agg(s.message_state ORDER BY s.message_position) INTO v_after
        FROM message_states(v_campaign, v_positions) s;
        PERFORM count_moves(v_campaign, v_before, v_after, 0);
    END LOOP;
    UPDATE receipt r SET result = m.result FROM unnest(v_matched) m
    WHERE r.received_on = m.received_on AND r.id = m.id;
    RETURN cardinality(v_matched);
END $$;

-- What has waited too long for its receipt says so; a late receipt still improves it.
CREATE FUNCTION give_up_receipts(p_before timestamptz, p_limit integer) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    v_campaign bigint;
    v_positions bigint[];
    v_before text[];
    v_after text[];
    v_n integer := 0;
BEGIN
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

-- After the campaign's row has moved to cancelled or expired in this transaction: the rest follows. In flight settles by itself.
CREATE FUNCTION drop_rest(p_campaign bigint) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    c campaign;
    v_cursor bigint;
    v_rest bigint;
    v_positions bigint[];
    v_before text[];
    v_after text[];
BEGIN
    SELECT * INTO c FROM campaign WHERE id = p_campaign;
    IF c.state NOT IN ('cancelled', 'expired') THEN
        RAISE EXCEPTION 'Campaign % is %, nothing may be dropped.', c.id, c.state;
    END IF;
    SELECT p.cursor INTO v_cursor FROM progress p WHERE p.campaign_id = c.id FOR UPDATE;
    IF v_cursor IS NULL THEN RETURN 0; END IF;
    v_rest := CASE WHEN c.mode = 'trigger' THEN 0 ELSE c.total - v_cursor END;
    SELECT array_agg(DISTINCT q.position) INTO v_positions FROM queued_segment q
    WHERE q.campaign_id = c.id AND q.batch_id IS NULL;
    IF v_positions IS NOT NULL THEN
        -- The campaign's row says its new state already, so the states before come from the queue itself.
        SELECT array_agg(s.message_state ORDER BY s.message_position) INTO v_before
        FROM message_states(c.id, v_positions) s;
        DELETE FROM queued_segment q WHERE q.campaign_id = c.id AND q.batch_id IS NULL;
        SELECT array_agg(s.message_state ORDER BY s.message_position) INTO v_after
        FROM message_states(c.id, v_positions) s;
        PERFORM count_moves(c.id, v_before, v_after, 0);
    END IF;
    UPDATE progress p SET
        queued = p.queued - v_rest,
        cancelled = p.cancelled + CASE WHEN c.state = 'cancelled' THEN v_rest ELSE 0 END,
        expired = p.expired + CASE WHEN c.state = 'expired' THEN v_rest ELSE 0 END
    WHERE p.campaign_id = c.id;
    RETURN v_rest + coalesce(cardinality(v_positions), 0);
END $$;
