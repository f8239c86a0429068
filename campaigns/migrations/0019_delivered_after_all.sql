-- After a long silence of a network receipts are given up by the thousand and come after all: pages that look for
-- messages without one would pass over as many that have it.
-- It writes as the owner does: the runtime role only reads, and needs no right that a new release has yet to grant.
DROP TRIGGER submission_non_delivery ON submission;
CREATE OR REPLACE FUNCTION note_non_delivery() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    v_was_reported boolean := OLD.receipt_state <> 'none';
BEGIN
    IF OLD.receipt_state NOT IN ('', 'delivered') THEN
        DELETE FROM non_delivery n
        WHERE n.campaign_id = OLD.campaign_id AND n.is_reported = v_was_reported AND n.position = OLD.position
          AND NOT EXISTS (
              SELECT 1 FROM submission s
              WHERE s.campaign_id = OLD.campaign_id AND s.position = OLD.position
                AND s.receipt_state NOT IN ('', 'delivered') AND (s.receipt_state <> 'none') = v_was_reported);
    END IF;
    IF NEW.receipt_state NOT IN ('', 'delivered') THEN
        INSERT INTO non_delivery (workspace_id, campaign_id, is_reported, position)
        VALUES (NEW.workspace_id, NEW.campaign_id, NEW.receipt_state <> 'none', NEW.position)
        ON CONFLICT DO NOTHING;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER submission_non_delivery AFTER UPDATE OF receipt_state ON submission FOR EACH ROW
    WHEN (OLD.receipt_state NOT IN ('', 'delivered') OR NEW.receipt_state NOT IN ('', 'delivered'))
    EXECUTE FUNCTION note_non_delivery();
