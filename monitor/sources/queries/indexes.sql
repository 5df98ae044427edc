-- Indexes, one row a table, raw: the reader knows the fields by their place and resolves
-- numbers of columns, operator classes and collations; expressions and predicates are read
-- apart. An index of a partition that belongs to its parent's is left out: what it has of its
-- own is read by partition_indexes.sql.
-- https://www.postgresql.org/docs/current/catalog-pg-index.html
select 'indexes', 'pg_class', tc.oid::text, '0', tc.oid::text, n.nspname, tc.relname, null,
  json_agg(json_build_array(
    c.oid::text,
    c.relname,
    m.amname,
    i.indkey::text,
    i.indnkeyatts,
    i.indclass::text,
    i.indcollation::text,
    i.indoption::text,
    i.indisunique,
    i.indisvalid and i.indisready and i.indislive,
    i.indisclustered,
    i.indisreplident,
    false, -- pg<15
    i.indnullsnotdistinct, -- pg>=15
    i.indpred is not null,
    i.xmin::text,
    c.reloptions,
    case when c.reltablespace <> 0 then (select s.spcname from pg_tablespace s where s.oid = c.reltablespace) end
  ))::text
from pg_index i
  join pg_class c on c.oid = i.indexrelid
  join pg_class tc on tc.oid = i.indrelid
  join pg_namespace n on n.oid = c.relnamespace
  join pg_am m on m.oid = c.relam
where not c.relispartition and c.relpersistence <> 't'
  and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
group by tc.oid, tc.relname, n.nspname
