-- Two partial indexes of `submission` named the state that a receipt sets, so no receipt could rewrite its row in place:
-- each cost a new entry in every index of the table. What they found is kept in a table of its own instead.
-- Senders may be at work: what they had written before the lock is seen after it, and what they write next meets the
-- trigger. Their wait is short, since both indexes still say what there is.
LOCK TABLE submission IN ACCESS EXCLUSIVE MODE;
SELECT set_config('app.workspace', '*', true);
INSERT INTO non_delivery (workspace_id, campaign_id, is_reported, position)
SELECT DISTINCT workspace_id, campaign_id, true, position FROM submission
WHERE receipt_state NOT IN ('', 'delivered', 'none');
INSERT INTO non_delivery (workspace_id, campaign_id, is_reported, position)
SELECT DISTINCT workspace_id, campaign_id, false, position FROM submission
WHERE receipt_state = 'none';
SELECT set_config('app.workspace', '', true);

CREATE FUNCTION note_non_delivery() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO non_delivery (workspace_id, campaign_id, is_reported, position)
    VALUES (NEW.workspace_id, NEW.campaign_id, NEW.receipt_state <> 'none', NEW.position)
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
CREATE TRIGGER submission_non_delivery AFTER UPDATE OF receipt_state ON submission FOR EACH ROW
    WHEN (NEW.receipt_state NOT IN ('', 'delivered')) EXECUTE FUNCTION note_non_delivery();

DROP INDEX submission_undelivered;
DROP INDEX submission_without_receipt;
