-- Triggers, not the ones that foreign keys or parents of partitions made. Where the text
-- will stand, there is the version of the row.
-- https://www.postgresql.org/docs/current/catalog-pg-trigger.html
select 'trigger', 'pg_trigger', t.oid::text, '0', t.tgrelid::text, n.nspname, c.relname, t.tgname,
  json_strip_nulls(json_build_object(
    'definition', t.xmin::text,
    'constraint', case when t.tgconstraint <> 0 then true end,
    'enabled', case t.tgenabled when 'D' then 'disabled' when 'R' then 'replica' when 'A' then 'always' end
  ))::text
from pg_trigger t
  join pg_class c on c.oid = t.tgrelid
  join pg_namespace n on n.oid = c.relnamespace
where not t.tgisinternal and t.tgparentid = 0
  and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
