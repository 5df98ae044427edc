/* anchorwatch repair: references */
-- Where the rows are that reference some others.
select distinct c.tableoid::bigint::text, c.ctid::text
from {parent} as p join {child} as c on {match}
where p.tableoid = {table}::oid and p.ctid = any ($1::text[]::tid[])
limit {limit}
