-- Publications with their tables (row filters and column lists from 15 on) and schemas.
-- https://www.postgresql.org/docs/current/catalog-pg-publication.html
select 'publication', 'pg_publication', p.oid::text, '0', null, null, null, p.pubname,
  json_strip_nulls(json_build_object(
    'owner', pg_get_userbyid(p.pubowner),
    'all_tables', case when p.puballtables then true end,
    'operations', to_json(array_remove(array[case when p.pubinsert then 'insert' end, case when p.pubupdate then 'update' end,
      case when p.pubdelete then 'delete' end, case when p.pubtruncate then 'truncate' end], null)),
    'via_root', case when p.pubviaroot then true end,
    'generated_columns', nullif(p.pubgencols, 'n'), -- pg>=18
    'schemas', (select json_agg(s.nspname) from pg_publication_namespace x join pg_namespace s on s.oid = x.pnnspid where x.pnpubid = p.oid), -- pg>=15
    'tables', (select json_agg(json_build_array(s.nspname, c.relname
        , null, null -- pg<15
        , case when x.prqual is not null then json_build_array(x.oid::text, x.xmin::text) end -- pg>=15
        , (select json_agg(a.attname order by a.attnum) from pg_attribute a where a.attrelid = x.prrelid and a.attnum = any (x.prattrs::int2[])) -- pg>=15
      )) from pg_publication_rel x join pg_class c on c.oid = x.prrelid join pg_namespace s on s.oid = c.relnamespace where x.prpubid = p.oid)
  ))::text
from pg_publication p
