/* anchorwatch repair: again */
-- Kept rows whose key is there again.
with back as materialized (
  select {row} as r from anchorwatch_quarantine.rows as k
  where k.batch = {batch} and k."schema" = {schema} and k."table" = {table}
)
select count(*)::text from back as b join {source} as e on {match}
