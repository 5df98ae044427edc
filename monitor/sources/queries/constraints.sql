-- Primary keys, uniques, foreign keys, checks and exclusions, one row a table. What a
-- partition or a child inherited belongs to its parent and is left out, but for a check that
-- is enforced here and not there. The reader knows
-- the fields by their place and resolves column numbers; texts are read apart. The text
-- of an exclusion also tells what the row of its index says. Letters:
-- https://www.postgresql.org/docs/current/catalog-pg-constraint.html
select 'constraints', 'pg_class', c.oid::text, '0', c.oid::text, n.nspname, c.relname, null,
  json_agg(json_build_array(
    k.oid::text,
    k.conname,
    k.contype,
    k.conkey::text,
    k.convalidated,
    k.condeferrable,
    k.condeferred,
    k.connoinherit,
    case when k.contype = 'f' then '0' else k.conindid::text end,
    k.confrelid::text,
    k.confkey::text,
    k.confmatchtype,
    k.confupdtype,
    k.confdeltype,
    null, -- pg<15
    k.confdelsetcols::text, -- pg>=15
    true, false, -- pg<18
    k.conenforced, k.conperiod, -- pg>=18
    k.xmin::text || case when k.contype = 'x' then (select '/' || x.xmin::text from pg_class x where x.oid = k.conindid) else '' end
  ))::text
from pg_constraint k
  join pg_class c on c.oid = k.conrelid
  join pg_namespace n on n.oid = c.relnamespace
where k.contype in ('p', 'u', 'f', 'c', 'x') and k.conparentid = 0
  and not (k.coninhcount > 0 and (not k.conislocal or c.relispartition)
    and not exists (select from pg_inherits h join pg_constraint p on p.conrelid = h.inhparent where h.inhrelid = k.conrelid and p.conname = k.conname and p.contype = 'c' and p.conenforced <> k.conenforced) -- pg>=18
  )
  and c.relpersistence <> 't' and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
group by c.oid, c.relname, n.nspname
