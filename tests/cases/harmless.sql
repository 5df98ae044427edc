-- setup
create schema app;
create table app.t (id serial primary key, n int, note text) with (fillfactor = 90);
create index t_n on app.t (n);
create index t_note on app.t (note) where note is not null;
create materialized view app.mv as select n, count(*) as count from app.t group by n;
create unique index mv_n on app.mv (n);
create function app.f(a int) returns int language sql as 'select a';
create type app.mood as enum ('sad', 'happy');
create sequence app.s;
insert into app.t (n, note) select g, 'note ' || g from generate_series(1, 50) g;

-- case a table is rewritten
vacuum full app.t;
-- expect nothing

-- case everything is vacuumed
vacuum (freeze, analyze);
-- expect nothing

-- case an index is built again without a pause
reindex table concurrently app.t;
-- expect nothing

-- case a materialised view is refreshed without a pause
refresh materialized view concurrently app.mv;
-- expect nothing

-- case a table is clustered once, and that is forgotten
cluster app.t using t_n;
alter table app.t set without cluster;
-- expect nothing

-- case rights are granted and taken away
grant select, insert on app.t to case_reader with grant option;
grant select (note) on app.t to case_writer;
grant execute on function app.f to case_reader;
grant usage on type app.mood to case_reader;
grant all on sequence app.s to case_reader;
grant all on schema app to case_reader;
revoke all on app.t from case_reader, case_writer;
revoke all (note) on app.t from case_writer;
revoke execute on function app.f from case_reader;
revoke usage on type app.mood from case_reader;
revoke all on sequence app.s from case_reader;
revoke all on schema app from case_reader;
-- expect nothing

-- case rights that everybody has are taken away and granted
revoke execute on function app.f from public;
grant execute on function app.f to public;
revoke usage on type app.mood from public;
grant usage on type app.mood to public;
revoke all on app.t from current_user;
grant all on app.t to current_user;
-- expect nothing

-- case default privileges are granted and taken away
alter default privileges in schema app grant select on tables to case_reader;
alter default privileges in schema app revoke select on tables from case_reader;
-- expect nothing

-- case statistics are collected and reset
analyze;
select pg_stat_reset();
-- expect nothing

-- case a column goes and comes back at the end
alter table app.t add column x int;
alter table app.t drop column x;
-- expect nothing

-- case the columns stand in another order
alter table app.t add column other int;
update app.t set other = n;
drop materialized view app.mv;
alter table app.t drop column n;
alter table app.t rename other to n;
create index t_n on app.t (n);
create materialized view app.mv as select n, count(*) as count from app.t group by n;
create unique index mv_n on app.mv (n);
-- expect note column_order table app.t

-- case temporary things stand beside it
create temporary table t (id serial primary key, n int);
create temporary view v as select 1 as one;
create index on t (n);
-- expect nothing

-- case rows and sequences move on
select nextval('app.s'), setval('app.t_id_seq', 1000);
delete from app.t where n > 10;
truncate app.t;
-- expect nothing

-- case a role comes and goes
create role case_guest;
grant select on app.t to case_guest;
drop owned by case_guest;
drop role case_guest;
-- expect nothing

-- case an owner changes and changes back
alter table app.t owner to case_owner;
alter table app.t owner to current_user;
-- expect nothing
