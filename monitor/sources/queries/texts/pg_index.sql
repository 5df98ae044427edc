-- Key expressions of indexes, by the number of the key column, and predicates, one row an index.
-- https://www.postgresql.org/docs/current/catalog-pg-index.html
select 'pg_index', json_agg(json_build_array(i.indexrelid::text, x.sub, x.text))::text
from pg_index i,
  lateral (
    select k.n::text as sub, pg_get_indexdef(i.indexrelid, k.n::int, false) as text
    from unnest(i.indkey::int2[]) with ordinality k (attnum, n) where k.attnum = 0
    union all select 'predicate', pg_get_expr(i.indpred, i.indrelid) where i.indpred is not null
  ) x
where (i.indexprs is not null or i.indpred is not null)
  and i.indexrelid >= 16384 and i.indexrelid = any ('{oids}'::oid[])
group by i.indexrelid
