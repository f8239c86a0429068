-- Messages, submissions and receipts by month, so that retention drops partitions.
CREATE TABLE message (
    frozen_on date NOT NULL,
    workspace_id bigint NOT NULL,
    campaign_id bigint NOT NULL,
    position bigint NOT NULL,
    recipient_id bigint NOT NULL,
    fingerprint bytea NOT NULL,
    segment_count smallint NOT NULL CHECK (segment_count BETWEEN 1 AND 255),
    PRIMARY KEY (frozen_on, campaign_id, position)
) PARTITION BY RANGE (frozen_on);
CREATE INDEX message_fingerprint ON message (workspace_id, fingerprint);

-- A submission is rewritten once, by its receipt: half of each page of its partitions is kept for that.
-- A resent attempt was unknown until two people decided to send its segment again; the new attempt counts.
-- The evidence says how an unknown attempt was settled: by a late response, a receipt, or the SMSC's call records.
CREATE TABLE submission (
    batch_on date NOT NULL,
    batch_id bigint NOT NULL,
    workspace_id bigint NOT NULL,
    campaign_id bigint NOT NULL,
    position bigint NOT NULL,
    part smallint NOT NULL,
    part_count smallint NOT NULL,
    connection_id bigint NOT NULL,
    kind varchar(10) NOT NULL CHECK (
        kind IN ('submitted', 'refused', 'deferred', 'released', 'unknown', 'suppressed', 'resent')),
    status integer NOT NULL DEFAULT 0,
    cause varchar(60) NOT NULL DEFAULT '',
    smsc_id varchar(65) NOT NULL DEFAULT '',
    happened_at timestamptz NOT NULL,
    evidence varchar(10) NOT NULL DEFAULT '',
    receipt_state varchar(16) NOT NULL DEFAULT '',
    receipt_error varchar(20) NOT NULL DEFAULT '',
    receipt_at timestamptz,
    PRIMARY KEY (batch_on, batch_id, position, part)
) PARTITION BY RANGE (batch_on);
CREATE INDEX submission_of_message ON submission (campaign_id, position, part);
CREATE INDEX submission_by_smsc_id ON submission (connection_id, smsc_id) WHERE smsc_id <> '';
CREATE INDEX submission_in_time ON submission USING brin (happened_at)
    WITH (pages_per_range = 32, autosummarize = on);
-- The pages of messages filter by state and page by position. Each index holds only rows of rare
-- fates, so that the many that are accepted and delivered pay nothing for it.
CREATE INDEX submission_unknown ON submission (campaign_id, position) WHERE kind = 'unknown';
CREATE INDEX submission_refused ON submission (campaign_id, position) WHERE kind = 'refused';
CREATE INDEX submission_suppressed ON submission (campaign_id, position) WHERE kind = 'suppressed';
CREATE INDEX submission_given_back ON submission (campaign_id, position)
    WHERE kind IN ('deferred', 'released');
CREATE INDEX submission_undelivered ON submission (campaign_id, position)
    WHERE receipt_state NOT IN ('', 'delivered', 'none');
CREATE INDEX submission_without_receipt ON submission (campaign_id, position)
    WHERE receipt_state = 'none';
CREATE INDEX submission_unknown_since ON submission (happened_at) WHERE kind = 'unknown';
CREATE INDEX submission_resent ON submission (campaign_id, position) WHERE kind = 'resent';

-- A receipt also keeps whom it is about: with a lost answer that may be all there is to match by.
-- The subscriber as our keyed fingerprint, never the number.
CREATE SEQUENCE receipt_id_seq;
CREATE TABLE receipt (
    received_on date NOT NULL DEFAULT (now() AT TIME ZONE 'UTC')::date,
    id bigint NOT NULL DEFAULT nextval('receipt_id_seq'),
    connection_id bigint NOT NULL,
    smsc_id varchar(65) NOT NULL,
    state varchar(16) NOT NULL,
    error varchar(20) NOT NULL DEFAULT '',
    reference integer NOT NULL DEFAULT 0,
    fingerprint bytea,
    sender varchar(21) NOT NULL DEFAULT '',
    is_unmarked boolean NOT NULL DEFAULT false,
    raw bytea NOT NULL,
    received_at timestamptz NOT NULL,
    result varchar(10) NOT NULL DEFAULT '' CHECK (
        result IN ('', 'applied', 'repeated', 'interim', 'orphan', 'settled')),
    look_at timestamptz,
    PRIMARY KEY (received_on, id)
) PARTITION BY RANGE (received_on);
ALTER SEQUENCE receipt_id_seq OWNED BY receipt.id;
CREATE INDEX receipt_waiting ON receipt (id) WHERE result = '';
CREATE INDEX receipt_orphan ON receipt (connection_id, smsc_id) WHERE result = 'orphan';
CREATE INDEX receipt_unmatched ON receipt (connection_id, fingerprint) WHERE result = 'orphan';
CREATE INDEX receipt_to_look_at ON receipt (look_at) WHERE result = 'orphan' AND look_at IS NOT NULL;

-- What was accepted before since_at has its receipt or waits no more. All that moves it holds only_one_settles.
INSERT INTO receipts_awaited (id, since_at) VALUES (1, clock_timestamp());

-- Rows that change many times a second are rewritten in place when their page has room.
ALTER TABLE queued_segment SET (fillfactor = 20);

-- Rows of an import land here by COPY, which row-level security does not allow into tenant tables.
-- Numbers in it are sealed already; a crash loses at most the chunk under way, which is imported again.
CREATE UNLOGGED TABLE staged_recipient (
    recipient_list_id bigint NOT NULL,
    row_number bigint NOT NULL,
    fingerprint bytea NOT NULL,
    number_sealed bytea NOT NULL,
    values jsonb NOT NULL
);
CREATE INDEX staged_recipient_of_list ON staged_recipient (recipient_list_id);

-- A row whose month has no partition yet must not be refused: it waits in the default one.
CREATE TABLE message_default PARTITION OF message DEFAULT;
CREATE TABLE submission_default PARTITION OF submission DEFAULT WITH (fillfactor = 50);
CREATE TABLE receipt_default PARTITION OF receipt DEFAULT;

-- The runtime role may not create tables; it may ask for the partitions of a month, which the owner makes.
CREATE FUNCTION ensure_partitions(p_month date) RETURNS integer
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
REVOKE ALL ON FUNCTION ensure_partitions(date) FROM PUBLIC;
SELECT ensure_partitions((now() AT TIME ZONE 'UTC')::date);
SELECT ensure_partitions(((now() AT TIME ZONE 'UTC') + interval '1 month')::date);
