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

-- As before, and messages that the SMSC never had, by its own records.
-- Put the unknown parts of these messages into the queue: two people decided it. What was settled meanwhile is
-- left out. The decision's own transaction, which has locked the campaign's row. Returns how many messages.
CREATE OR REPLACE FUNCTION queue_resend(p_campaign bigint, p_positions bigint[], p_now timestamptz) RETURNS integer
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

