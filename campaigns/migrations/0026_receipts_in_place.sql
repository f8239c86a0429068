-- A submission is rewritten once, by its receipt. It stays on its page and leaves every index alone when half the page
-- is kept for that and no index names what the receipt sets.
DO $$
DECLARE
    v_partition regclass;
BEGIN
    FOR v_partition IN SELECT inhrelid::regclass FROM pg_inherits WHERE inhparent = 'submission'::regclass LOOP
        EXECUTE format('ALTER TABLE %s SET (fillfactor = 50)', v_partition);
    END LOOP;
END $$;

-- As before, with room for the receipts.
CREATE OR REPLACE FUNCTION ensure_partitions(p_month date) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    v_first date := date_trunc('month', p_month)::date;
    v_next date := (date_trunc('month', p_month) + interval '1 month')::date;
    v_table text;
    v_made integer := 0;
BEGIN
    FOREACH v_table IN ARRAY ARRAY['message', 'submission', 'receipt'] LOOP
        IF to_regclass(format('%s_%s', v_table, to_char(v_first, 'YYYY_MM'))) IS NULL THEN
            EXECUTE format(
                'CREATE TABLE %I PARTITION OF %I FOR VALUES FROM (%L) TO (%L) WITH (fillfactor = %s)',
                format('%s_%s', v_table, to_char(v_first, 'YYYY_MM')), v_table, v_first, v_next,
                CASE WHEN v_table = 'submission' THEN 50 ELSE 100 END);
            v_made := v_made + 1;
        END IF;
    END LOOP;
    RETURN v_made;
END $$;

-- What was accepted before since_at has its receipt or waits no more. All that moves it holds only_one_settles.
INSERT INTO receipts_awaited (id, since_at)
SELECT 1, coalesce(min(happened_at), clock_timestamp()) FROM submission
WHERE kind = 'submitted' AND receipt_state = '';
DROP INDEX submission_awaiting;
CREATE INDEX submission_in_time ON submission USING brin (happened_at)
    WITH (pages_per_range = 32, autosummarize = on);

-- As before, walking on in time from where it stood.
CREATE OR REPLACE FUNCTION give_up_receipts(p_before timestamptz, p_limit integer) RETURNS integer
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

-- As before; an attempt that is older than what has been given up, and has no receipt yet, is waited for again.
CREATE OR REPLACE FUNCTION settle_as_accepted(
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
