-- Extended statistics: https://www.postgresql.org/docs/current/catalog-pg-statistic-ext.html
select 'statistics', 'pg_statistic_ext', s.oid::text, '0', s.stxrelid::text, n.nspname, c.relname, s.stxname,
  json_strip_nulls(json_build_object(
    'owner', pg_get_userbyid(s.stxowner),
    'table_schema', nullif(tn.nspname, n.nspname),
    'kinds', s.stxkind::text[],
    'columns', s.stxkeys::text,
    'expressions', case when s.stxexprs is not null then s.xmin::text end,
    'target', nullif(coalesce(s.stxstattarget, -1), -1)
  ))::text
from pg_statistic_ext s
  join pg_class c on c.oid = s.stxrelid
  join pg_namespace tn on tn.oid = c.relnamespace
  join pg_namespace n on n.oid = s.stxnamespace
where n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
