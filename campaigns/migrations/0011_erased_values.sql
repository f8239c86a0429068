-- What a message said to somebody goes with his number. The approval digest of a frozen audience stays
-- what it was: the digest of the values takes their place.
CREATE OR REPLACE FUNCTION campaign_audience_digest(p_campaign bigint) RETURNS bytea LANGUAGE plpgsql STABLE AS $$
DECLARE
    c campaign;
    v_digest bytea := '\x';
    v_from bigint := 0;
    v_chunk bytea;
BEGIN
    SELECT * INTO c FROM campaign WHERE id = p_campaign;
    LOOP
        SELECT string_agg(
                   int8send(m.position) || m.fingerprint || int2send(m.segment_count)
                   || coalesce(r.values_digest, sha256(convert_to(r.values::text, 'UTF8'))),
                   '' ORDER BY m.position)
        INTO v_chunk
        FROM message m JOIN recipient r ON r.id = m.recipient_id
        WHERE m.frozen_on = c.frozen_on AND m.campaign_id = c.id
          AND m.position >= v_from AND m.position < v_from + 10000;
        EXIT WHEN v_chunk IS NULL;
        v_digest := sha256(v_digest || v_chunk);
        v_from := v_from + 10000;
    END LOOP;
    RETURN v_digest;
END $$;

-- Erasing a person's number and values is allowed; changing whom or what a frozen audience says is not,
-- nor is giving an erased row a number again.
DROP TRIGGER recipient_written_once ON recipient;
CREATE TRIGGER recipient_written_once BEFORE UPDATE ON recipient FOR EACH ROW
    WHEN ((OLD.workspace_id, OLD.recipient_list_id, OLD.row_number, OLD.fingerprint)
          IS DISTINCT FROM
          (NEW.workspace_id, NEW.recipient_list_id, NEW.row_number, NEW.fingerprint)
          OR (NEW.number_sealed IS NOT NULL
              AND NEW.number_sealed IS DISTINCT FROM OLD.number_sealed)
          OR ((OLD.values, OLD.values_digest) IS DISTINCT FROM (NEW.values, NEW.values_digest)
              AND (NEW.number_sealed IS NOT NULL OR NEW.values <> '{}'
                   OR NEW.values_digest IS DISTINCT FROM coalesce(
                       OLD.values_digest, sha256(convert_to(OLD.values::text, 'UTF8'))))))
    EXECUTE FUNCTION refuse_change();

-- What was erased before.
UPDATE recipient
SET values_digest = sha256(convert_to("values"::text, 'UTF8')), "values" = '{}'
WHERE number_sealed IS NULL AND "values" <> '{}';
