-- Which object needs which, where the objects' own attributes do not say it already:
-- what views, defaults, functions, triggers, policies, checks and indexes refer to.
-- A rewrite rule stands for its view, a default for its column.
-- https://www.postgresql.org/docs/current/catalog-pg-depend.html
select 'dependency',
  case when d.classid = 'pg_rewrite'::regclass and r.rulename = '_RETURN' or d.classid = 'pg_attrdef'::regclass then 'pg_class' else d.classid::regclass::text end,
  coalesce(case when r.rulename = '_RETURN' then r.ev_class end, f.adrelid, d.objid)::text,
  coalesce(f.adnum, d.objsubid)::text, null, null, null, null,
  json_build_array(d.refclassid::regclass::text, d.refobjid::text, d.refobjsubid::text)::text
from pg_depend d
  left join pg_rewrite r on d.classid = 'pg_rewrite'::regclass and r.oid = d.objid
  left join pg_attrdef f on d.classid = 'pg_attrdef'::regclass and f.oid = d.objid
  left join pg_constraint k on d.classid = 'pg_constraint'::regclass and k.oid = d.objid
  left join pg_index i on d.classid = 'pg_class'::regclass and i.indexrelid = d.objid
  left join pg_trigger g on d.classid = 'pg_trigger'::regclass and g.oid = d.objid
  left join pg_policy p on d.classid = 'pg_policy'::regclass and p.oid = d.objid
where d.deptype in ('n', 'a') and d.objid >= 16384 and d.refobjid >= 16384
  and d.refclassid in ('pg_class'::regclass, 'pg_proc'::regclass, 'pg_type'::regclass, 'pg_operator'::regclass)
  and d.classid in ('pg_rewrite'::regclass, 'pg_attrdef'::regclass, 'pg_proc'::regclass, 'pg_type'::regclass, 'pg_class'::regclass,
    'pg_constraint'::regclass, 'pg_trigger'::regclass, 'pg_policy'::regclass, 'pg_operator'::regclass, 'pg_cast'::regclass, 'pg_event_trigger'::regclass)
  and d.refobjid not in (coalesce(case when r.rulename = '_RETURN' then r.ev_class end, 0), coalesce(f.adrelid, 0), coalesce(k.conrelid, 0),
    coalesce(k.confrelid, 0), coalesce(i.indrelid, 0), coalesce(g.tgrelid, 0), coalesce(p.polrelid, 0))
