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
