CREATE FUNCTION audit_append(_ws uuid, _eid uuid, _leaf bytea, _body text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    _id bigint;
BEGIN
    IF _leaf IS DISTINCT FROM sha256('\x00'::bytea || convert_to(_body, 'UTF8')) THEN
        RAISE EXCEPTION 'The leaf is not the hash of the event.' USING ERRCODE = 'check_violation';
    END IF;
    IF octet_length(_body) > 65536 THEN
        RAISE EXCEPTION 'An event has at most 64 KB.' USING ERRCODE = 'check_violation';
    END IF;
    IF (_body::json ->> 'ws') IS DISTINCT FROM _ws::text
       OR (_body::json ->> 'eid') IS DISTINCT FROM _eid::text THEN
        RAISE EXCEPTION 'The event names another workspace or id.' USING ERRCODE = 'check_violation';
    END IF;
    INSERT INTO public.audit_event (ws, eid, created, leaf, body)
    VALUES (_ws, _eid, clock_timestamp(), _leaf, _body)
    ON CONFLICT (eid) DO NOTHING RETURNING id INTO _id;
    IF _id IS NULL THEN
        -- The same event again (a fallback file read twice) changes nothing; another one is refused.
        PERFORM FROM public.audit_event e WHERE e.eid = _eid AND e.leaf = _leaf;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'Another event has this id.' USING ERRCODE = 'unique_violation';
        END IF;
        RETURN false;
    END IF;
    INSERT INTO public.audit_pending (event_id) VALUES (_id);
    PERFORM pg_notify('audit', '');
    RETURN true;
END $$;

CREATE FUNCTION audit_disclose(_ws uuid, _eid uuid, _field text, _salt bytea, _value text)
RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM FROM public.audit_event e
    WHERE e.eid = _eid AND e.ws = _ws AND (e.body::json -> 'pd' ->> _field) IS NOT NULL;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'No event commits to this value.' USING ERRCODE = 'check_violation';
    END IF;
    INSERT INTO audit_private.audit_disclosure (ws, eid, field, salt, value)
    VALUES (_ws, _eid, _field, _salt, _value);
END $$;

CREATE FUNCTION audit_disclosures(_ws uuid)
RETURNS TABLE (eid uuid, field text, salt bytea, value text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT d.eid, d.field, d.salt, d.value FROM audit_private.audit_disclosure d WHERE d.ws = _ws
$$;

-- Which entries of a chain still keep a value, for those who were asked to erase it. It answers for
-- one value that the caller knows already, and shows none.
CREATE FUNCTION audit_holding(_ws uuid, _value text) RETURNS TABLE (seq bigint, field text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT n.seq, d.field
    FROM audit_private.audit_disclosure d
    JOIN public.audit_event e ON e.eid = d.eid
    JOIN public.audit_entry n ON n.event_id = e.id
    WHERE d.ws = _ws AND d.value = _value
    ORDER BY n.seq, d.field
$$;

CREATE FUNCTION audit_open_chain(_ws uuid, _created timestamptz) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    _slot integer;
    _install uuid;
    _stamp text := to_char(_created AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"');
BEGIN
    -- Held to the end of the transaction: slots are dense because the next opener waits for us.
    PERFORM pg_advisory_xact_lock(hashtextextended('audit_open_chain', 0));
    SELECT h.slot INTO _slot FROM public.audit_head h WHERE h.ws = _ws;
    IF FOUND THEN
        RETURN _slot;
    END IF;
    SELECT coalesce(max(h.slot) + 1, 0) INTO _slot FROM public.audit_head h;
    SELECT h.ws INTO _install FROM public.audit_head h WHERE h.slot = 0;
    INSERT INTO public.audit_head (ws, slot, seq, hash, created)
    VALUES (_ws, _slot, 0, sha256(convert_to(
        concat_ws(E'\n', 'smsc-audit-genesis/v1', coalesce(_install, _ws), _ws, _slot, _stamp)
        || E'\n', 'UTF8')), _created);
    RETURN _slot;
END $$;

CREATE FUNCTION audit_publish_note(_epoch bigint, _note text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    UPDATE public.audit_epoch SET note = _note WHERE epoch = _epoch AND note IS NULL;
    IF NOT FOUND THEN
        PERFORM FROM public.audit_epoch WHERE epoch = _epoch AND note = _note;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'This epoch does not wait for a note.' USING ERRCODE = 'check_violation';
        END IF;
    END IF;
END $$;

-- The signer publishes a key as it publishes a note: once, and never another one in its place.
CREATE FUNCTION audit_publish_key(_key text, _first_epoch bigint, _note text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO public.audit_log_key (key, first_epoch, note, published_at)
    VALUES (_key, _first_epoch, _note, clock_timestamp())
    ON CONFLICT (key) DO NOTHING;
    PERFORM FROM public.audit_log_key
    WHERE key = _key AND first_epoch = _first_epoch AND note = _note;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'This key was published otherwise.' USING ERRCODE = 'check_violation';
    END IF;
END $$;

REVOKE ALL ON FUNCTION audit_append(uuid, uuid, bytea, text) FROM PUBLIC;
REVOKE ALL ON FUNCTION audit_disclose(uuid, uuid, text, bytea, text) FROM PUBLIC;
REVOKE ALL ON FUNCTION audit_disclosures(uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION audit_holding(uuid, text) FROM PUBLIC;
REVOKE ALL ON FUNCTION audit_open_chain(uuid, timestamptz) FROM PUBLIC;
REVOKE ALL ON FUNCTION audit_publish_note(bigint, text) FROM PUBLIC;
REVOKE ALL ON FUNCTION audit_publish_key(text, bigint, text) FROM PUBLIC;
