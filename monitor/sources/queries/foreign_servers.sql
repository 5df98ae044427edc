-- Foreign data wrappers, servers and user mappings. Their options hold passwords:
-- only the names of the options leave the server, never a value. Of a mapping not even
-- these: the server shows them to few, and every role shall see the same.
select 'foreign_data_wrapper', 'pg_foreign_data_wrapper', w.oid::text, '0', null, null, null, w.fdwname,
  json_strip_nulls(json_build_object(
    'owner', pg_get_userbyid(w.fdwowner),
    'handler', nullif(w.fdwhandler, 0)::regproc::text,
    'validator', nullif(w.fdwvalidator, 0)::regproc::text,
    'option_names', (select json_agg(split_part(o.text, '=', 1)) from unnest(w.fdwoptions) o (text))
  ))::text
from pg_foreign_data_wrapper w
union all
select 'foreign_server', 'pg_foreign_server', s.oid::text, '0', null, null, null, s.srvname,
  json_strip_nulls(json_build_object(
    'owner', pg_get_userbyid(s.srvowner),
    'wrapper', w.fdwname,
    'type', s.srvtype,
    'version', s.srvversion,
    'option_names', (select json_agg(split_part(o.text, '=', 1)) from unnest(s.srvoptions) o (text))
  ))::text
from pg_foreign_server s join pg_foreign_data_wrapper w on w.oid = s.srvfdw
union all
select 'user_mapping', 'pg_user_mapping', u.umid::text, '0', null, null, u.srvname,
  case when u.umuser = 0 then 'PUBLIC' else quote_ident(u.usename) end, '{}'
from pg_user_mappings u
