-- An unknown attempt that the SMSC never had, by records that somebody stated to be complete.
-- The caller holds the lock of only_one_settles. False when the attempt is not unknown any more.
CREATE FUNCTION settle_as_absent(
    p_batch_on date, p_batch bigint, p_position bigint, p_part integer, p_cause text)
RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    v_campaign bigint;
    v_before text[];
    v_after text[];
BEGIN
    SELECT s.campaign_id INTO v_campaign FROM submission s
    WHERE s.batch_on = p_batch_on AND s.batch_id = p_batch AND s.position = p_position AND s.part = p_part;
    PERFORM 1 FROM progress p WHERE p.campaign_id = v_campaign FOR UPDATE;
    SELECT array_agg(t.message_state) INTO v_before FROM message_states(v_campaign, ARRAY[p_position]) t;
    UPDATE submission s SET kind = 'refused', cause = p_cause, evidence = 'records'
    WHERE s.batch_on = p_batch_on AND s.batch_id = p_batch AND s.position = p_position
      AND s.part = p_part AND s.kind = 'unknown';
    IF NOT FOUND THEN RETURN false; END IF;
    SELECT array_agg(t.message_state) INTO v_after FROM message_states(v_campaign, ARRAY[p_position]) t;
    PERFORM count_moves(v_campaign, v_before, v_after, 0);
    RETURN true;
END $$;

-- All attempts over one connection to these subscribers that call records may be about.
CREATE FUNCTION attempts_of_subscribers(p_connection bigint, p_fingerprints bytea[], p_since timestamptz)
RETURNS TABLE (
    subscriber bytea, batch_on date, batch_id bigint, workspace_id bigint, campaign_id bigint,
    message_position bigint, part integer, sender text, kind text, smsc_id text, opened_at timestamptz,
    until timestamptz)
LANGUAGE sql STABLE AS $$
    WITH sent AS (
        SELECT m.fingerprint, m.workspace_id, c.id AS campaign_id, c.frozen_on, m.position, m.segment_count,
               r.value
        FROM workspace w
        JOIN message m ON m.workspace_id = w.id AND m.fingerprint = ANY (p_fingerprints)
        JOIN campaign c ON c.id = m.campaign_id AND c.frozen_on = m.frozen_on
        JOIN sender_revision r ON r.id = c.sender_revision_id)
    SELECT sent.fingerprint, s.batch_on, s.batch_id, s.workspace_id, s.campaign_id, s.position, s.part::integer,
           sent.value::text, s.kind::text, s.smsc_id::text, b.opened_at, greatest(s.happened_at, b.opened_at)
    FROM sent JOIN submission s ON s.campaign_id = sent.campaign_id AND s.position = sent.position
        AND s.batch_on >= sent.frozen_on
    JOIN batch b ON b.id = s.batch_id
    WHERE s.connection_id = p_connection AND s.kind IN ('unknown', 'submitted', 'resent')
      AND b.opened_at >= p_since
    UNION ALL
    SELECT sent.fingerprint, b.opened_on, b.id, b.workspace_id, b.campaign_id, sent.position, n,
           sent.value::text, 'sending', '', b.opened_at, clock_timestamp()
    FROM sent
    JOIN batch b ON b.campaign_id = sent.campaign_id AND b.connection_id = p_connection
        AND b.closed_at IS NULL AND b.opened_at >= p_since
    CROSS JOIN generate_series(1, sent.segment_count::integer) AS n
    WHERE (sent.position BETWEEN b.first_position AND b.last_position
           OR EXISTS (SELECT 1 FROM queued_segment q
                      WHERE q.batch_id = b.id AND q.position = sent.position AND q.part IN (0, n)))
      AND NOT EXISTS (
          SELECT 1 FROM submission s
          WHERE s.batch_on = b.opened_on AND s.batch_id = b.id AND s.position = sent.position
            AND s.part IN (0, n))
$$;

-- Which of these messages two people may decide to send again, and their state: what is unknown, and what the SMSC
-- never had, by its records and by nothing else.
CREATE FUNCTION resendable(p_campaign bigint, p_positions bigint[])
RETURNS TABLE (message_position bigint, message_state text) LANGUAGE sql STABLE AS $$
    SELECT s.message_position, s.message_state
    FROM message_states(p_campaign, p_positions) s
    WHERE s.message_state = 'unknown' OR (s.message_state = 'refused' AND NOT EXISTS (
        SELECT 1 FROM submission r JOIN campaign c ON c.id = r.campaign_id
        WHERE r.campaign_id = p_campaign AND r.position = s.message_position AND r.batch_on >= c.frozen_on
          AND r.kind = 'refused' AND r.evidence <> 'records'))
$$;

-- Put those parts of these messages into the queue: two people decided it. What was settled meanwhile is
-- left out. The decision's own transaction, which has locked the campaign's row. Returns how many messages.
CREATE FUNCTION queue_resend(p_campaign bigint, p_positions bigint[], p_now timestamptz) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    c campaign;
    v_positions bigint[];
    v_before text[];
    v_after text[];
BEGIN
    PERFORM only_one_settles();
    SELECT * INTO c FROM campaign WHERE id = p_campaign;
    PERFORM 1 FROM progress p WHERE p.campaign_id = c.id FOR UPDATE;
    SELECT array_agg(t.message_position), array_agg(t.message_state) INTO v_positions, v_before
    FROM (SELECT * FROM resendable(c.id, p_positions) s ORDER BY s.message_position) t;
    IF v_positions IS NULL THEN RETURN 0; END IF;
    INSERT INTO queued_segment (workspace_id, campaign_id, position, part, part_count, is_deferred,
                                attempt_count, not_before_at)
    SELECT DISTINCT s.workspace_id, c.id, s.position, s.part, s.part_count, false, 0, p_now
    FROM submission s
    WHERE s.campaign_id = c.id AND s.position = ANY (v_positions) AND s.batch_on >= c.frozen_on
      AND (s.kind IN ('unknown', 'resent') OR s.kind = 'refused' AND s.evidence = 'records') AND s.part > 0
      AND NOT EXISTS (
          SELECT 1 FROM submission l
          WHERE l.campaign_id = c.id AND l.position = s.position AND l.part = s.part
            AND l.batch_on >= c.frozen_on AND l.batch_id > s.batch_id)
    ON CONFLICT (campaign_id, position, part) DO NOTHING;
    UPDATE submission s SET kind = 'resent'
    WHERE s.campaign_id = c.id AND s.position = ANY (v_positions) AND s.batch_on >= c.frozen_on
      AND (s.kind = 'unknown' OR s.kind = 'refused' AND s.evidence = 'records');
    SELECT array_agg(s.message_state ORDER BY s.message_position) INTO v_after
    FROM message_states(c.id, v_positions) s;
    PERFORM count_moves(c.id, v_before, v_after, 0);
    UPDATE progress p SET resent = p.resent + cardinality(v_positions) WHERE p.campaign_id = c.id;
    RETURN cardinality(v_positions);
END $$;
