-- Claim from the cursor as before, with each row read once: message, recipient and opt-out in one pass. Values come
-- only where the text has placeholders.
CREATE OR REPLACE FUNCTION claim_range(
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
