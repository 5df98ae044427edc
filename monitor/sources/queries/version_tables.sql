-- Tables that have the shape of Alembic's version table: one column, called version_num.
-- Their name is the configuration's to choose; Alembic calls the key after it
-- (`MigrationContext`, option version_table_pk). Rows that row security could hide count
-- as unreadable: an empty version table means something else.
select 'version_table', 'pg_class', c.oid::text, '0', c.oid::text, n.nspname, null, c.relname,
  json_build_object(
    'alembics', c.relname = 'alembic_version' or exists (
      select from pg_constraint k where k.conrelid = c.oid and k.contype = 'p' and k.conname = c.relname || '_pkc'),
    'width', case when a.atttypmod > 4 then a.atttypmod - 4 end,
    'readable', has_schema_privilege(n.oid, 'USAGE') and has_column_privilege(c.oid, a.attnum, 'SELECT')
      and not row_security_active(c.oid)
  )::text
from pg_attribute a
  join pg_class c on c.oid = a.attrelid
  join pg_namespace n on n.oid = c.relnamespace
where a.attname = 'version_num' and a.attnum > 0 and not a.attisdropped and c.relkind = 'r'
  and a.atttypid in ('varchar'::regtype, 'text'::regtype)
  and not exists (select from pg_attribute b where b.attrelid = c.oid and b.attnum > 0 and b.attnum <> a.attnum and not b.attisdropped)
  and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
