-- Take one message that was pushed through the API: everything that it is, in one call and under one lock.
-- Returns a refusal (of claim_refusal, or 'reference' with the message that has it already, or 'quota'), or
-- whether it is the first of this key for this campaign since p_day.
CREATE FUNCTION push_message(
    p_campaign bigint, p_now timestamptz, p_day timestamptz, p_fingerprint bytea, p_number_sealed bytea,
    p_values jsonb, p_segments smallint, p_uuid uuid, p_reference text, p_key bigint, p_request text)
RETURNS TABLE (refusal text, existing uuid, is_first boolean)
LANGUAGE plpgsql AS $$
DECLARE
    c campaign;
    v_refusal text;
    v_existing uuid;
    v_position bigint;
    v_recipient bigint;
    v_is_first boolean;
BEGIN
    -- One push at a time: many that wait for `progress` with the campaign shared would never let a pause through.
    PERFORM pg_advisory_xact_lock(hashtextextended('push:' || p_campaign, 0));
    -- Lock order: campaign, progress. Cancelling waits for us and then drops what we add.
    SELECT * INTO c FROM campaign WHERE id = p_campaign FOR SHARE;
    v_refusal := CASE WHEN c.id IS NULL THEN 'state' ELSE claim_refusal(c, p_now) END;
    IF v_refusal IS NOT NULL THEN
        RETURN QUERY SELECT v_refusal, NULL::uuid, false;
        RETURN;
    END IF;
    SELECT a.uuid INTO v_existing FROM api_message a
    WHERE a.workspace_id = c.workspace_id AND a.client_reference = p_reference AND p_reference <> '';
    IF v_existing IS NOT NULL THEN
        RETURN QUERY SELECT 'reference', v_existing, false;
        RETURN;
    END IF;

    SELECT p.total INTO v_position FROM progress p WHERE p.campaign_id = c.id FOR UPDATE;
    -- Positions have no gaps: when the one a whole cap back is of today, today's cap is used up.
    IF EXISTS (
        SELECT 1 FROM api_message a
        WHERE a.campaign_id = c.id AND a.position = v_position - c.daily_cap AND a.created_at >= p_day)
    THEN
        RETURN QUERY SELECT 'quota', NULL::uuid, false;
        RETURN;
    END IF;
    v_is_first := NOT EXISTS (
        SELECT 1 FROM api_message a
        WHERE a.api_key_id = p_key AND a.campaign_id = c.id AND a.created_at >= p_day);

    INSERT INTO recipient (workspace_id, recipient_list_id, row_number, fingerprint, number_sealed, "values")
    VALUES (c.workspace_id, NULL, 0, p_fingerprint, p_number_sealed, p_values)
    RETURNING id INTO v_recipient;
    INSERT INTO message (
        frozen_on, workspace_id, campaign_id, position, recipient_id, fingerprint, segment_count)
    VALUES (c.frozen_on, c.workspace_id, c.id, v_position, v_recipient, p_fingerprint, p_segments);
    INSERT INTO queued_segment (workspace_id, campaign_id, position, part, part_count, is_deferred,
                                attempt_count, not_before_at)
    VALUES (c.workspace_id, c.id, v_position, 0, p_segments, false, 0, p_now);
    INSERT INTO api_message (uuid, workspace_id, campaign_id, position, client_reference, api_key_id,
                             request_id, created_at)
    VALUES (p_uuid, c.workspace_id, c.id, v_position, p_reference, p_key, p_request, p_now);
    UPDATE progress p SET total = p.total + 1, queued = p.queued + 1 WHERE p.campaign_id = c.id;
    RETURN QUERY SELECT NULL::text, NULL::uuid, v_is_first;
END $$;
