-- Triggers after their names: before it stand capitals only, so the first place of the
-- name is it. https://www.postgresql.org/docs/current/catalog-pg-trigger.html
select 'pg_trigger', json_build_array(json_build_array(t.oid::text, '0',
  substr(d.text, position(quote_ident(t.tgname) in d.text) + length(quote_ident(t.tgname)) + 1)))::text
from pg_trigger t, lateral (select pg_get_triggerdef(t.oid) as text) d
where not t.tgisinternal and t.tgparentid = 0 and t.oid = any ('{oids}'::oid[])
