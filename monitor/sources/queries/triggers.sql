-- Triggers, not the ones that foreign keys or parents of partitions made; the text
-- after the name: before it stand capitals only, so the first place of the name is it.
-- https://www.postgresql.org/docs/current/catalog-pg-trigger.html
select 'trigger', 'pg_trigger', t.oid::text, '0', t.tgrelid::text, n.nspname, c.relname, t.tgname,
  json_strip_nulls(json_build_object(
    'definition', substr(d.text, position(quote_ident(t.tgname) in d.text) + length(quote_ident(t.tgname)) + 1),
    'constraint', case when t.tgconstraint <> 0 then true end,
    'enabled', case t.tgenabled when 'D' then 'disabled' when 'R' then 'replica' when 'A' then 'always' end
  ))::text
from pg_trigger t
  join pg_class c on c.oid = t.tgrelid
  join pg_namespace n on n.oid = c.relnamespace,
  lateral (select pg_get_triggerdef(t.oid) as text) d
where not t.tgisinternal and t.tgparentid = 0
  and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
