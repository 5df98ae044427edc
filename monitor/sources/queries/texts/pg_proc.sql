-- SQL-standard bodies of routines; the deparser locks what they read until the transaction ends.
-- https://www.postgresql.org/docs/current/catalog-pg-proc.html
select 'pg_proc', json_build_array(json_build_array(p.oid::text, '0', pg_get_function_sqlbody(p.oid)))::text
from pg_proc p
where p.prosqlbody is not null and p.oid >= 16384 and p.oid = any ('{oids}'::oid[])
