-- How many objects there are of kinds that are not modelled: silence is never a claim.
-- What belongs to an extension is counted by nobody.
select 'other', null, null, null, null, null, null, o.kind, to_json(count(*))::text
from (
  select 'access method' as kind, 'pg_am'::regclass as class, oid from pg_am
  union all select 'base type', 'pg_type'::regclass, t.oid from pg_type t where t.typtype = 'b' and t.typelem = 0
  union all select 'base type', 'pg_type'::regclass, t.oid from pg_type t
    where t.typtype = 'b' and t.typelem <> 0 and not exists (select from pg_type e where e.typarray = t.oid)
  union all select 'collation', 'pg_collation'::regclass, oid from pg_collation
  union all select 'conversion', 'pg_conversion'::regclass, oid from pg_conversion
  union all select 'language', 'pg_language'::regclass, oid from pg_language
  union all select 'operator class', 'pg_opclass'::regclass, oid from pg_opclass
  union all select 'operator family', 'pg_opfamily'::regclass, oid from pg_opfamily
  union all select 'text search configuration', 'pg_ts_config'::regclass, oid from pg_ts_config
  union all select 'text search dictionary', 'pg_ts_dict'::regclass, oid from pg_ts_dict
  union all select 'text search parser', 'pg_ts_parser'::regclass, oid from pg_ts_parser
  union all select 'text search template', 'pg_ts_template'::regclass, oid from pg_ts_template
  union all select 'transform', 'pg_transform'::regclass, oid from pg_transform
  union all select 'parameter grant', 'pg_parameter_acl'::regclass, oid from pg_parameter_acl -- pg>=15
  union all select 'security label', 'pg_seclabel'::regclass, objoid from pg_seclabel
  union all select 'setting of this database', 'pg_db_role_setting'::regclass, 16384::oid from pg_db_role_setting
    where setdatabase = (select oid from pg_database where datname = current_database())
  union all select 'subscription', 'pg_subscription'::regclass, oid from pg_subscription
    where subdbid = (select oid from pg_database where datname = current_database())
) o
where o.oid >= 16384 and not exists (select from pg_depend d where d.classid = o.class and d.objid = o.oid and d.deptype = 'e')
group by o.kind
