-- Primary keys, uniques, foreign keys, checks (of domains too) and exclusions.
-- What a partition or a child inherited belongs to its parent and is left out.
-- Column numbers are resolved by the reader. Letters:
-- https://www.postgresql.org/docs/current/catalog-pg-constraint.html
select 'constraint', 'pg_constraint', k.oid::text, '0', nullif(k.conrelid, 0)::text, n.nspname,
  coalesce(c.relname, t.typname), k.conname,
  json_strip_nulls(json_build_object(
    'type', k.contype,
    'domain', nullif(k.contypid, 0)::text,
    'columns', k.conkey,
    'valid', case when not k.convalidated then false end,
    'enforced', case when not k.conenforced then false end, -- pg>=18
    'deferrable', case when k.condeferrable then true end,
    'initially_deferred', case when k.condeferred then true end,
    'no_inherit', case when k.contype = 'c' and k.connoinherit then true end,
    'period', case when k.conperiod then true end, -- pg>=18
    'index', nullif(case when k.contype in ('p', 'u', 'x') then k.conindid else 0 end, 0)::text,
    'references', nullif(k.confrelid, 0)::text,
    'referenced_columns', k.confkey,
    'match', nullif(case when k.contype = 'f' then k.confmatchtype end, 's'),
    'on_update', nullif(case when k.contype = 'f' then k.confupdtype end, 'a'),
    'on_delete', nullif(case when k.contype = 'f' then k.confdeltype end, 'a'),
    'on_delete_columns', k.confdelsetcols, -- pg>=15
    'expression', case when k.contype = 'c' then pg_get_expr(k.conbin, k.conrelid) end,
    'definition', case when k.contype = 'x' then pg_get_constraintdef(k.oid) end
  ))::text
from pg_constraint k
  join pg_namespace n on n.oid = k.connamespace
  left join pg_class c on c.oid = k.conrelid
  left join pg_type t on t.oid = k.contypid
where k.contype in ('p', 'u', 'f', 'c', 'x') and k.conparentid = 0
  and not (k.coninhcount > 0 and (not k.conislocal or coalesce(c.relispartition, false)))
  and coalesce(c.relpersistence, 'p') <> 't'
  and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
