-- Arguments: type of object, prefix of its id, column of its id, operation, operations that account
-- for a change (LIKE, with commas), workspace or system, columns whose values are left out, columns
-- whose updates are nobody's decision (when a key was used last).
CREATE OR REPLACE FUNCTION audit_watch() RETURNS trigger
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
