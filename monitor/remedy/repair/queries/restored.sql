/* anchorwatch repair: restored */
-- Rows that came back otherwise than they were kept, counted from both sides; both are bags.
with kept as (
  select k."values"::text as v from anchorwatch_quarantine.rows as k
  where k.batch = {batch} and k."schema" = {schema} and k."table" = {table}
),
back as (
  select ({again})::text as v from {source} as c
  where c.ctid = any ($2::text[]::tid[])  -- found by this, and not by reading the whole table
    and (c.tableoid::bigint::text, c.ctid::text) in (select * from unnest($1::text[], $2::text[]))
)
select count(*)::text from (
  (select v from kept except all select v from back)
  union all (select v from back except all select v from kept)
) as differing
