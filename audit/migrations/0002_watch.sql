-- What the critical tables call when they change: a change that no verb recorded records itself.
-- Each app puts the triggers on its own tables (audit/rules/watched.py).

-- A value in canonical JSON: whole numbers, true, false and null as they are, all else as text.
CREATE FUNCTION audit_value(_value jsonb) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE
        WHEN _value IS NULL THEN 'null'
        WHEN jsonb_typeof(_value) IN ('null', 'boolean') THEN _value::text
        WHEN jsonb_typeof(_value) = 'number' AND _value::text ~ '^-?[0-9]{1,15}$' THEN _value::text
        ELSE to_json(left(normalize(_value #>> '{}', NFC), 200))::text
    END
$$;

-- The columns in which two rows differ, field -> [before, after], in canonical JSON.
CREATE FUNCTION audit_sides(_old jsonb, _new jsonb, _hidden text[]) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT '{' || coalesce(string_agg(
        to_json(k.key)::text || ':[' || CASE WHEN k.key = ANY (_hidden) THEN
            CASE WHEN k.old = 'null' THEN 'null' ELSE '"left out"' END || ',' ||
            CASE WHEN k.new = 'null' THEN 'null' ELSE '"left out"' END
        ELSE public.audit_value(k.old) || ',' || public.audit_value(k.new) END || ']',
        ',' ORDER BY k.key COLLATE "C"), '') || '}'
    FROM (
        SELECT key, coalesce(o.value, 'null') AS old, coalesce(n.value, 'null') AS new
        FROM jsonb_each(coalesce(_old, '{}')) o FULL JOIN jsonb_each(coalesce(_new, '{}')) n
            USING (key)
    ) k
    WHERE k.old <> k.new
$$;

-- A workspace's chain, or the system's; null before the installation.
CREATE FUNCTION audit_chain_of(_workspace_id bigint) RETURNS uuid
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN coalesce(
        (SELECT w.uuid FROM public.workspace w WHERE w.id = _workspace_id),
        (SELECT h.ws FROM public.audit_head h WHERE h.slot = 0));
END $$;

-- Arguments: type of object, prefix of its id, column of its id, operation, operations that account
-- for a change (LIKE, with commas), workspace or system, columns whose values are left out, columns
-- whose updates are nobody's decision (when a key was used last).
CREATE FUNCTION audit_watch() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    _most CONSTANT integer := 20;
    _accounts text[] := string_to_array(TG_ARGV[4], ',');
    _hidden text[] := string_to_array(TG_ARGV[6], ',');
    _idle text[] := string_to_array(coalesce(TG_ARGV[7], ''), ',');
    _place text := CASE TG_ARGV[5] WHEN 'system' THEN '' ELSE 'workspace_id' END;
    _deed text := TG_OP || ' of ' || TG_TABLE_NAME;
    _count bigint;
    _columns text[];
BEGIN
    IF public.audit_chain_of(NULL) IS NULL THEN
        RETURN NULL;
    END IF;
    IF TG_OP = 'TRUNCATE' THEN
        INSERT INTO public.audit_outside (ws, op, accounts, obj_type, obj_id, deed, diff)
        VALUES (public.audit_chain_of(NULL), TG_ARGV[3], _accounts, TG_ARGV[0],
            TG_ARGV[1] || '_many', _deed, '{"rows":["all",0]}');
        RETURN NULL;
    END IF;
    IF TG_OP = 'DELETE' THEN
        SELECT count(*) INTO _count FROM old_rows;
    ELSE
        SELECT count(*) INTO _count FROM new_rows;
    END IF;
    IF _count = 0 THEN
        RETURN NULL;
    END IF;
    IF _count <= _most THEN
        -- A row each, with what changed in it.
        CASE TG_OP
        WHEN 'INSERT' THEN
            INSERT INTO public.audit_outside (ws, op, accounts, obj_type, obj_id, deed, diff)
            SELECT public.audit_chain_of((r.new ->> _place)::bigint), TG_ARGV[3], _accounts,
                TG_ARGV[0], TG_ARGV[1] || '_' || (r.new ->> TG_ARGV[2]), _deed,
                public.audit_sides(NULL, r.new, _hidden)
            FROM (SELECT to_jsonb(n) AS new FROM new_rows n) r;
        WHEN 'DELETE' THEN
            INSERT INTO public.audit_outside (ws, op, accounts, obj_type, obj_id, deed, diff)
            SELECT public.audit_chain_of((r.old ->> _place)::bigint), TG_ARGV[3], _accounts,
                TG_ARGV[0], TG_ARGV[1] || '_' || (r.old ->> TG_ARGV[2]), _deed,
                public.audit_sides(r.old, NULL, _hidden)
            FROM (SELECT to_jsonb(o) AS old FROM old_rows o) r;
        ELSE
            -- In both workspaces' chains where a row changed hands.
            INSERT INTO public.audit_outside (ws, op, accounts, obj_type, obj_id, deed, diff)
            SELECT DISTINCT public.audit_chain_of((side.said ->> _place)::bigint),
                TG_ARGV[3], _accounts, TG_ARGV[0], TG_ARGV[1] || '_' || (side.said ->> TG_ARGV[2]),
                _deed, public.audit_sides(r.old, r.new, _hidden)
            FROM (SELECT to_jsonb(o) - _idle AS old, to_jsonb(n) - _idle AS new
                  FROM old_rows o FULL JOIN new_rows n ON n.id = o.id) r
            CROSS JOIN LATERAL (VALUES (r.old), (r.new)) AS side (said)
            WHERE r.old IS DISTINCT FROM r.new AND side.said IS NOT NULL;
        END CASE;
        RETURN NULL;
    END IF;
    -- Many rows: one entry a chain, with the first ids. What changed in each would cost a verb that
    -- inserts thousands more than the insert.
    IF TG_OP = 'UPDATE' THEN
        SELECT array_agg(DISTINCT c.key ORDER BY c.key) INTO _columns
        FROM (SELECT to_jsonb(o) - _idle AS old, to_jsonb(n) - _idle AS new
              FROM old_rows o FULL JOIN new_rows n ON n.id = o.id) r
        CROSS JOIN LATERAL jsonb_each(coalesce(r.old, r.new)) c
        WHERE r.old -> c.key IS DISTINCT FROM r.new -> c.key;
        IF _columns IS NULL THEN
            RETURN NULL;
        END IF;
    END IF;
    EXECUTE format(
        'INSERT INTO public.audit_outside (ws, op, accounts, obj_type, obj_id, deed, diff)
        SELECT public.audit_chain_of(g.place), $1, $2, $3, $4, $5, concat(
            ''{"columns":[null,'', $6, ''],"ids":[null,'', to_json(g.ids[1:100]),
            ''],"rows":[null,'', g.n, '']}'')
        FROM (SELECT r.place, count(*) AS n, array_agg(r.id ORDER BY r.id) AS ids
              FROM (%s) r GROUP BY r.place) g',
        replace(CASE TG_OP
            WHEN 'INSERT' THEN 'SELECT id, _place AS place FROM new_rows'
            WHEN 'DELETE' THEN 'SELECT id, _place AS place FROM old_rows'
            ELSE 'SELECT id, _place AS place FROM old_rows'
                ' UNION SELECT id, _place AS place FROM new_rows' END,
            '_place', coalesce(nullif(_place, ''), 'NULL::bigint')))
    USING TG_ARGV[3], _accounts, TG_ARGV[0], TG_ARGV[1] || '_many', _deed,
        coalesce(to_json(_columns)::text, '[]');
    RETURN NULL;
END $$;

-- At the end of the transaction: has it recorded what it did to this table's rows? A superuser may
-- call himself anything; the login is what he signed in as.
CREATE FUNCTION audit_outside_at_commit() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    _eid uuid := gen_random_uuid();
    _login text;
    _program text := regexp_replace(current_setting('application_name'), '[^ -~]', '?', 'g');
    _why text;
    _body text;
BEGIN
    DELETE FROM public.audit_outside WHERE id = NEW.id;
    PERFORM FROM public.audit_pending p JOIN public.audit_event e ON e.id = p.event_id
    WHERE p.xact = pg_current_xact_id() AND e.ws = NEW.ws AND e.result = 'ok'
      AND e.op LIKE ANY (NEW.accounts) AND e.op NOT LIKE '%.changed\_outside';
    IF FOUND THEN
        RETURN NULL;
    END IF;
    _login := coalesce(
        (SELECT a.usename FROM pg_stat_activity a WHERE a.pid = pg_backend_pid()), session_user);
    _why := format('%s around the product, by the database user %s with the program "%s".',
        NEW.deed, _login, _program);
    _body := concat(
        '{"act":{"id":', to_json('database:' || _login), ',"kind":"system"},"diff":', NEW.diff,
        ',"eid":"', _eid, '","obj":{"id":', to_json(NEW.obj_id), ',"type":', to_json(NEW.obj_type),
        '},"op":', to_json(NEW.op), ',"res":"ok","t":"',
        to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
        '","v":1,"why":', to_json(normalize(_why, NFC)), ',"ws":"', NEW.ws, '"}');
    PERFORM public.audit_append(
        NEW.ws, _eid, sha256('\x00'::bytea || convert_to(_body, 'UTF8')), _body);
    RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER audit_at_commit AFTER INSERT ON audit_outside
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION audit_outside_at_commit();
ALTER TABLE audit_outside ENABLE ALWAYS TRIGGER audit_at_commit;

REVOKE ALL ON FUNCTION audit_value(jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION audit_sides(jsonb, jsonb, text[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION audit_chain_of(bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION audit_watch() FROM PUBLIC;
REVOKE ALL ON FUNCTION audit_outside_at_commit() FROM PUBLIC;
