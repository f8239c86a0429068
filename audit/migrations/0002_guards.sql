CREATE FUNCTION audit_refuse() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RAISE EXCEPTION 'The audit log only grows: % of % is refused.', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END $$;

-- An event never changes, and goes only when this transaction keeps its leaf.
CREATE FUNCTION audit_only_pruned() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        PERFORM FROM public.audit_pruned p
        WHERE p.event_id = OLD.id AND p.leaf = OLD.leaf AND p.xact = pg_current_xact_id();
        IF FOUND THEN
            RETURN OLD;
        END IF;
    END IF;
    RAISE EXCEPTION 'The audit log only grows: % of % is refused.', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END $$;

-- A value goes only in a transaction that says so in its chain.
CREATE FUNCTION audit_only_erased() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM FROM public.audit_pending p JOIN public.audit_event e ON e.id = p.event_id
    WHERE p.xact = pg_current_xact_id() AND e.ws = OLD.ws
      AND e.op IN ('pd.erase', 'retention.prune');
    IF FOUND THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'Values are erased with an entry that says so.'
        USING ERRCODE = 'insufficient_privilege';
END $$;

CREATE FUNCTION audit_only_the_first_note() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NEW.epoch = OLD.epoch AND NEW.body = OLD.body AND OLD.note IS NULL THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'An epoch never changes.' USING ERRCODE = 'insufficient_privilege';
END $$;

CREATE FUNCTION audit_only_forward() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NEW.seq > OLD.seq AND (NEW.ws, NEW.slot, NEW.created) = (OLD.ws, OLD.slot, OLD.created) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'A chain only grows.' USING ERRCODE = 'insufficient_privilege';
END $$;

REVOKE ALL ON FUNCTION audit_only_pruned() FROM PUBLIC;
REVOKE ALL ON FUNCTION audit_only_erased() FROM PUBLIC;

CREATE TRIGGER audit_no_change BEFORE UPDATE OR DELETE ON audit_event
    FOR EACH ROW EXECUTE FUNCTION audit_only_pruned();
CREATE TRIGGER audit_no_change BEFORE UPDATE OR DELETE ON audit_entry
    FOR EACH ROW EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_forward BEFORE UPDATE ON audit_head
    FOR EACH ROW EXECUTE FUNCTION audit_only_forward();
CREATE TRIGGER audit_no_change BEFORE DELETE ON audit_head
    FOR EACH ROW EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_one_note BEFORE UPDATE ON audit_epoch
    FOR EACH ROW EXECUTE FUNCTION audit_only_the_first_note();
CREATE TRIGGER audit_no_change BEFORE DELETE ON audit_epoch
    FOR EACH ROW EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_no_change BEFORE UPDATE OR DELETE ON audit_epoch_change
    FOR EACH ROW EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_no_change BEFORE UPDATE ON audit_private.audit_disclosure
    FOR EACH ROW EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_with_an_entry BEFORE DELETE ON audit_private.audit_disclosure
    FOR EACH ROW EXECUTE FUNCTION audit_only_erased();
CREATE TRIGGER audit_no_change BEFORE UPDATE OR DELETE ON audit_pruned
    FOR EACH ROW EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_no_change BEFORE UPDATE OR DELETE ON audit_anchor_receipt
    FOR EACH ROW EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_no_change BEFORE UPDATE OR DELETE ON audit_log_key
    FOR EACH ROW EXECUTE FUNCTION audit_refuse();

CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON audit_event
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON audit_pending
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON audit_entry
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON audit_head
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON audit_epoch
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON audit_epoch_change
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON audit_private.audit_disclosure
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON audit_pruned
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON audit_anchor_receipt
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON audit_log_key
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();

-- ENABLE ALWAYS fires under session_replication_role = replica too. A superuser can still disable a
-- trigger, and re-enabling leaves it as 'O' instead of 'A': verify_audit looks at that.
ALTER TABLE audit_event ENABLE ALWAYS TRIGGER audit_no_change;
ALTER TABLE audit_event ENABLE ALWAYS TRIGGER audit_no_truncate;
ALTER TABLE audit_pending ENABLE ALWAYS TRIGGER audit_no_truncate;
ALTER TABLE audit_entry ENABLE ALWAYS TRIGGER audit_no_change;
ALTER TABLE audit_entry ENABLE ALWAYS TRIGGER audit_no_truncate;
ALTER TABLE audit_head ENABLE ALWAYS TRIGGER audit_forward;
ALTER TABLE audit_head ENABLE ALWAYS TRIGGER audit_no_change;
ALTER TABLE audit_head ENABLE ALWAYS TRIGGER audit_no_truncate;
ALTER TABLE audit_epoch ENABLE ALWAYS TRIGGER audit_one_note;
ALTER TABLE audit_epoch ENABLE ALWAYS TRIGGER audit_no_change;
ALTER TABLE audit_epoch ENABLE ALWAYS TRIGGER audit_no_truncate;
ALTER TABLE audit_epoch_change ENABLE ALWAYS TRIGGER audit_no_change;
ALTER TABLE audit_epoch_change ENABLE ALWAYS TRIGGER audit_no_truncate;
ALTER TABLE audit_private.audit_disclosure ENABLE ALWAYS TRIGGER audit_no_change;
ALTER TABLE audit_private.audit_disclosure ENABLE ALWAYS TRIGGER audit_with_an_entry;
ALTER TABLE audit_private.audit_disclosure ENABLE ALWAYS TRIGGER audit_no_truncate;
ALTER TABLE audit_pruned ENABLE ALWAYS TRIGGER audit_no_change;
ALTER TABLE audit_pruned ENABLE ALWAYS TRIGGER audit_no_truncate;
ALTER TABLE audit_anchor_receipt ENABLE ALWAYS TRIGGER audit_no_change;
ALTER TABLE audit_anchor_receipt ENABLE ALWAYS TRIGGER audit_no_truncate;
ALTER TABLE audit_log_key ENABLE ALWAYS TRIGGER audit_no_change;
ALTER TABLE audit_log_key ENABLE ALWAYS TRIGGER audit_no_truncate;
