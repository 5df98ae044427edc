-- setup
create schema app;
create type app.mood as enum ('sad', 'ok', 'happy');
create type app.none as enum ();
create table app.t (m app.mood default 'ok');

-- case an enumeration is dropped
drop type app.none;
-- expect missing enum app.none

-- case an enumeration is made by hand
create type app.extra as enum ('a');
-- expect unexpected enum app.extra

-- case an enumeration has one label more
alter type app.mood add value 'meh' before 'ok';
-- expect altered enum app.mood: labels

-- case a label is renamed
alter type app.mood rename value 'ok' to 'fine';
-- expect altered column app.t.m: default
-- expect altered enum app.mood: labels

-- case the labels stand in another order
drop table app.t;
drop type app.mood;
create type app.mood as enum ('ok', 'sad', 'happy');
create table app.t (m app.mood default 'ok');
-- expect altered enum app.mood: labels

-- case a label is added in another way, with the same outcome
drop table app.t;
drop type app.mood;
create type app.mood as enum ('sad', 'happy');
alter type app.mood add value 'ok' after 'sad';
create table app.t (m app.mood);
-- expect altered column app.t.m: default

-- case an enumeration changes hands
alter type app.mood owner to case_owner;
-- expect altered enum app.mood: owner

-- case a role may use an enumeration
grant usage on type app.mood to case_reader;
-- expect altered enum app.mood: grants

-- case not everybody may use an enumeration
revoke usage on type app.mood from public;
-- expect altered enum app.mood: revokes

-- case an enumeration is commented
comment on type app.mood is 'mood';
-- expect altered enum app.mood: comment
