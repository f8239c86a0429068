-- Store receipts and apply at once what is plain about them: marked ones, of messages of one part, whose id we know. A
-- stored row then says its result from the start and is never written again. The others wait for apply_receipts, as do
-- all of them without p_applies or while somebody else settles. Returns how many wait.
CREATE FUNCTION take_receipts(
    p_connection bigint, p_smsc_ids text[], p_states text[], p_errors text[], p_references integer[],
    p_raws bytea[], p_ats timestamptz[], p_fingerprints bytea[], p_senders text[], p_unmarked boolean[],
    p_applies boolean)
RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    v_since date := (clock_timestamp() AT TIME ZONE 'UTC')::date - 62;
    v_applies boolean := p_applies AND pg_try_advisory_xact_lock(hashtext('apply_receipts'));
    v_left integer;
    v_campaigns bigint[];
    v_delivered bigint[];
    v_undelivered bigint[];
    v_submitted bigint[];
    v_no_receipt bigint[];
BEGIN
    WITH given AS MATERIALIZED (
        SELECT * FROM unnest(
            p_smsc_ids, p_states, p_errors, p_references, p_raws, p_ats, p_fingerprints, p_senders, p_unmarked)
            WITH ORDINALITY AS u(
                smsc_id, state, error, reference, raw, received_at, fingerprint, sender, is_unmarked, n)),
    found AS MATERIALIZED (
        SELECT g.n, g.state, g.error, g.received_at, s.batch_on, s.batch_id, s.position, s.part,
               s.campaign_id, s.receipt_state AS was
        FROM given g
        CROSS JOIN LATERAL (
            SELECT * FROM submission s
            WHERE s.connection_id = p_connection AND s.smsc_id = g.smsc_id AND s.smsc_id <> ''
              AND s.batch_on >= v_since AND s.kind = 'submitted'
            ORDER BY s.batch_id DESC LIMIT 1) s
        WHERE v_applies AND NOT g.is_unmarked AND s.part_count = 1),
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
    stored AS (
        INSERT INTO receipt (
            connection_id, smsc_id, state, error, reference, raw, received_at, fingerprint, sender,
            is_unmarked, result)
        SELECT p_connection, g.smsc_id, g.state, g.error, g.reference, g.raw, g.received_at, g.fingerprint,
               g.sender, g.is_unmarked,
               CASE WHEN m.n IS NOT NULL THEN 'applied'
                    WHEN f.n IS NULL THEN ''
                    WHEN receipt_rank(f.state) = 0 THEN 'interim'
                    WHEN receipt_rank(f.state) <= receipt_rank(f.was) THEN 'repeated'
                    ELSE '' END
        FROM given g LEFT JOIN found f USING (n) LEFT JOIN moved m USING (n)
        ORDER BY g.n
        RETURNING result),
    change AS (
        SELECT campaign_id,
            count(*) FILTER (WHERE after = 'delivered') AS delivered,
            count(*) FILTER (WHERE after = 'undelivered') - count(*) FILTER (WHERE before = 'undelivered')
                AS undelivered,
            count(*) FILTER (WHERE before = 'submitted') AS submitted,
            count(*) FILTER (WHERE before = 'no_receipt') AS no_receipt
        FROM moved GROUP BY campaign_id)
    SELECT (SELECT count(*) FROM stored WHERE result = ''),
           array_agg(campaign_id), array_agg(delivered), array_agg(undelivered), array_agg(submitted),
           array_agg(no_receipt)
    INTO v_left, v_campaigns, v_delivered, v_undelivered, v_submitted, v_no_receipt
    FROM change;
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
    RETURN v_left;
END $$;
