-- How many objects there are of kinds that are not modelled: silence is never a claim.
select 'other', null, null, null, null, null, null, o.kind, to_json(count(*))::text
from (
  select 'access method' as kind from pg_am where oid >= 16384
  union all select 'base type' from pg_type t join pg_namespace n on n.oid = t.typnamespace
    where t.typtype = 'b' and t.typelem = 0 and t.oid >= 16384 and n.nspname !~ '^pg_'
      and not exists (select from pg_depend d where d.classid = 'pg_type'::regclass and d.objid = t.oid and d.deptype = 'e')
  union all select 'collation' from pg_collation c
    where c.oid >= 16384 and not exists (select from pg_depend d where d.classid = 'pg_collation'::regclass and d.objid = c.oid and d.deptype = 'e')
  union all select 'conversion' from pg_conversion where oid >= 16384
  union all select 'language' from pg_language l
    where l.oid >= 16384 and not exists (select from pg_depend d where d.classid = 'pg_language'::regclass and d.objid = l.oid and d.deptype = 'e')
  union all select 'operator class' from pg_opclass o
    where o.oid >= 16384 and not exists (select from pg_depend d where d.classid = 'pg_opclass'::regclass and d.objid = o.oid and d.deptype = 'e')
  union all select 'operator family' from pg_opfamily o
    where o.oid >= 16384 and not exists (select from pg_depend d where d.classid = 'pg_opfamily'::regclass and d.objid = o.oid and d.deptype = 'e')
  union all select 'parameter grant' from pg_parameter_acl -- pg>=15
  union all select 'security label' from pg_seclabel
  union all select 'setting of this database' from pg_db_role_setting s where s.setdatabase = (select oid from pg_database where datname = current_database())
  union all select 'subscription' from pg_stat_subscription where subid is not null
  union all select 'text search configuration' from pg_ts_config where oid >= 16384
  union all select 'text search dictionary' from pg_ts_dict d
    where d.oid >= 16384 and not exists (select from pg_depend x where x.classid = 'pg_ts_dict'::regclass and x.objid = d.oid and x.deptype = 'e')
  union all select 'text search parser' from pg_ts_parser where oid >= 16384
  union all select 'text search template' from pg_ts_template t
    where t.oid >= 16384 and not exists (select from pg_depend x where x.classid = 'pg_ts_template'::regclass and x.objid = t.oid and x.deptype = 'e')
  union all select 'transform' from pg_transform where oid >= 16384
) o
group by o.kind
