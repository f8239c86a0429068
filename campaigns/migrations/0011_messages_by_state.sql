-- The pages of messages filter by state and page by position. Each index holds only rows of rare
-- fates, so that the many that are accepted and delivered pay nothing for it.
CREATE INDEX submission_refused ON submission (campaign_id, position) WHERE kind = 'refused';
CREATE INDEX submission_suppressed ON submission (campaign_id, position) WHERE kind = 'suppressed';
CREATE INDEX submission_given_back ON submission (campaign_id, position)
    WHERE kind IN ('deferred', 'released');
CREATE INDEX submission_undelivered ON submission (campaign_id, position)
    WHERE receipt_state NOT IN ('', 'delivered', 'none');
CREATE INDEX submission_without_receipt ON submission (campaign_id, position)
    WHERE receipt_state = 'none';
