-- A frozen audience is written once; while its campaign is built anew (and only then) the owner's function may take it away.
CREATE FUNCTION message_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND EXISTS (
        SELECT 1 FROM campaign c WHERE c.id = OLD.campaign_id AND c.state = 'building')
    THEN RETURN OLD; END IF;
    RAISE EXCEPTION 'message is written once.'
        USING ERRCODE = 'check_violation', CONSTRAINT = 'message_written_once';
END $$;
DROP TRIGGER message_written_once ON message;
CREATE TRIGGER message_written_once BEFORE UPDATE OR DELETE ON message
    FOR EACH ROW EXECUTE FUNCTION message_guard();

CREATE FUNCTION discard_audience(p_campaign bigint) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    v_n bigint;
    v_on date;
BEGIN
    SELECT frozen_on INTO v_on FROM campaign
    WHERE id = p_campaign AND state = 'building' AND started_at IS NULL;
    IF NOT FOUND THEN RAISE EXCEPTION 'Campaign % is not being built.', p_campaign; END IF;
    DELETE FROM message WHERE frozen_on = v_on AND campaign_id = p_campaign;
    GET DIAGNOSTICS v_n = ROW_COUNT;
    RETURN v_n;
END $$;
REVOKE ALL ON FUNCTION discard_audience(bigint) FROM PUBLIC;
