-- What a receipt says about a message that was accepted: it only ever climbs. Zero says nothing final.
-- campaigns/rules/improvements.py holds the same table; a test compares them.
CREATE FUNCTION receipt_rank(p_state text) RETURNS integer LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE p_state WHEN 'delivered' THEN 3 WHEN 'undeliverable' THEN 2 WHEN 'expired' THEN 2
        WHEN 'rejected' THEN 2 WHEN 'deleted' THEN 2 WHEN 'none' THEN 1 ELSE 0 END
$$;

-- The message state of one accepted part, by its receipt.
CREATE FUNCTION accepted_state(p_receipt text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE receipt_rank(p_receipt)
        WHEN 3 THEN 'delivered' WHEN 2 THEN 'undelivered' WHEN 1 THEN 'no_receipt' ELSE 'submitted' END
$$;

-- The state of messages, derived from their parts. The only place that knows how. Of several attempts of a part a
-- delivered one counts before the newest; one that was made again and has no successor is unknown still.
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
        ORDER BY s.position, s.part, (s.receipt_state = 'delivered') DESC, s.batch_id DESC),
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
                WHEN l.kind = 'submitted' THEN accepted_state(l.receipt_state)
                WHEN l.kind IN ('deferred', 'released') THEN
                    CASE WHEN c.state IN ('cancelled', 'expired') THEN c.state ELSE 'sending' END
                WHEN l.kind = 'resent' THEN 'unknown'
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
