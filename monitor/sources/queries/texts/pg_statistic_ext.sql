-- Expressions of extended statistics: https://www.postgresql.org/docs/current/catalog-pg-statistic-ext.html
select 'pg_statistic_ext', json_build_array(json_build_array(s.oid::text, '0', pg_get_statisticsobjdef_expressions(s.oid)))::text
from pg_statistic_ext s
where s.stxexprs is not null and s.oid = any ('{oids}'::oid[])
