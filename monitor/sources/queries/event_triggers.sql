-- Event triggers: https://www.postgresql.org/docs/current/catalog-pg-event-trigger.html
select 'event_trigger', 'pg_event_trigger', e.oid::text, '0', null, null, null, e.evtname,
  json_strip_nulls(json_build_object(
    'owner', pg_get_userbyid(e.evtowner),
    'event', e.evtevent,
    'function', e.evtfoid::regprocedure::text,
    'enabled', case e.evtenabled when 'D' then 'disabled' when 'R' then 'replica' when 'A' then 'always' end,
    'tags', e.evttags
  ))::text
from pg_event_trigger e
