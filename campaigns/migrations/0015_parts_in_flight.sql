-- Of a pushed message with several parts the others were forgotten when one had its answer and the sender was killed.

-- Make outcomes durable. Idempotent on (batch, position, part): a known fate never changes, an unknown one is settled by a later answer.
-- retry_seconds is the back-off's base, retry_cap the attempts after which a deferred segment is refused for good.
CREATE OR REPLACE FUNCTION record_outcomes(
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
            -- A campaign that is over sends nothing any more: there two people may decide about what is unknown,
            -- and about what waits nobody could.
            WHERE s.kind = 'unknown' AND excluded.kind <> 'unknown'
              AND (c.state <> 'completed' OR excluded.kind NOT IN ('deferred', 'released'))
            RETURNING s.batch_id, s.position, s.part, s.part_count, s.kind, s.smsc_id, s.happened_at)
        SELECT array_agg(ROW(
            t.batch_id, t.position, t.part, t.part_count, t.kind, t.smsc_id, t.happened_at,
            g.retry_seconds, g.attempt_count, g.is_new, g.connection_id)::settled_segment)
        INTO v_settled
        FROM stored t JOIN given g USING (batch_id, position, part);
        CONTINUE WHEN v_settled IS NULL;

        -- A whole message waits as one row. Once some of its parts are settled each of the others has its own: for
        -- these rows are all that tells of a pushed message in flight.
        INSERT INTO queued_segment (workspace_id, campaign_id, position, part, part_count, is_deferred,
                                    attempt_count, not_before_at, batch_id, lane_id)
        SELECT q.workspace_id, q.campaign_id, q.position, n, q.part_count, q.is_deferred, q.attempt_count,
               q.not_before_at, q.batch_id, q.lane_id
        FROM (SELECT DISTINCT t.batch_id, t.position FROM unnest(v_settled) t WHERE t.part_count > 1) t
        JOIN queued_segment q ON q.campaign_id = c.id AND q.position = t.position AND q.part = 0
            AND q.batch_id = t.batch_id
        CROSS JOIN generate_series(1, q.part_count) AS n
        WHERE NOT EXISTS (
            SELECT 1 FROM batch b JOIN submission s
                ON s.batch_on = b.opened_on AND s.batch_id = b.id AND s.position = q.position AND s.part = n
            WHERE b.id = q.batch_id)
        ON CONFLICT (campaign_id, position, part) DO NOTHING;
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
