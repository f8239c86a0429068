"""The only ways in, the guards against every way back, and who sees which rows.

The runtime role holds no right to write any of these tables. It may execute functions that run as
their owner, with a fixed search path and for nobody by default.
"""

from django.db import migrations

FUNCTIONS = r"""
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

REVOKE ALL ON FUNCTION audit_append(uuid, uuid, bytea, text) FROM PUBLIC;
REVOKE ALL ON FUNCTION audit_disclose(uuid, uuid, text, bytea, text) FROM PUBLIC;
REVOKE ALL ON FUNCTION audit_disclosures(uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION audit_open_chain(uuid, timestamptz) FROM PUBLIC;
REVOKE ALL ON FUNCTION audit_publish_note(bigint, text) FROM PUBLIC;
"""

NO_FUNCTIONS = """
DROP FUNCTION audit_append(uuid, uuid, bytea, text);
DROP FUNCTION audit_disclose(uuid, uuid, text, bytea, text);
DROP FUNCTION audit_disclosures(uuid);
DROP FUNCTION audit_open_chain(uuid, timestamptz);
DROP FUNCTION audit_publish_note(bigint, text);
"""

# ENABLE ALWAYS fires under session_replication_role = replica too. A superuser can still disable a
# trigger, and re-enabling leaves it as 'O' instead of 'A': verify_audit looks at that.
GUARDS = """
CREATE FUNCTION audit_refuse() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RAISE EXCEPTION 'The audit log only grows: % of % is refused.', TG_OP, TG_TABLE_NAME
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

CREATE TRIGGER audit_no_change BEFORE UPDATE OR DELETE ON audit_event
    FOR EACH ROW EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_no_change BEFORE UPDATE OR DELETE ON audit_entry
    FOR EACH ROW EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_no_change BEFORE UPDATE OR DELETE ON audit_epoch_change
    FOR EACH ROW EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_no_change BEFORE DELETE ON audit_epoch
    FOR EACH ROW EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_one_note BEFORE UPDATE ON audit_epoch
    FOR EACH ROW EXECUTE FUNCTION audit_only_the_first_note();
CREATE TRIGGER audit_no_change BEFORE DELETE ON audit_head
    FOR EACH ROW EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_forward BEFORE UPDATE ON audit_head
    FOR EACH ROW EXECUTE FUNCTION audit_only_forward();
CREATE TRIGGER audit_no_change BEFORE UPDATE ON audit_private.audit_disclosure
    FOR EACH ROW EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON audit_event
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON audit_entry
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON audit_epoch_change
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON audit_epoch
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON audit_head
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON audit_pending
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();

ALTER TABLE audit_event ENABLE ALWAYS TRIGGER audit_no_change;
ALTER TABLE audit_entry ENABLE ALWAYS TRIGGER audit_no_change;
ALTER TABLE audit_epoch_change ENABLE ALWAYS TRIGGER audit_no_change;
ALTER TABLE audit_epoch ENABLE ALWAYS TRIGGER audit_no_change;
ALTER TABLE audit_epoch ENABLE ALWAYS TRIGGER audit_one_note;
ALTER TABLE audit_head ENABLE ALWAYS TRIGGER audit_no_change;
ALTER TABLE audit_head ENABLE ALWAYS TRIGGER audit_forward;
ALTER TABLE audit_private.audit_disclosure ENABLE ALWAYS TRIGGER audit_no_change;
ALTER TABLE audit_event ENABLE ALWAYS TRIGGER audit_no_truncate;
ALTER TABLE audit_entry ENABLE ALWAYS TRIGGER audit_no_truncate;
ALTER TABLE audit_epoch_change ENABLE ALWAYS TRIGGER audit_no_truncate;
ALTER TABLE audit_epoch ENABLE ALWAYS TRIGGER audit_no_truncate;
ALTER TABLE audit_head ENABLE ALWAYS TRIGGER audit_no_truncate;
ALTER TABLE audit_pending ENABLE ALWAYS TRIGGER audit_no_truncate;
"""

NO_GUARDS = """
DROP FUNCTION audit_refuse() CASCADE;
DROP FUNCTION audit_only_the_first_note() CASCADE;
DROP FUNCTION audit_only_forward() CASCADE;
"""

# Not forced: the owner's functions write for every workspace. Nobody else owns these tables, and what
# each role may do at all is a matter of grants, never of policies.
SCOPE = """
ALTER TABLE audit_event ENABLE ROW LEVEL SECURITY;
CREATE POLICY workspace_only ON audit_event USING (
    (SELECT current_setting('app.workspace_uuid', true)) = '*' OR ws =
    (SELECT nullif(nullif(current_setting('app.workspace_uuid', true), ''), '*')::uuid));
ALTER TABLE audit_entry ENABLE ROW LEVEL SECURITY;
CREATE POLICY workspace_only ON audit_entry USING (
    (SELECT current_setting('app.workspace_uuid', true)) = '*' OR ws =
    (SELECT nullif(nullif(current_setting('app.workspace_uuid', true), ''), '*')::uuid));
ALTER TABLE audit_head ENABLE ROW LEVEL SECURITY;
CREATE POLICY workspace_only ON audit_head USING (
    (SELECT current_setting('app.workspace_uuid', true)) = '*' OR ws =
    (SELECT nullif(nullif(current_setting('app.workspace_uuid', true), ''), '*')::uuid));
ALTER TABLE audit_epoch_change ENABLE ROW LEVEL SECURITY;
CREATE POLICY workspace_only ON audit_epoch_change USING (
    (SELECT current_setting('app.workspace_uuid', true)) = '*'
    OR slot IN (SELECT h.slot FROM audit_head h));
"""

NO_SCOPE = """
DROP POLICY workspace_only ON audit_epoch_change;
ALTER TABLE audit_epoch_change DISABLE ROW LEVEL SECURITY;
DROP POLICY workspace_only ON audit_head;
ALTER TABLE audit_head DISABLE ROW LEVEL SECURITY;
DROP POLICY workspace_only ON audit_entry;
ALTER TABLE audit_entry DISABLE ROW LEVEL SECURITY;
DROP POLICY workspace_only ON audit_event;
ALTER TABLE audit_event DISABLE ROW LEVEL SECURITY;
"""


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_append_only_tables")]

    operations = [
        migrations.RunSQL(FUNCTIONS, NO_FUNCTIONS),
        migrations.RunSQL(GUARDS, NO_GUARDS),
        migrations.RunSQL(SCOPE, NO_SCOPE),
    ]
