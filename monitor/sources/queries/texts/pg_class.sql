-- The key of a partitioned table, and the bound of a partition.
-- https://www.postgresql.org/docs/current/ddl-partitioning.html
select 'pg_class', json_build_array(
    json_build_array(c.oid::text, 'partition_by', case when c.relkind = 'p' then pg_get_partkeydef(c.oid) end),
    json_build_array(c.oid::text, 'partition_bound', case when c.relispartition then pg_get_expr(c.relpartbound, c.oid) end)
  )::text
from pg_class c
where (c.relkind = 'p' or c.relispartition) and c.oid >= 16384 and c.oid = any ('{oids}'::oid[])
