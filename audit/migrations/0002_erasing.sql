-- Values whose erasing this very transaction records: the event names them, nobody chooses others.
CREATE FUNCTION audit_erase(_ws uuid, _eid uuid) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    _erased json;
    _count integer;
BEGIN
    SELECT e.body::json -> 'erased' INTO _erased
    FROM public.audit_event e JOIN public.audit_pending p ON p.event_id = e.id
    WHERE e.eid = _eid AND e.ws = _ws AND e.op = 'pd.erase' AND e.result = 'ok'
      AND p.xact = pg_current_xact_id();
    IF NOT FOUND THEN
        RAISE EXCEPTION 'Only what this transaction records as erased is erased.'
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    PERFORM FROM json_to_recordset(_erased) AS x (field text, seq bigint)
    LEFT JOIN public.audit_entry n ON n.ws = _ws AND n.seq = x.seq
    LEFT JOIN public.audit_event e ON e.id = n.event_id
    WHERE (e.body::json -> 'pd' ->> x.field) IS NULL;
    IF FOUND THEN
        RAISE EXCEPTION 'An entry has no such value.' USING ERRCODE = 'check_violation';
    END IF;
    DELETE FROM audit_private.audit_disclosure d
    USING json_to_recordset(_erased) AS x (field text, seq bigint)
    JOIN public.audit_entry n ON n.ws = _ws AND n.seq = x.seq
    JOIN public.audit_event e ON e.id = n.event_id
    WHERE d.eid = e.eid AND d.field = x.field;
    GET DIAGNOSTICS _count = ROW_COUNT;
    RETURN _count;
END $$;

-- Which of an entry's values are still kept; never the values.
CREATE FUNCTION audit_kept(_ws uuid, _eid uuid) RETURNS SETOF text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT d.field FROM audit_private.audit_disclosure d WHERE d.ws = _ws AND d.eid = _eid
$$;

-- The beginning of a chain, up to the entry that the event of this transaction names. Only what a
-- published checkpoint covers and what is older than a year; what says that entries were removed
-- stays. What sealed messages stays for the term of their evidence (audit/rules/segments.py): while
-- their keys are kept a single message must lead to the chain.
CREATE FUNCTION audit_prune(_ws uuid, _eid uuid) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    _last bigint;
    _signed bigint;
    _count integer;
BEGIN
    SELECT (e.body::json #>> '{diff,last,1}')::bigint INTO _last
    FROM public.audit_event e JOIN public.audit_pending p ON p.event_id = e.id
    WHERE e.eid = _eid AND e.ws = _ws AND e.op = 'retention.prune' AND e.result = 'ok'
      AND p.xact = pg_current_xact_id();
    IF _last IS NULL THEN
        RAISE EXCEPTION 'Only what this transaction records as removed is removed.'
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    SELECT max(c.seq) INTO _signed
    FROM public.audit_epoch_change c JOIN public.audit_head h ON h.slot = c.slot AND h.ws = _ws
    WHERE c.epoch <= (SELECT max(e.epoch) FROM public.audit_epoch e WHERE e.note IS NOT NULL);
    PERFORM FROM public.audit_entry n
    WHERE n.ws = _ws AND n.seq = _last AND n.seq <= _signed
      AND n.at < clock_timestamp() - interval '1 year';
    IF NOT FOUND THEN
        RAISE EXCEPTION 'Only entries under a checkpoint and older than a year are removed.'
            USING ERRCODE = 'check_violation';
    END IF;
    INSERT INTO public.audit_pruned (event_id, eid, leaf)
    SELECT e.id, e.eid, e.leaf
    FROM public.audit_entry n JOIN public.audit_event e ON e.id = n.event_id
    WHERE n.ws = _ws AND n.seq <= _last AND e.op <> 'retention.prune'
      AND NOT (e.op = 'messages.sealed' AND n.at >= clock_timestamp() - interval '1096 days');
    DELETE FROM audit_private.audit_disclosure d USING public.audit_pruned p
    WHERE p.xact = pg_current_xact_id() AND d.eid = p.eid;
    DELETE FROM public.audit_event e USING public.audit_pruned p
    WHERE p.xact = pg_current_xact_id() AND e.id = p.event_id;
    GET DIAGNOSTICS _count = ROW_COUNT;
    RETURN _count;
END $$;

REVOKE ALL ON FUNCTION audit_erase(uuid, uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION audit_kept(uuid, uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION audit_prune(uuid, uuid) FROM PUBLIC;
