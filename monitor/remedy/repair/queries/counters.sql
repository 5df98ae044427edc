/* anchorwatch repair: counters */
-- Rows that this session has changed and not yet reported, of each table.
select relid::bigint::text, relid::regclass::text, n_tup_ins::text, n_tup_upd::text, n_tup_del::text
from pg_stat_xact_user_tables
where n_tup_ins + n_tup_upd + n_tup_del > 0
