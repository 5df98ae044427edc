-- setup
-- built
create schema app;
create table app.t (id int primary key);
create schema auth;
create table auth.users (id int primary key);
create table app.measured (at timestamptz not null, n int);

-- case a platform moves in
create role supabase_admin;
create schema storage authorization supabase_admin;
create table storage.objects (id int primary key, name text unique);
alter table storage.objects owner to supabase_admin;
create schema extensions;
create function extensions.grant_access() returns event_trigger language plpgsql as 'begin end';
alter function extensions.grant_access() owner to supabase_admin;
create publication supabase_realtime;
alter default privileges for role supabase_admin in schema app grant all on tables to case_reader;
-- expect note left_out
-- expect note left_out schema extensions
-- expect note left_out schema storage

-- case a platform moves in and changes what is declared
create role supabase_admin;
alter schema auth owner to supabase_admin;
alter table auth.users add column email text unique;
alter table auth.users alter id type bigint;
create table auth.sessions (id int);
-- expect altered column auth.users.id: type
-- expect info altered schema auth: owner
-- expect note left_out schema auth

-- case schemas of such names are made by hand
create schema storage;
create schema cron;
create schema _timescaledb_internal;
-- expect unexpected schema storage
-- expect unexpected schema cron
-- expect unexpected schema _timescaledb_internal

-- case another platform moves in
create role cloud_admin;
create role neon_superuser;
alter default privileges for role cloud_admin in schema app grant all on tables to neon_superuser with grant option;
create schema neon_auth;
create table neon_auth.users_sync (raw_json jsonb not null, id text generated always as (raw_json ->> 'id') stored primary key);
-- expect note left_out
-- expect note left_out schema neon_auth

-- case an extension brings what is its own
create extension hstore;
create extension citext schema app;
-- expect unexpected extension hstore
-- expect unexpected extension citext

-- case an extension has a schema to itself
create schema tools;
create extension hstore schema tools;
-- expect note left_out schema tools
-- expect unexpected extension hstore

-- case an extension shares its schema
create schema tools;
create extension hstore schema tools;
create table tools.mine (id int);
-- expect unexpected extension hstore
-- expect unexpected schema tools
-- expect unexpected table tools.mine

-- case the ledger of anchorwatch shares the database
create table public.anchorwatch_record (environment text, body text, primary key (environment));
create index anchorwatch_record_body on public.anchorwatch_record (body);
create table public.anchorwatch_version (version_num varchar(32) primary key);
-- expect note left_out

-- case a table that is called like those of the ledger
create table public.anchorwatch_notes (id int);
-- expect unexpected table public.anchorwatch_notes

-- case a schema that nobody watches
create schema scratch;
create table scratch.t (id int);
create view scratch.v as select id from app.t;
-- scope without scratch
-- expect note left_out schema scratch

-- case all schemas but one that is watched
create schema scratch;
drop table app.t;
-- scope only app
-- expect missing table app.t
-- expect note left_out schema auth
-- expect note left_out schema public
-- expect note left_out schema scratch
