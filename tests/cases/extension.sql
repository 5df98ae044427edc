-- setup
create schema app;
create schema other;
create extension citext schema app version '1.4';

-- case an extension is dropped
drop extension citext;
-- expect missing extension citext

-- case an extension is made by hand
create extension hstore schema app;
-- expect unexpected extension hstore

-- case an extension is updated
alter extension citext update to '1.6';
-- expect altered extension citext: version

-- case an extension is moved
alter extension citext set schema other;
-- expect altered extension citext: schema

-- case an extension is commented
comment on extension citext is 'other words';
-- expect altered extension citext: comment

-- case a function becomes part of an extension
create function app.mine() returns int language sql as 'select 1';
alter extension citext add function app.mine();
-- expect nothing

-- case something hangs on a table of an extension
create table app.theirs (id int);
alter extension citext add table app.theirs;
create index on app.theirs (id);
alter table app.theirs add check (id > 0);
-- expect nothing

-- case the language that came with the server is dropped
drop extension plpgsql;
-- expect missing extension plpgsql
