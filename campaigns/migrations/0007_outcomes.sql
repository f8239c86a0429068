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
                smsc_id = excluded.smsc_id, happened_at = excluded.happened_at, evidence = 'response'
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

-- The long way for accepted segments of one campaign.
CREATE FUNCTION record_again(
    p_campaign bigint, p_batches bigint[], p_positions bigint[], p_smsc_ids text[], p_ats timestamptz[])
RETURNS integer LANGUAGE sql AS $$
    WITH given AS (
        SELECT o.*, 1::smallint AS one, ''::text AS nothing, 0 AS zero
        FROM unnest(p_batches, p_positions, p_smsc_ids, p_ats) AS o(batch_id, position, smsc_id, at)
        JOIN batch b ON b.id = o.batch_id AND b.campaign_id = p_campaign)
    SELECT record_outcomes(
        array_agg(batch_id), array_agg(position), array_agg(one), array_agg(one),
        array_agg('submitted'::text), array_agg(zero), array_agg(nothing), array_agg(smsc_id),
        array_agg(at), array_agg(zero::float8), array_agg(zero))
    FROM given
$$;

-- The many outcomes of which there is nothing to tell: accepted segments of messages that have one part. Durable as
-- by record_outcomes, in a third of the time: a plain insert needs no look for what is there already. Where one of
-- them is known, all of that campaign go the long way.
-- The counters come after the rows: of a batch from the cursor nobody else writes the outcomes, so claims and receipts
-- of its campaign need not wait while they are stored. What was queued is looked at by others and locks first.
CREATE FUNCTION record_submitted(
    p_batches bigint[], p_positions bigint[], p_smsc_ids text[], p_ats timestamptz[])
RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    v_campaign bigint;
    v_connections bigint[];
    v_has_queued boolean;
    v_stored integer;
    v_total integer := 0;
BEGIN
    FOR v_campaign, v_connections, v_has_queued IN
        SELECT b.campaign_id, array_agg(DISTINCT b.connection_id), bool_or(b.first_position IS NULL)
        FROM batch b WHERE b.id = ANY (p_batches) GROUP BY 1 ORDER BY 1
    LOOP
        IF v_has_queued THEN
            PERFORM 1 FROM progress p WHERE p.campaign_id = v_campaign FOR UPDATE;
        END IF;
        BEGIN
            WITH intents AS MATERIALIZED (
                SELECT * FROM batch WHERE id = ANY (p_batches) AND campaign_id = v_campaign)
            INSERT INTO submission (
                batch_on, batch_id, workspace_id, campaign_id, position, part, part_count, connection_id,
                kind, smsc_id, happened_at)
            SELECT b.opened_on, b.id, b.workspace_id, v_campaign, o.position, 1, 1, b.connection_id,
                   'submitted', o.smsc_id, o.happened_at
            FROM unnest(p_batches, p_positions, p_smsc_ids, p_ats) AS o(batch_id, position, smsc_id, happened_at)
            JOIN intents b ON b.id = o.batch_id;
            GET DIAGNOSTICS v_stored = ROW_COUNT;
        EXCEPTION WHEN unique_violation THEN
            v_total := v_total + record_again(v_campaign, p_batches, p_positions, p_smsc_ids, p_ats);
            CONTINUE;
        END;
        IF v_has_queued THEN
            DELETE FROM queued_segment q USING unnest(p_batches, p_positions) AS o(batch_id, position)
            WHERE q.batch_id = o.batch_id AND q.campaign_id = v_campaign AND q.position = o.position
              AND q.part IN (0, 1);
        END IF;
        UPDATE progress p SET
            sending = p.sending - v_stored, submitted = p.submitted + v_stored,
            submitted_segments = p.submitted_segments + v_stored
        WHERE p.campaign_id = v_campaign;
        UPDATE batch b SET
            open_count = b.open_count - t.n,
            closed_at = CASE WHEN b.open_count - t.n <= 0 THEN clock_timestamp() END
        FROM (SELECT batch_id, count(*) AS n FROM unnest(p_batches) AS o(batch_id) GROUP BY 1) t
        WHERE b.id = t.batch_id AND b.campaign_id = v_campaign;
        -- Receipts that came before their answer are looked at again.
        IF EXISTS (
            SELECT 1 FROM receipt r WHERE r.result = 'orphan' AND r.connection_id = ANY (v_connections))
        THEN
            UPDATE receipt r SET result = '', look_at = NULL
            WHERE r.result = 'orphan' AND r.connection_id = ANY (v_connections)
              AND r.smsc_id = ANY (array_remove(p_smsc_ids, ''));
        END IF;
        v_total := v_total + v_stored;
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

-- After a restore: what waits in a started campaign and may have been sent since the backup becomes unknown.
-- At most p_most messages from the cursor on, and what was queued before p_before. Returns how many messages.
-- Nothing is sent or judged again here: receipts, call records or two people settle it later.
CREATE FUNCTION doubt_campaign(p_campaign bigint, p_most bigint, p_before timestamptz, p_cause text)
RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    c campaign;
    v_cursor bigint;
    v_upto bigint;
    v_connection bigint;
    v_lease bigint;
    v_batch bigint;
    v_segments bigint;
    v_positions bigint[];
    v_before text[];
    v_after text[];
    v_on date := (clock_timestamp() AT TIME ZONE 'UTC')::date;
BEGIN
    SELECT * INTO c FROM campaign WHERE id = p_campaign FOR SHARE;
    SELECT p.cursor, least(p.total, p.cursor + greatest(p_most, 0)) INTO v_cursor, v_upto
    FROM progress p WHERE p.campaign_id = c.id FOR UPDATE;
    IF c.mode = 'trigger' THEN v_upto := v_cursor; END IF;
    SELECT array_agg(DISTINCT q.position) INTO v_positions FROM queued_segment q
    WHERE q.campaign_id = c.id AND q.batch_id IS NULL
      AND NOT EXISTS (
          SELECT 1 FROM api_message a
          WHERE a.campaign_id = c.id AND a.position = q.position AND a.created_at >= p_before);
    IF v_cursor IS NULL OR (v_upto <= v_cursor AND v_positions IS NULL) THEN RETURN 0; END IF;

    -- A batch belongs to a bind slot: any of the campaign's route, made where none was ever taken.
    SELECT rc.connection_id INTO v_connection FROM route_connection rc
    WHERE rc.route_id = c.route_id ORDER BY rc.weight DESC, rc.connection_id LIMIT 1;
    IF v_connection IS NULL THEN RETURN 0; END IF;
    INSERT INTO lease (connection_id, slot, epoch, owner) VALUES (v_connection, 0, 0, '')
    ON CONFLICT (connection_id, slot) DO NOTHING;
    SELECT l.id INTO v_lease FROM lease l WHERE l.connection_id = v_connection AND l.slot = 0;

    SELECT coalesce(sum(m.segment_count), 0) INTO v_segments FROM message m
    WHERE m.frozen_on = c.frozen_on AND m.campaign_id = c.id
      AND m.position >= v_cursor AND m.position < v_upto;
    INSERT INTO batch (workspace_id, campaign_id, connection_id, lease_id, epoch, first_position,
                       last_position, segment_count, open_count, opened_on, opened_at, closed_at, request_id)
    VALUES (c.workspace_id, c.id, v_connection, v_lease, 0,
            CASE WHEN v_upto > v_cursor THEN v_cursor END, CASE WHEN v_upto > v_cursor THEN v_upto - 1 END,
            v_segments, 0, v_on, clock_timestamp(), clock_timestamp(), '')
    RETURNING id INTO v_batch;
    IF v_positions IS NOT NULL THEN
        SELECT array_agg(s.message_state ORDER BY s.message_position) INTO v_before
        FROM message_states(c.id, v_positions) s;
    END IF;
    INSERT INTO submission (batch_on, batch_id, workspace_id, campaign_id, position, part, part_count,
                            connection_id, kind, cause, happened_at)
    SELECT v_on, v_batch, c.workspace_id, c.id, m.position, n, m.segment_count, v_connection,
           'unknown', p_cause, clock_timestamp()
    FROM message m CROSS JOIN generate_series(1, m.segment_count) AS n
    WHERE m.frozen_on = c.frozen_on AND m.campaign_id = c.id
      AND m.position >= v_cursor AND m.position < v_upto
    UNION ALL
    SELECT v_on, v_batch, c.workspace_id, c.id, q.position, n, q.part_count, v_connection,
           'unknown', p_cause, clock_timestamp()
    FROM queued_segment q
    CROSS JOIN generate_series(
        CASE WHEN q.part = 0 THEN 1 ELSE q.part END,
        CASE WHEN q.part = 0 THEN q.part_count ELSE q.part END) AS n
    WHERE q.campaign_id = c.id AND q.batch_id IS NULL AND q.position = ANY (v_positions);
    UPDATE progress p SET
        cursor = v_upto,
        claimed_segments = p.claimed_segments + v_segments,
        queued = p.queued - (v_upto - v_cursor),
        unknown = p.unknown + (v_upto - v_cursor)
    WHERE p.campaign_id = c.id;
    IF v_positions IS NOT NULL THEN
        DELETE FROM queued_segment q
        WHERE q.campaign_id = c.id AND q.batch_id IS NULL AND q.position = ANY (v_positions);
        SELECT array_agg(s.message_state ORDER BY s.message_position) INTO v_after
        FROM message_states(c.id, v_positions) s;
        PERFORM count_moves(c.id, v_before, v_after, 0);
    END IF;
    RETURN v_upto - v_cursor + coalesce(cardinality(v_positions), 0);
END $$;
