-- Aggregates: https://www.postgresql.org/docs/current/catalog-pg-aggregate.html
select 'aggregate', 'pg_proc', p.oid::text, '0', null, n.nspname, null,
  p.proname || '(' || oidvectortypes(p.proargtypes) || ')',
  json_strip_nulls(json_build_object(
    'owner', pg_get_userbyid(p.proowner),
    'arguments', pg_get_function_arguments(p.oid),
    'returns', pg_get_function_result(p.oid),
    'aggregate_kind', case a.aggkind when 'o' then 'ordered-set' when 'h' then 'hypothetical-set' end,
    'direct_arguments', nullif(a.aggnumdirectargs, 0),
    'state_function', nullif(a.aggtransfn::oid, 0)::regprocedure::text,
    'state_type', format_type(a.aggtranstype, null),
    'state_size', nullif(a.aggtransspace, 0),
    'final_function', nullif(a.aggfinalfn::oid, 0)::regprocedure::text,
    'final_extra', case when a.aggfinalextra then true end,
    'final_modify', case when a.aggfinalmodify <> case a.aggkind when 'n' then 'r' else 'w' end then
      case a.aggfinalmodify when 'r' then 'read_only' when 's' then 'shareable' else 'read_write' end end,
    'combine_function', nullif(a.aggcombinefn::oid, 0)::regprocedure::text,
    'serial_function', nullif(a.aggserialfn::oid, 0)::regprocedure::text,
    'deserial_function', nullif(a.aggdeserialfn::oid, 0)::regprocedure::text,
    'initial_value', a.agginitval,
    'sort_operator', nullif(a.aggsortop, 0)::regoperator::text,
    'moving_state_function', nullif(a.aggmtransfn::oid, 0)::regprocedure::text,
    'moving_inverse_function', nullif(a.aggminvtransfn::oid, 0)::regprocedure::text,
    'moving_state_type', case when a.aggmtranstype <> 0 then format_type(a.aggmtranstype, null) end,
    'moving_state_size', nullif(a.aggmtransspace, 0),
    'moving_final_function', nullif(a.aggmfinalfn::oid, 0)::regprocedure::text,
    'moving_final_extra', case when a.aggmfinalextra then true end,
    'moving_final_modify', case when a.aggmfinalmodify <> case a.aggkind when 'n' then 'r' else 'w' end then
      case a.aggmfinalmodify when 'r' then 'read_only' when 's' then 'shareable' else 'read_write' end end,
    'moving_initial_value', a.aggminitval,
    'parallel', case p.proparallel when 's' then 'safe' when 'r' then 'restricted' end
  ))::text
from pg_proc p
  join pg_aggregate a on a.aggfnoid = p.oid
  join pg_namespace n on n.oid = p.pronamespace
where p.prokind = 'a' and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
