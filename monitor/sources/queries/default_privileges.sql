-- ALTER DEFAULT PRIVILEGES, told as what differs from the server's own default (of a schema:
-- from nothing). https://www.postgresql.org/docs/current/catalog-pg-default-acl.html
select 'default_privilege', 'pg_default_acl', d.oid::text, '0', null, n.nspname, null,
  quote_ident(pg_get_userbyid(d.defaclrole)) || ' ' || case d.defaclobjtype when 'r' then 'tables' when 'S' then 'sequences'
    when 'f' then 'functions' when 'T' then 'types' when 'n' then 'schemas' else 'large objects' end,
  json_strip_nulls(json_build_object('grants', z.grants, 'revokes', z.revokes))::text
from pg_default_acl d
  left join pg_namespace n on n.oid = d.defaclnamespace,
  lateral (select case when d.defaclnamespace = 0 then acldefault(case d.defaclobjtype when 'S' then 's' else d.defaclobjtype end, d.defaclrole) end as acl) b,
  lateral (
    select json_agg(json_build_array(y.role, y.privilege_type, y.is_grantable)) filter (where not y.is_default) as grants,
      json_agg(json_build_array(y.role, y.privilege_type, y.is_grantable)) filter (where not y.is_given) as revokes
    from (
      select case when x.grantee = x.grantor then 'OWNER' when x.grantee = 0 then 'PUBLIC' else quote_ident(pg_get_userbyid(x.grantee)) end as role,
        x.privilege_type, x.is_grantable, bool_or(x.given) as is_given, bool_or(not x.given) as is_default
      from (select true as given, a.* from aclexplode(d.defaclacl) a union all select false, a.* from aclexplode(b.acl) a) x
      group by 1, 2, 3
    ) y
  ) z
