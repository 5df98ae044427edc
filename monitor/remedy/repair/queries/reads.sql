/* anchorwatch repair: reads */
-- Whether what was kept of a table, or of one of its columns, is a value still: else it fails.
with back as materialized (
  select {value} as r from anchorwatch_quarantine.rows as k
  where k.batch = {batch} and k."schema" = {schema} and k."table" = {table}
)
select count(*)::text from back
