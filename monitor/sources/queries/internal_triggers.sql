-- Triggers that the server made (of foreign keys, of deferrable keys, of partitions) and
-- that ALTER TABLE ... ENABLE or DISABLE TRIGGER set otherwise: a foreign key whose triggers
-- are disabled looks right and checks nothing. One of a partition goes by the name that it
-- has on the topmost table.
-- https://www.postgresql.org/docs/current/catalog-pg-trigger.html
select 'internal_trigger', 'pg_class', t.tgrelid::text, '0', t.tgrelid::text, null, null, coalesce(k.name, u.name, t.tgname),
  to_json(case t.tgenabled when 'O' then 'origin' when 'D' then 'disabled' when 'R' then 'replica' else 'always' end)::text
from pg_trigger t
  left join lateral (
    with recursive up as (
      select c.conparentid as parent, c.conname as name from pg_constraint c where c.oid = t.tgconstraint
      union all
      select c.conparentid, c.conname from up join pg_constraint c on c.oid = up.parent
    )
    select up.name from up where up.parent = 0 and t.tgisinternal
  ) k on true
  left join lateral (
    with recursive up as (
      select p.tgparentid as parent, p.tgname as name from pg_trigger p where p.oid = t.tgparentid
      union all
      select p.tgparentid, p.tgname from up join pg_trigger p on p.oid = up.parent
    )
    select up.name from up where up.parent = 0 and not t.tgisinternal
  ) u on true
where (t.tgisinternal or t.tgparentid <> 0) and t.tgenabled <> 'O'
