"""SQL text for tenant tables:

row-level security and composite keys. Used by migrations, read by tests.
"""

MINE = (
    "(SELECT current_setting('app.workspace', true)) = '*' OR {column} = "
    "(SELECT nullif(nullif(current_setting('app.workspace', true), ''), '*')::bigint)"
)


def row_level_security(table: str, column: str = "workspace_id") -> str:
    """Return SQL that lets a connection see and write only rows of the workspace it is set to.

    The setting is read in a scalar sub-select, so that PostgreSQL reads it once a query and not
    once a row;
    nothing set means nothing seen; '*' is scope_everywhere.
    """
    mine = MINE.format(column=column)
    return (
        f'ALTER TABLE "{table}" ENABLE ROW LEVEL SECURITY;'
        f'ALTER TABLE "{table}" FORCE ROW LEVEL SECURITY;'
        f'CREATE POLICY workspace_only ON "{table}" USING ({mine}) WITH CHECK ({mine});'
    )


def no_row_level_security(table: str) -> str:
    """Return SQL that takes row_level_security back."""
    return (
        f'DROP POLICY workspace_only ON "{table}";'
        f'ALTER TABLE "{table}" NO FORCE ROW LEVEL SECURITY;'
        f'ALTER TABLE "{table}" DISABLE ROW LEVEL SECURITY;'
    )


def same_workspace(table: str, column: str, parent: str) -> str:
    """Return SQL for a composite foreign key: the row and its parent are of one workspace."""
    return (
        f'ALTER TABLE "{table}" ADD CONSTRAINT "{table}_{column}_same_workspace" '
        f'FOREIGN KEY (workspace_id, "{column}") REFERENCES "{parent}" (workspace_id, id) '
        "DEFERRABLE INITIALLY DEFERRED;"
    )


def key_with_workspace(table: str) -> str:
    """Return SQL for the unique key that composite foreign keys refer to."""
    return (
        f'ALTER TABLE "{table}" ADD CONSTRAINT "{table}_workspace_key" UNIQUE (workspace_id, id);'
    )
