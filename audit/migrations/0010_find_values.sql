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
REVOKE ALL ON FUNCTION audit_holding(uuid, text) FROM PUBLIC;
