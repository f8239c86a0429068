-- A claim whose answer was lost with its connection: its living owner knows that it wrote none of it. Batches of a
-- lease are made one after the other, so what is newer than the last one that reached the owner (p_after) never did.
-- The claim may still be running where its connection was cut: it holds the lease's row, which is waited for.
CREATE OR REPLACE FUNCTION release_lost(p_lease bigint, p_epoch bigint, p_after bigint) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    b batch;
    v_count integer := 0;
BEGIN
    PERFORM 1 FROM lease WHERE id = p_lease FOR UPDATE;
    FOR b IN
        SELECT * FROM batch WHERE lease_id = p_lease AND epoch = p_epoch AND closed_at IS NULL
            AND id > p_after ORDER BY id
    LOOP
        v_count := v_count + settle_batch(b, 'released', 'the claim was not answered');
    END LOOP;
    RETURN v_count;
END $$;
