-- Privileges as what differs from the default of the object's owner, so that no ACL,
-- one that equals the default, and a right that only newer servers know are all the same.
-- The default of schema public is what the server itself granted at its birth, also where
-- somebody dropped it and made it anew, which grants PUBLIC nothing. The owner, and only
-- the owner, is granted rights by itself.
-- https://www.postgresql.org/docs/current/ddl-priv.html
select 'grant', o.class, o.oid::text, o.sub::text, null, null, null, null,
  json_strip_nulls(json_build_object('grants', z.grants, 'revokes', z.revokes))::text
from (
  select 'pg_class' as class, c.oid, 0 as sub, c.relacl as acl, acldefault(case c.relkind when 'S' then 's' else 'r' end::"char", c.relowner) as base
  from pg_class c where c.relacl is not null and c.oid >= 16384
  union all select 'pg_class', c.oid, a.attnum, a.attacl, acldefault('c', c.relowner)
  from pg_attribute a join pg_class c on c.oid = a.attrelid where a.attacl is not null and c.oid >= 16384 and not a.attisdropped
  union all select 'pg_proc', p.oid, 0, p.proacl, acldefault('f', p.proowner) from pg_proc p where p.proacl is not null and p.oid >= 16384
  union all select 'pg_namespace', n.oid, 0, coalesce(n.nspacl, acldefault('n', n.nspowner)),
    coalesce((select i.initprivs from pg_init_privs i where i.classoid = 'pg_namespace'::regclass and i.objoid = n.oid and i.objsubid = 0),
      acldefault('n', n.nspowner) || case when n.nspname = 'public' then array[makeaclitem(0, n.nspowner, 'USAGE', false)
        , makeaclitem(0, n.nspowner, 'CREATE', false) -- pg<15
      ] end)
  from pg_namespace n where (n.nspacl is not null or n.nspname = 'public') and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
  union all select 'pg_type', t.oid, 0, t.typacl, acldefault('T', t.typowner) from pg_type t where t.typacl is not null and t.oid >= 16384
  union all select 'pg_foreign_data_wrapper', w.oid, 0, w.fdwacl, acldefault('F', w.fdwowner) from pg_foreign_data_wrapper w where w.fdwacl is not null
  union all select 'pg_foreign_server', s.oid, 0, s.srvacl, acldefault('S', s.srvowner) from pg_foreign_server s where s.srvacl is not null
) o,
  lateral (
    select json_agg(json_build_array(y.role, y.privilege_type, y.is_grantable)) filter (where not y.is_default) as grants,
      json_agg(json_build_array(y.role, y.privilege_type, y.is_grantable)) filter (where not y.is_given) as revokes
    from (
      select case when x.grantee = x.grantor then 'OWNER' when x.grantee = 0 then 'PUBLIC' else quote_ident(pg_get_userbyid(x.grantee)) end as role,
        x.privilege_type, x.is_grantable, bool_or(x.given) as is_given, bool_or(not x.given) as is_default
      from (select true as given, a.* from aclexplode(o.acl) a union all select false, a.* from aclexplode(o.base) a) x
      group by 1, 2, 3
    ) y
  ) z
