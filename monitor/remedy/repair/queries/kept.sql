/* anchorwatch repair: kept */
-- Kept rows that do not come back as the text they are: each is read as a row of its table, and
-- its columns are written again.
with back as materialized (
  select k."values" as kept, {row} as r from anchorwatch_quarantine.rows as k
  where k.batch = {batch} and k."schema" = {schema} and k."table" = {table}
)
select count(*)::text, (count(*) filter (where b.kept::text = ({again})::text))::text from back as b
