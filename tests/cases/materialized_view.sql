-- setup
create schema app;
create access method heap2 type table handler heap_tableam_handler;
create table app.t (id int primary key, name text);
create materialized view app.mv as select id, name from app.t;
create unique index mv_id on app.mv (id);
create materialized view app.lone as select count(*) as n, 'x'::text as note from app.t;

-- case a materialised view is dropped
drop materialized view app.mv;
-- expect missing materialized_view app.mv

-- case a materialised view is made by hand
create materialized view app.extra as select 1 as one;
create index on app.extra (one);
-- expect unexpected materialized_view app.extra

-- case a materialised view becomes a view
drop materialized view app.lone;
create view app.lone as select count(*) as n, 'x'::text as note from app.t;
-- expect missing materialized_view app.lone
-- expect unexpected view app.lone

-- case a materialised view reads in another way
drop materialized view app.lone;
create materialized view app.lone as select count(*) + 1 as n, 'x'::text as note from app.t;
-- expect altered materialized_view app.lone: definition

-- case a materialised view has a storage parameter
alter materialized view app.lone set (fillfactor = 50);
-- expect altered materialized_view app.lone: options

-- case the TOAST table of a materialised view has a storage parameter
alter materialized view app.lone set (toast.autovacuum_enabled = false);
-- expect altered materialized_view app.lone: toast_options

-- case a materialised view is moved to another tablespace
alter materialized view app.lone set tablespace case_space;
-- expect altered materialized_view app.lone: tablespace

-- case a materialised view is stored in another way
drop materialized view app.lone;
create materialized view app.lone using heap2 as select count(*) as n, 'x'::text as note from app.t;
-- expect altered materialized_view app.lone: access_method

-- case a materialised view is clustered on an index
alter materialized view app.mv cluster on mv_id;
-- expect altered materialized_view app.mv: cluster_index

-- case a materialised view has a replica identity
alter table app.lone replica identity full;
-- expect altered materialized_view app.lone: replica_identity

-- case a materialised view is refreshed
insert into app.t values (1, 'x');
refresh materialized view app.mv;
refresh materialized view app.lone with no data;
-- expect nothing

-- case a materialised view changes hands
alter materialized view app.mv owner to case_owner;
-- expect altered materialized_view app.mv: owner

-- case a role may read a materialised view
grant select on app.mv to case_reader;
-- expect altered materialized_view app.mv: grants

-- case the owner may not read a materialised view
revoke select on app.mv from current_user;
-- expect altered materialized_view app.mv: revokes

-- case a materialised view is commented
comment on materialized view app.mv is 'names';
-- expect altered materialized_view app.mv: comment

-- case a column of a materialised view has a statistics target
alter materialized view app.mv alter column name set statistics 500;
-- expect altered column app.mv.name: statistics_target
