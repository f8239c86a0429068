-- What is stored by the thousand is found by its key alone: with few rows in a table others look as good, and each time
-- one row of a campaign was wanted all its batches were read.

-- Store receipts and apply at once what is plain about them: marked ones, of messages of one part, whose id we know. A
-- stored row then says its result from the start and is never written again. The others wait for apply_receipts, as do
-- all of them without p_applies or while somebody else settles. Returns how many wait.
CREATE OR REPLACE FUNCTION take_receipts(
    p_connection bigint, p_smsc_ids text[], p_states text[], p_errors text[], p_references integer[],
    p_raws bytea[], p_ats timestamptz[], p_fingerprints bytea[], p_senders text[], p_unmarked boolean[],
    p_applies boolean)
RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    v_since date := (clock_timestamp() AT TIME ZONE 'UTC')::date - 62;
    -- Nothing was sent later than now: the next month's partition is not looked at.
    v_until date := v_since + 63;
    v_applies boolean := p_applies AND pg_try_advisory_xact_lock(hashtext('apply_receipts'));
    v_results text[];
    v_campaigns bigint[];
    v_delivered bigint[];
    v_undelivered bigint[];
    v_submitted bigint[];
    v_no_receipt bigint[];
BEGIN
    WITH given AS MATERIALIZED (
        SELECT * FROM unnest(p_smsc_ids, p_states, p_errors, p_ats, p_unmarked)
            WITH ORDINALITY AS u(smsc_id, state, error, received_at, is_unmarked, n)),
    -- By the keys, whatever the statistics are, and no wider than needed: sorted once, not once for each.
    found AS MATERIALIZED (
        SELECT * FROM (
            SELECT DISTINCT ON (g.n) g.n, g.state, g.error, g.received_at, s.*
            FROM given g
            CROSS JOIN LATERAL (
                SELECT a.batch_on, a.batch_id, a.position, a.part, a.part_count, a.campaign_id, a.receipt_state AS was
                FROM submission a
                WHERE a.connection_id = p_connection AND a.smsc_id = g.smsc_id AND a.smsc_id <> ''
                  AND a.batch_on BETWEEN v_since AND v_until AND a.kind = 'submitted'
                OFFSET 0) s
            WHERE v_applies AND NOT g.is_unmarked
            ORDER BY g.n, s.batch_id DESC) newest
        WHERE newest.part_count = 1),
    -- With attempts made again a message counts by all it has.
    resent AS MATERIALIZED (
        SELECT p.campaign_id FROM progress p
        WHERE p.campaign_id IN (SELECT campaign_id FROM found) AND p.resent > 0),
    -- Of several about one segment any is taken here; it climbs by the others when they are applied.
    moved AS (
        UPDATE submission s SET
            receipt_state = f.state, receipt_error = f.error, receipt_at = f.received_at
        FROM found f
        WHERE s.batch_on = f.batch_on AND s.batch_id = f.batch_id AND s.position = f.position
          AND s.part = f.part AND receipt_rank(f.state) > receipt_rank(f.was)
          AND f.campaign_id <> ALL (ARRAY(SELECT campaign_id FROM resent))
        RETURNING f.n, f.campaign_id, accepted_state(f.was) AS before, accepted_state(f.state) AS after),
    told AS (
        SELECT g.n,
               CASE WHEN m.n IS NOT NULL THEN 'applied'
                    WHEN f.n IS NULL THEN ''
                    WHEN receipt_rank(f.state) = 0 THEN 'interim'
                    WHEN receipt_rank(f.state) <= receipt_rank(f.was) THEN 'repeated'
                    ELSE '' END AS result
        FROM given g LEFT JOIN found f USING (n) LEFT JOIN moved m USING (n)),
    change AS (
        SELECT campaign_id,
            count(*) FILTER (WHERE after = 'delivered') AS delivered,
            count(*) FILTER (WHERE after = 'undelivered') - count(*) FILTER (WHERE before = 'undelivered')
                AS undelivered,
            count(*) FILTER (WHERE before = 'submitted') AS submitted,
            count(*) FILTER (WHERE before = 'no_receipt') AS no_receipt
        FROM moved GROUP BY campaign_id)
    SELECT (SELECT array_agg(t.result ORDER BY t.n) FROM told t),
           array_agg(campaign_id), array_agg(delivered), array_agg(undelivered), array_agg(submitted),
           array_agg(no_receipt)
    INTO v_results, v_campaigns, v_delivered, v_undelivered, v_submitted, v_no_receipt
    FROM change;
    INSERT INTO receipt (
        connection_id, smsc_id, state, error, reference, raw, received_at, fingerprint, sender,
        is_unmarked, result)
    SELECT p_connection, u.smsc_id, u.state, u.error, u.reference, u.raw, u.received_at, u.fingerprint, u.sender,
           u.is_unmarked, u.result
    FROM unnest(
        p_smsc_ids, p_states, p_errors, p_references, p_raws, p_ats, p_fingerprints, p_senders, p_unmarked, v_results)
        AS u(smsc_id, state, error, reference, raw, received_at, fingerprint, sender, is_unmarked, result);
    -- The counters last: claims and outcomes wait for no more than the commit.
    IF v_campaigns IS NOT NULL THEN
        PERFORM 1 FROM progress p WHERE p.campaign_id = ANY (v_campaigns) ORDER BY p.campaign_id FOR UPDATE;
        UPDATE progress p SET
            delivered = p.delivered + c.delivered, undelivered = p.undelivered + c.undelivered,
            submitted = p.submitted - c.submitted, no_receipt = p.no_receipt - c.no_receipt
        FROM unnest(v_campaigns, v_delivered, v_undelivered, v_submitted, v_no_receipt)
            AS c(campaign_id, delivered, undelivered, submitted, no_receipt)
        WHERE p.campaign_id = c.campaign_id;
    END IF;
    RETURN (SELECT count(*) FROM unnest(v_results) AS t(result) WHERE t.result = '');
END $$;

-- The many outcomes of which there is nothing to tell: accepted segments of messages that have one part. Durable as
-- by record_outcomes, in a third of the time: a plain insert needs no look for what is there already. Where one of
-- them is known, all of that campaign go the long way.
-- The counters come after the rows: of a batch from the cursor nobody else writes the outcomes, so claims and receipts
-- of its campaign need not wait while they are stored. What was queued is looked at by others and locks first.
CREATE OR REPLACE FUNCTION record_submitted(
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
                SELECT b.* FROM (SELECT DISTINCT id FROM unnest(p_batches) AS o(id)) given
                CROSS JOIN LATERAL (SELECT * FROM batch WHERE batch.id = given.id OFFSET 0) b
                WHERE b.campaign_id = v_campaign)
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
