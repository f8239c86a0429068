-- What we send as user_message_reference: the same at every attempt of a part, 1 to 65535.
-- campaigns/rules/references.py computes the same; a test compares them.
CREATE FUNCTION segment_reference(p_campaign bigint, p_position bigint, p_part integer)
RETURNS integer LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT (1 + (p_campaign * 10007 + p_position * 131 + p_part) % 65535)::integer
$$;

-- All that moves receipts and settles unknowns takes this lock first: what it reads cannot move before it writes.
CREATE FUNCTION only_one_settles() RETURNS void LANGUAGE sql AS $$
    SELECT pg_advisory_xact_lock(hashtext('apply_receipts'))
$$;

-- An unknown attempt was accepted after all. The caller holds the lock of only_one_settles.
-- The campaign's counters move; what waits to be sent again of that part does not go any more. An attempt that is
-- older than what has been given up, and has no receipt yet, is waited for again.
-- False when the attempt is not unknown any more.
CREATE FUNCTION settle_as_accepted(
    p_batch_on date, p_batch bigint, p_position bigint, p_part integer, p_smsc_id text,
    p_receipt text, p_error text, p_at timestamptz, p_evidence text)
RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    v_campaign bigint;
    v_before text[];
    v_after text[];
    v_receipt text := CASE WHEN receipt_rank(p_receipt) > 1 THEN p_receipt ELSE '' END;
    v_happened_at timestamptz;
BEGIN
    SELECT s.campaign_id INTO v_campaign FROM submission s
    WHERE s.batch_on = p_batch_on AND s.batch_id = p_batch AND s.position = p_position AND s.part = p_part;
    PERFORM 1 FROM progress p WHERE p.campaign_id = v_campaign FOR UPDATE;
    SELECT array_agg(t.message_state) INTO v_before FROM message_states(v_campaign, ARRAY[p_position]) t;
    UPDATE submission s SET
        kind = 'submitted', status = 0, cause = '', smsc_id = p_smsc_id, evidence = p_evidence,
        receipt_state = v_receipt, receipt_error = CASE WHEN v_receipt <> '' THEN p_error ELSE '' END,
        receipt_at = CASE WHEN v_receipt <> '' THEN p_at END
    WHERE s.batch_on = p_batch_on AND s.batch_id = p_batch AND s.position = p_position
      AND s.part = p_part AND s.kind = 'unknown'
    RETURNING s.happened_at INTO v_happened_at;
    IF NOT FOUND THEN RETURN false; END IF;
    IF v_receipt = '' THEN
        UPDATE receipts_awaited SET since_at = v_happened_at WHERE since_at > v_happened_at;
    END IF;
    DELETE FROM queued_segment q
    WHERE q.campaign_id = v_campaign AND q.position = p_position AND q.part = p_part
      AND q.batch_id IS NULL;
    SELECT array_agg(t.message_state) INTO v_after FROM message_states(v_campaign, ARRAY[p_position]) t;
    PERFORM count_moves(v_campaign, v_before, v_after, 1);
    RETURN true;
END $$;

-- Our segments of one connection that a receipt without an answer may be about: to that subscriber, from that
-- sender, intended before it came and not longer ago than p_since. Unknown, made again, in flight, or accepted and
-- waiting for a receipt of their own. A reference, where the peer gave ours back, narrows them.
CREATE FUNCTION segments_of_subscriber(
    p_connection bigint, p_fingerprint bytea, p_sender text, p_reference integer,
    p_since timestamptz, p_until timestamptz)
RETURNS TABLE (
    batch_on date, batch_id bigint, campaign_id bigint, message_position bigint, part smallint, kind text)
LANGUAGE sql STABLE AS $$
    WITH sent AS (
        SELECT c.id AS campaign_id, c.frozen_on, m.position, m.segment_count
        FROM workspace w
        JOIN message m ON m.workspace_id = w.id AND m.fingerprint = p_fingerprint
        JOIN campaign c ON c.id = m.campaign_id AND c.frozen_on = m.frozen_on
        JOIN sender_revision r ON r.id = c.sender_revision_id
        WHERE p_sender = '' OR lower(ltrim(r.value, '+')) = lower(ltrim(p_sender, '+')))
    SELECT s.batch_on, s.batch_id, s.campaign_id, s.position, s.part, s.kind::text
    FROM sent JOIN submission s ON s.campaign_id = sent.campaign_id AND s.position = sent.position
        AND s.batch_on >= sent.frozen_on
    JOIN batch b ON b.id = s.batch_id
    WHERE s.connection_id = p_connection AND b.opened_at BETWEEN p_since AND p_until
      AND (s.kind IN ('unknown', 'resent') OR (s.kind = 'submitted' AND receipt_rank(s.receipt_state) < 2))
      AND (p_reference = 0 OR p_reference = segment_reference(s.campaign_id, s.position, s.part))
    UNION ALL
    SELECT b.opened_on, b.id, b.campaign_id, sent.position, n::smallint, 'sending'
    FROM sent
    JOIN batch b ON b.campaign_id = sent.campaign_id AND b.connection_id = p_connection
        AND b.closed_at IS NULL AND b.opened_at BETWEEN p_since AND p_until
    CROSS JOIN generate_series(1, sent.segment_count) AS n
    WHERE (sent.position BETWEEN b.first_position AND b.last_position
           OR EXISTS (SELECT 1 FROM queued_segment q
                      WHERE q.batch_id = b.id AND q.position = sent.position AND q.part IN (0, n)))
      AND (p_reference = 0 OR p_reference = segment_reference(b.campaign_id, sent.position, n))
      AND NOT EXISTS (
          SELECT 1 FROM submission s
          WHERE s.batch_on = b.opened_on AND s.batch_id = b.id AND s.position = sent.position
            AND s.part IN (0, n))
$$;

-- Whether an attempt whose parts are all unknown was one message_payload: its connection sends long messages so, and
-- nobody has changed it since (the sender reads a change within seconds).
CREATE FUNCTION went_as_one(p_connection bigint, p_batch_on date, p_batch bigint, p_position bigint)
RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT count(*) > 1 AND count(*) = max(s.part_count) AND bool_and(s.kind = 'unknown')
    FROM submission s JOIN batch b ON b.id = s.batch_id
    JOIN connection n ON n.id = b.connection_id
    WHERE s.batch_on = p_batch_on AND s.batch_id = p_batch AND s.position = p_position
      AND n.id = p_connection AND n.carrier = 'smpp' AND n.long_form = 'payload'
      AND NOT EXISTS (
          SELECT 1 FROM connection_event e
          WHERE e.connection_id = n.id AND e.kind = 'changed'
            AND e.happened_at > b.opened_at - interval '10 seconds')
$$;

-- A receipt whose id nobody knows may be about a segment whose answer was lost. It settles that one when no
-- other segment and no other receipt can be meant. The receipt of a message that went as one settles all its parts,
-- with our reference or without. Returns whether it did. The lock is held.
CREATE FUNCTION settle_by_receipt(r receipt, p_hours integer) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    v_candidates integer;
    v_messages integer;
    v_is_whole boolean;
    v_kind text;
    v_on date;
    v_batch bigint;
    v_position bigint;
    v_part integer;
BEGIN
    IF r.fingerprint IS NULL OR r.is_unmarked THEN RETURN false; END IF;
    SELECT count(*), count(DISTINCT (t.batch_id, t.message_position)), min(t.kind), min(t.batch_on),
           min(t.batch_id), min(t.message_position), min(t.part)
    INTO v_candidates, v_messages, v_kind, v_on, v_batch, v_position, v_part
    FROM segments_of_subscriber(
        r.connection_id, r.fingerprint, r.sender, r.reference,
        r.received_at - make_interval(hours => p_hours), r.received_at + interval '1 minute') t;
    IF v_messages <> 1 OR v_kind <> 'unknown' THEN RETURN false; END IF;
    v_is_whole := v_part = 1 AND went_as_one(r.connection_id, v_on, v_batch, v_position);
    IF v_candidates <> 1 AND NOT v_is_whole THEN RETURN false; END IF;
    -- One of two receipts about different messages may belong to somebody else on this account.
    IF EXISTS (
        SELECT 1 FROM receipt o
        WHERE o.connection_id = r.connection_id AND o.fingerprint = r.fingerprint AND o.result = 'orphan'
          AND o.smsc_id <> r.smsc_id AND o.sender = r.sender
          AND (r.reference = 0 OR o.reference = r.reference)
          AND o.received_at BETWEEN r.received_at - make_interval(hours => p_hours)
                                AND r.received_at + make_interval(hours => p_hours))
    THEN RETURN false; END IF;
    FOR v_part IN
        SELECT s.part FROM submission s
        WHERE s.batch_on = v_on AND s.batch_id = v_batch AND s.position = v_position
          AND (s.part = v_part OR v_is_whole)
        ORDER BY s.part
    LOOP
        IF NOT settle_as_accepted(
            v_on, v_batch, v_position, v_part, r.smsc_id, r.state, r.error, r.received_at, 'receipt')
        THEN RETURN false; END IF;
    END LOOP;
    RETURN true;
END $$;

CREATE TYPE matched_receipt AS (
    received_on date, id bigint, state text, error text, received_at timestamptz, batch_on date,
    batch_id bigint, position bigint, part smallint, part_count smallint, campaign_id bigint, was text,
    result text);
CREATE TYPE moving_messages AS (campaign_id bigint, positions bigint[], before text[]);

-- Apply waiting receipts: each to the newest attempt of that connection with that id. A state only climbs.
-- One sender at a time. Counters of messages of one part move by what the rows were, others by all their parts.
-- A message that went as one message_payload has one id, and one receipt, for all its parts.
-- Nothing costs more than in step with the number of receipts. Those that fit nothing are read by their keys: the
-- index of such receipts, which is empty when the table is looked at for its plan, would be read through once for each.
CREATE FUNCTION apply_receipts(p_limit integer, p_hours integer DEFAULT 72) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    v_now timestamptz := clock_timestamp();
    v_since date := (v_now AT TIME ZONE 'UTC')::date - 62;
    v_matched matched_receipt[];
    v_lost bytea[];
    v_campaigns bigint[];
    v_moving moving_messages[] := '{}';
    v_long moving_messages;
    v_after text[];
    v_receipt receipt;
BEGIN
    IF NOT pg_try_advisory_xact_lock(hashtext('apply_receipts')) THEN RETURN 0; END IF;
    -- Receipts are durable and applying them twice changes nothing: a crash may take the last of this back.
    PERFORM set_config('synchronous_commit', 'off', true);
    UPDATE receipt r SET result = '', look_at = NULL
    FROM (
        SELECT received_on, id FROM receipt
        WHERE result = 'orphan' AND look_at <= v_now ORDER BY look_at LIMIT p_limit) due
    WHERE r.received_on = due.received_on AND r.id = due.id;

    -- Of several about one part the best is applied, the others repeat it.
    SELECT array_agg(ROW(
        t.received_on, t.id, t.state, t.error, t.received_at, t.batch_on, t.batch_id, t.position, t.part,
        t.part_count, t.campaign_id, t.was,
        CASE WHEN t.result = 'applied' AND t.place > 1 THEN 'repeated' ELSE t.result END)::matched_receipt)
    INTO v_matched
    FROM (
        SELECT j.*, row_number() OVER (
            PARTITION BY j.result, j.batch_on, j.batch_id, j.position, j.part
            ORDER BY receipt_rank(j.state) DESC, j.id) AS place
        FROM (
            SELECT r.received_on, r.id, r.state, r.error, r.received_at, s.batch_on, s.batch_id, s.position,
                s.part, s.part_count, s.campaign_id, s.receipt_state AS was,
                CASE WHEN s.batch_id IS NULL THEN 'orphan'
                     WHEN r.is_unmarked AND r.fingerprint IS DISTINCT FROM (
                         SELECT m.fingerprint FROM message m JOIN campaign c ON c.id = m.campaign_id
                         WHERE m.frozen_on = c.frozen_on AND m.campaign_id = s.campaign_id
                           AND m.position = s.position) THEN 'orphan'
                     WHEN receipt_rank(r.state) = 0 THEN 'interim'
                     WHEN receipt_rank(r.state) <= receipt_rank(s.receipt_state) THEN 'repeated'
                     ELSE 'applied' END AS result
            FROM (SELECT * FROM receipt WHERE result = '' ORDER BY id LIMIT p_limit) r
            LEFT JOIN LATERAL (
                SELECT * FROM submission s
                WHERE s.connection_id = r.connection_id AND s.smsc_id = r.smsc_id AND s.smsc_id <> ''
                  AND s.batch_on >= v_since AND s.kind = 'submitted'
                ORDER BY s.batch_id DESC LIMIT 1) newest ON true
            LEFT JOIN LATERAL (
                SELECT newest.*
                UNION ALL
                SELECT other.* FROM submission other
                WHERE newest.part_count > 1 AND other.connection_id = newest.connection_id
                  AND other.smsc_id = newest.smsc_id AND other.batch_on = newest.batch_on
                  AND other.batch_id = newest.batch_id AND other.position = newest.position
                  AND other.part <> newest.part AND other.kind = 'submitted') s ON true) j) t;
    IF v_matched IS NULL THEN RETURN 0; END IF;

    -- Messages of several parts, and those of campaigns with attempts made again, count by all they have.
    FOR v_long IN
        SELECT t.campaign_id, array_agg(DISTINCT t.position), NULL::text[]
        FROM unnest(v_matched) t JOIN progress p ON p.campaign_id = t.campaign_id
        WHERE t.result = 'applied' AND (t.part_count > 1 OR p.resent > 0)
        GROUP BY t.campaign_id ORDER BY t.campaign_id
    LOOP
        PERFORM 1 FROM progress p WHERE p.campaign_id = v_long.campaign_id FOR UPDATE;
        SELECT array_agg(s.message_state ORDER BY s.message_position) INTO v_long.before
        FROM message_states(v_long.campaign_id, v_long.positions) s;
        v_moving := v_moving || v_long;
        v_campaigns := v_campaigns || v_long.campaign_id;
    END LOOP;

    WITH best AS (SELECT * FROM unnest(v_matched) t WHERE t.result = 'applied'),
    moved AS (
        UPDATE submission s SET receipt_state = b.state, receipt_error = b.error, receipt_at = b.received_at
        FROM best b
        WHERE s.batch_on = b.batch_on AND s.batch_id = b.batch_id AND s.position = b.position
          AND s.part = b.part
        RETURNING b.campaign_id, b.part_count, b.was, b.state),
    told AS (
        UPDATE receipt r SET
            result = m.result,
            -- Looked at again after 1, 10 and 60 minutes.
            look_at = CASE WHEN m.result <> 'orphan' THEN NULL
                WHEN m.received_at + interval '1 minute' > v_now THEN m.received_at + interval '1 minute'
                WHEN m.received_at + interval '10 minutes' > v_now THEN m.received_at + interval '10 minutes'
                WHEN m.received_at + interval '1 hour' > v_now THEN m.received_at + interval '1 hour' END
        FROM unnest(v_matched) m
        WHERE r.received_on = m.received_on AND r.id = m.id),
    counted AS (
        SELECT campaign_id, accepted_state(was) AS before, accepted_state(state) AS after, count(*) AS n
        FROM moved
        WHERE part_count = 1 AND (v_campaigns IS NULL OR NOT EXISTS (
            SELECT 1 FROM progress p WHERE p.campaign_id = moved.campaign_id AND p.resent > 0))
        GROUP BY 1, 2, 3),
    change AS (
        SELECT campaign_id,
            coalesce(sum(n) FILTER (WHERE after = 'delivered'), 0) AS delivered,
            coalesce(sum(n) FILTER (WHERE after = 'undelivered'), 0)
                - coalesce(sum(n) FILTER (WHERE before = 'undelivered'), 0) AS undelivered,
            coalesce(sum(n) FILTER (WHERE before = 'submitted'), 0) AS submitted,
            coalesce(sum(n) FILTER (WHERE before = 'no_receipt'), 0) AS no_receipt
        FROM counted GROUP BY campaign_id ORDER BY campaign_id),
    locked AS (
        SELECT p.campaign_id FROM progress p WHERE p.campaign_id IN (SELECT campaign_id FROM change)
        ORDER BY p.campaign_id FOR UPDATE)
    UPDATE progress p SET
        delivered = p.delivered + c.delivered, undelivered = p.undelivered + c.undelivered,
        submitted = p.submitted - c.submitted, no_receipt = p.no_receipt - c.no_receipt
    FROM change c JOIN locked USING (campaign_id) WHERE p.campaign_id = c.campaign_id;

    FOREACH v_long IN ARRAY v_moving LOOP
        SELECT array_agg(s.message_state ORDER BY s.message_position) INTO v_after
        FROM message_states(v_long.campaign_id, v_long.positions) s;
        PERFORM count_moves(v_long.campaign_id, v_long.before, v_after, 0);
    END LOOP;

    -- What fits no id may be about an attempt whose answer was lost.
    IF NOT EXISTS (SELECT 1 FROM unnest(v_matched) m WHERE m.result = 'orphan') THEN
        RETURN cardinality(v_matched);
    END IF;
    SELECT array_agg(DISTINCT g.fingerprint) INTO v_lost
    FROM submission u JOIN campaign c ON c.id = u.campaign_id
    JOIN message g ON g.frozen_on = c.frozen_on AND g.campaign_id = u.campaign_id AND g.position = u.position
    WHERE u.kind = 'unknown' AND u.happened_at >= v_now - make_interval(hours => p_hours + 24)
      AND u.batch_on >= v_since;
    FOR v_receipt IN
        SELECT r.* FROM unnest(v_matched) m
        JOIN receipt r ON r.received_on = m.received_on AND r.id = m.id
        WHERE m.result = 'orphan' AND r.fingerprint = ANY (v_lost)
        ORDER BY r.id
    LOOP
        IF settle_by_receipt(v_receipt, p_hours) THEN
            UPDATE receipt r SET result = 'settled', look_at = NULL
            WHERE r.received_on = v_receipt.received_on AND r.id = v_receipt.id;
            UPDATE receipt r SET result = '', look_at = NULL
            WHERE r.result = 'orphan' AND r.connection_id = v_receipt.connection_id
              AND r.smsc_id = v_receipt.smsc_id AND r.smsc_id <> '';
        END IF;
    END LOOP;
    RETURN cardinality(v_matched);
END $$;

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

-- What has waited too long for its receipt says so; a late receipt still improves it. It walks on in time from where
-- it stood.
CREATE FUNCTION give_up_receipts(p_before timestamptz, p_limit integer) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    v_since timestamptz;
    v_until timestamptz;
    v_campaign bigint;
    v_positions bigint[];
    v_before text[];
    v_after text[];
    v_n integer := 0;
BEGIN
    PERFORM only_one_settles();
    SELECT since_at INTO v_since FROM receipts_awaited;
    WHILE v_n = 0 AND v_since < p_before LOOP
        v_until := least(p_before, v_since + interval '1 minute');
        FOR v_campaign, v_positions IN
            SELECT t.campaign_id, array_agg(DISTINCT t.position) FROM (
                SELECT s.campaign_id, s.position FROM submission s
                WHERE s.happened_at >= v_since AND s.happened_at < v_until
                  AND s.kind = 'submitted' AND s.receipt_state = ''
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
        IF v_n = 0 THEN v_since := v_until; END IF;
    END LOOP;
    UPDATE receipts_awaited SET since_at = least(v_since, clock_timestamp()) WHERE since_at < v_since;
    RETURN v_n;
END $$;
