-- As before, but the counters come after the rows: of a batch from the cursor nobody else writes the outcomes, so claims and
-- receipts of its campaign need not wait while they are stored. What was queued is looked at by others and locks first.
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
                SELECT * FROM batch WHERE id = ANY (p_batches) AND campaign_id = v_campaign)
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
