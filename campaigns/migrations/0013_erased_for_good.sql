-- The digest that stood for an erased row's values was of the values alone: whoever guessed them could
-- confirm the guess. Now the sealed number is in it, whose nonce is random, and which goes with the row:
-- what is left answers no guess, nor does the digest of the whole audience.
-- An audience that was frozen before is still hashed as it was then (p_with_numbers = false). Had one of
-- its numbers been erased and it has not begun, it is held: that digest is gone.
DROP FUNCTION campaign_audience_digest(bigint);
CREATE FUNCTION campaign_audience_digest(p_campaign bigint, p_with_numbers boolean DEFAULT true)
RETURNS bytea LANGUAGE plpgsql STABLE AS $$
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
                   || coalesce(r.values_digest, CASE WHEN p_with_numbers THEN
                          sha256(coalesce(r.number_sealed, '')
                                 || sha256(convert_to(r.values::text, 'UTF8')))
                          ELSE sha256(convert_to(r.values::text, 'UTF8')) END),
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

-- Rows that were erased before, in all workspaces.
DROP TRIGGER recipient_written_once ON recipient;
SELECT set_config('app.workspace', '*', true);
UPDATE recipient SET "values" = '{}', values_digest = NULL
WHERE number_sealed IS NULL AND ("values" <> '{}' OR values_digest IS NOT NULL);
SELECT set_config('app.workspace', '', true);

-- Erasing a number erases its row, whoever does it.
CREATE FUNCTION recipient_erased() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.values_digest :=
        sha256(OLD.number_sealed || sha256(convert_to(OLD.values::text, 'UTF8')));
    NEW.values := '{}';
    RETURN NEW;
END $$;
CREATE TRIGGER recipient_erased BEFORE UPDATE ON recipient FOR EACH ROW
    WHEN (OLD.number_sealed IS NOT NULL AND NEW.number_sealed IS NULL)
    EXECUTE FUNCTION recipient_erased();

-- Changing whom or what a frozen audience says is not allowed, nor is giving an erased row a number again.
CREATE TRIGGER recipient_written_once BEFORE UPDATE ON recipient FOR EACH ROW
    WHEN ((OLD.workspace_id, OLD.recipient_list_id, OLD.row_number, OLD.fingerprint)
          IS DISTINCT FROM
          (NEW.workspace_id, NEW.recipient_list_id, NEW.row_number, NEW.fingerprint)
          OR (NEW.number_sealed IS NOT NULL
              AND NEW.number_sealed IS DISTINCT FROM OLD.number_sealed)
          OR ((OLD.values, OLD.values_digest) IS DISTINCT FROM (NEW.values, NEW.values_digest)
              AND NOT (OLD.number_sealed IS NOT NULL AND NEW.number_sealed IS NULL)))
    EXECUTE FUNCTION refuse_change();
