-- Triggers that the server made (of foreign keys, of deferrable keys, of partitions) and
-- that ALTER TABLE ... ENABLE or DISABLE TRIGGER set otherwise on one table: a foreign
-- key whose triggers are disabled looks right and checks nothing.
-- https://www.postgresql.org/docs/current/catalog-pg-trigger.html
select 'internal_trigger', 'pg_class', t.tgrelid::text, '0', t.tgrelid::text, null, null, coalesce(k.conname, t.tgname),
  to_json(case t.tgenabled when 'O' then 'origin' when 'D' then 'disabled' when 'R' then 'replica' else 'always' end)::text
from pg_trigger t
  left join pg_trigger p on p.oid = t.tgparentid and not p.tgisinternal
  left join pg_constraint k on k.oid = t.tgconstraint and t.tgisinternal
where (t.tgisinternal or t.tgparentid <> 0) and t.tgenabled <> coalesce(p.tgenabled, 'O')
