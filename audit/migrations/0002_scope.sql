-- Not forced: the owner's functions write for every workspace. Nobody else owns these tables, and what
-- each role may do at all is a matter of grants, never of policies.
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
ALTER TABLE audit_export ENABLE ROW LEVEL SECURITY;
CREATE POLICY workspace_only ON audit_export USING (
    (SELECT current_setting('app.workspace_uuid', true)) = '*' OR ws =
    (SELECT nullif(nullif(current_setting('app.workspace_uuid', true), ''), '*')::uuid));
