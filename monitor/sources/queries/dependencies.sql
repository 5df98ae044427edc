-- Which object needs which, where the objects' own attributes do not say it already: what
-- views, defaults, functions, triggers, policies, checks, columns and indexes refer to. The
-- reader knows which view a rewrite rule, and which column a default stands for.
-- https://www.postgresql.org/docs/current/catalog-pg-depend.html
select 'dependency', d.classid::regclass::text, d.objid::text, d.objsubid::text, null, null, null, null,
  d.refclassid::regclass::text || ' ' || d.refobjid::text || ' ' || d.refobjsubid::text
from pg_depend d
where d.deptype = 'n' and d.objid >= 16384 and d.refobjid >= 16384
  and d.refclassid in ('pg_class'::regclass, 'pg_proc'::regclass, 'pg_type'::regclass, 'pg_operator'::regclass)
  and d.classid in ('pg_rewrite'::regclass, 'pg_attrdef'::regclass, 'pg_proc'::regclass, 'pg_type'::regclass, 'pg_class'::regclass,
    'pg_constraint'::regclass, 'pg_trigger'::regclass, 'pg_policy'::regclass, 'pg_operator'::regclass, 'pg_cast'::regclass, 'pg_event_trigger'::regclass)
  and not (d.refclassid = 'pg_class'::regclass and d.classid in ('pg_constraint'::regclass, 'pg_class'::regclass))
