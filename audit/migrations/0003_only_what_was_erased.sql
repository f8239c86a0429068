-- A value goes only in a transaction that says so in its chain. An attempt that was refused says
-- that nothing went.
CREATE OR REPLACE FUNCTION audit_only_erased() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM FROM public.audit_pending p JOIN public.audit_event e ON e.id = p.event_id
    WHERE p.xact = pg_current_xact_id() AND e.ws = OLD.ws AND e.result = 'ok'
      AND e.op IN ('pd.erase', 'retention.prune');
    IF FOUND THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'Values are erased with an entry that says so.'
        USING ERRCODE = 'insufficient_privilege';
END $$;
