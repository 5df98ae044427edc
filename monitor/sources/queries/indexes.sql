-- Indexes, raw: numbers of columns, operator classes and collations are resolved
-- by the reader, only expressions and predicates are deparsed. An index of a
-- partition that belongs to its parent's is left out.
-- https://www.postgresql.org/docs/current/catalog-pg-index.html
select 'index', 'pg_class', c.oid::text, '0', i.indrelid::text, n.nspname, tc.relname, c.relname,
  json_build_object(
    'method', (select m.amname from pg_am m where m.oid = c.relam),
    'keys', i.indkey::text,
    'key_count', i.indnkeyatts,
    'opclasses', i.indclass::text,
    'collations', i.indcollation::text,
    'order', i.indoption::text,
    'unique', i.indisunique,
    'immediate', i.indimmediate,
    'valid', i.indisvalid and i.indisready and i.indislive,
    'clustered', i.indisclustered,
    'replica_identity', i.indisreplident,
    'nulls_not_distinct', i.indnullsnotdistinct, -- pg>=15
    'expressions', case when i.indexprs is not null then (
      select json_agg(pg_get_indexdef(i.indexrelid, k.n::int, false) order by k.n)
      from unnest(i.indkey::int2[]) with ordinality k (attnum, n) where k.attnum = 0) end,
    'predicate', case when i.indpred is not null then pg_get_expr(i.indpred, i.indrelid) end,
    'options', c.reloptions,
    'tablespace', case when c.reltablespace <> 0 then (select s.spcname from pg_tablespace s where s.oid = c.reltablespace) end
  )::text
from pg_index i
  join pg_class c on c.oid = i.indexrelid
  join pg_class tc on tc.oid = i.indrelid
  join pg_namespace n on n.oid = c.relnamespace
where not c.relispartition and c.relpersistence <> 't'
  and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
