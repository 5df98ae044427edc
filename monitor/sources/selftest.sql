-- One drift of every kind, for `anchorwatch doctor --self-test`: a schema, and below each
-- kind the statements that make it drift, one after the other in the same database.
-- setup
create schema watched;
create table watched.users (id bigserial primary key, email text, code varchar(9) default 'a', note text);
create table watched.orders (id int, user_id bigint, during int4range, at date);
alter table watched.users add constraint one_email unique (email), add constraint known_code check (code in ('a', 'b'));
alter table watched.orders add constraint of_user foreign key (user_id) references watched.users;
alter table watched.orders add constraint apart exclude using gist (during with &&);
create index by_date on watched.orders (at) where user_id > 0;
create sequence watched.numbers;
create view watched.names as select id, email from watched.users;
create materialized view watched.counted as select count(*) as n from watched.users;
create rule kept as on delete to watched.orders do instead nothing;
create function watched.stamp() returns trigger language plpgsql as 'begin return new; end';
create procedure watched.act() language sql as 'select 1';
create aggregate watched.total(int) (sfunc = int4pl, stype = int);
create operator watched.=== (leftarg = int, rightarg = int, function = int4eq);
create trigger stamped before insert on watched.users for each row execute function watched.stamp();
create policy own on watched.users using (id > 0);
create type watched.mood as enum ('sad', 'ok');
create domain watched.address as text check (value <> '');
create type watched.pair as (a int, b int);
create type watched.span as range (subtype = float8);
create cast (watched.pair as text) with inout;
create statistics watched.related (dependencies) on id, code from watched.users;
create publication watched_changes for table watched.users;
create function watched.guard() returns event_trigger language plpgsql as 'begin end';
create event trigger watched_guard on ddl_command_end execute function watched.guard();
create foreign data wrapper watched_wrapper;
create server watched_server foreign data wrapper watched_wrapper;
create user mapping for public server watched_server;
create foreign table watched.far (a int) server watched_server;
alter default privileges in schema watched grant select on tables to public;
-- schema
create schema watched_by_hand;
-- table
alter table watched.orders set (fillfactor = 50);
-- column
alter table watched.users alter note set not null;
-- primary_key
alter table watched.orders add primary key (id);
-- unique
alter table watched.users drop constraint one_email;
-- foreign_key
alter table watched.orders drop constraint of_user, add constraint of_user foreign key (user_id) references watched.users not valid;
-- check
alter table watched.users drop constraint known_code, add constraint known_code check (code in ('a', 'c'));
-- exclusion
alter table watched.orders drop constraint apart;
-- index
drop index watched.by_date;
create index by_date on watched.orders (at) where user_id > 1;
-- sequence
alter sequence watched.numbers increment 5;
-- view
create or replace view watched.names as select id, note as email from watched.users;
-- materialized_view
drop materialized view watched.counted;
-- rule
alter table watched.orders disable rule kept;
-- function
create or replace function watched.stamp() returns trigger language plpgsql as 'begin return null; end';
-- procedure
alter procedure watched.act() security definer;
-- aggregate
drop aggregate watched.total(int);
-- operator
drop operator watched.=== (int, int);
-- trigger
alter table watched.users disable trigger stamped;
-- policy
alter policy own on watched.users using (true);
-- enum
alter type watched.mood add value 'meh' before 'ok';
-- domain
alter domain watched.address set not null;
-- composite
alter type watched.pair add attribute c int;
-- range
drop type watched.span;
-- cast
drop cast (watched.pair as text);
-- statistics
alter statistics watched.related set statistics 500;
-- publication
alter publication watched_changes set (publish = 'insert');
-- user_mapping
drop user mapping for public server watched_server;
-- foreign_table
alter foreign table watched.far add b int;
drop foreign table watched.far;
-- foreign_server
alter server watched_server version '2';
-- foreign_data_wrapper
drop foreign data wrapper watched_wrapper cascade;
-- default_privilege
alter default privileges in schema watched revoke select on tables from public;
-- event_trigger
drop event trigger watched_guard;
-- extension
drop extension plpgsql cascade;
