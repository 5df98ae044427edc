-- ALTER DEFAULT PRIVILEGES, told as what differs from the server's own default (of a schema:
-- from nothing). https://www.postgresql.org/docs/current/catalog-pg-default-acl.html
select 'default_privilege', 'pg_default_acl', d.oid::text, '0', null, n.nspname, null,
  quote_ident(pg_get_userbyid(d.defaclrole)) || ' ' || case d.defaclobjtype when 'r' then 'tables' when 'S' then 'sequences'
    when 'f' then 'functions' when 'T' then 'types' when 'n' then 'schemas' else 'large objects' end,
  json_strip_nulls(json_build_object(
    'grants', (select json_agg(json_build_array(case when x.grantee = 0 then 'PUBLIC' when x.grantee = d.defaclrole then 'OWNER' else quote_ident(pg_get_userbyid(x.grantee)) end, x.privilege_type, x.is_grantable))
      from (select grantee, privilege_type, is_grantable from aclexplode(d.defaclacl) except select grantee, privilege_type, is_grantable from aclexplode(b.acl)) x),
    'revokes', (select json_agg(json_build_array(case when x.grantee = 0 then 'PUBLIC' when x.grantee = d.defaclrole then 'OWNER' else quote_ident(pg_get_userbyid(x.grantee)) end, x.privilege_type, x.is_grantable))
      from (select grantee, privilege_type, is_grantable from aclexplode(b.acl) except select grantee, privilege_type, is_grantable from aclexplode(d.defaclacl)) x)
  ))::text
from pg_default_acl d
  left join pg_namespace n on n.oid = d.defaclnamespace,
  lateral (select case when d.defaclnamespace = 0 then acldefault(case d.defaclobjtype when 'S' then 's' else d.defaclobjtype end, d.defaclrole) end as acl) b
