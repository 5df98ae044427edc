-- setup
create schema app;
create function app.f(a int, b text default 'x') returns int language sql as 'select a';
create function app.rows() returns setof int language sql as 'select 1';
create function app.whole(int) returns bigint language internal as 'window_rank';
create function app.atomic(a int) returns int language sql begin atomic select a; end;
create function app.in_c() returns trigger language c as '$libdir/refint', 'check_primary_key';
create transform for int language sql (from sql with function prsd_lextype(internal), to sql with function int4recv(internal));

-- case a function is dropped
drop function app.f;
-- expect missing function app.f(integer, text)

-- case a function is made by hand
create function app.extra() returns int language sql as 'select 1';
-- expect unexpected function app.extra()

-- case a function has an overload
create function app.f(a text) returns int language sql as 'select 1';
-- expect unexpected function app.f(text)

-- case a function takes other types
drop function app.f;
create function app.f(a bigint, b text default 'x') returns int language sql as 'select 1';
-- expect missing function app.f(integer, text)
-- expect unexpected function app.f(bigint, text)

-- case a function is in another language
set check_function_bodies = off;
create or replace function app.f(a int, b text default 'x') returns int language plpgsql as 'select a';
-- expect altered function app.f(integer, text): language

-- case an argument has another default
create or replace function app.f(a int, b text default 'y') returns int language sql as 'select a';
-- expect altered function app.f(integer, text): arguments

-- case a function returns something else
drop function app.f;
create function app.f(a int, b text default 'x') returns bigint language sql as 'select a';
-- expect altered function app.f(integer, text): returns

-- case a function does something else
create or replace function app.f(a int, b text default 'x') returns int language sql as 'select a + 1';
-- expect altered function app.f(integer, text): body

-- case a body that was parsed does something else
create or replace function app.atomic(a int) returns int language sql begin atomic select a + 1; end;
-- expect altered function app.atomic(integer): body

-- case a body that was parsed is written in another way
create or replace function app.atomic(a int) returns int language sql return a;
-- expect altered function app.atomic(integer): body

-- case a function is in another library
create or replace function app.in_c() returns trigger language c as '$libdir/refint.so', 'check_primary_key';
-- expect altered function app.in_c(): library

-- case a function works on windows
drop function app.whole;
create function app.whole(int) returns bigint language internal window as 'window_rank';
-- expect altered function app.whole(integer): window

-- case a function is stable
alter function app.f stable;
-- expect altered function app.f(integer, text): volatility

-- case a function is strict
alter function app.f strict;
-- expect altered function app.f(integer, text): strict

-- case a function runs as its owner
alter function app.f security definer;
-- expect altered function app.f(integer, text): security_definer

-- case a function tells nothing
alter function app.f leakproof;
-- expect altered function app.f(integer, text): leakproof

-- case a function may run in parallel
alter function app.f parallel safe;
-- expect altered function app.f(integer, text): parallel

-- case a function is expensive
alter function app.f cost 5000000;
-- expect altered function app.f(integer, text): cost

-- case a function returns many rows
alter function app.rows rows 5;
-- expect altered function app.rows(): rows

-- case a function is explained to the planner
alter function app.rows support generate_series_int4_support;
-- expect altered function app.rows(): support

-- case a function sets something
alter function app.f set search_path = app, pg_temp;
-- expect altered function app.f(integer, text): settings

-- case settings stand in another order
alter function app.f set work_mem = '8MB';
alter function app.f set search_path = app;
alter function app.f reset all;
-- expect nothing

-- case a function transforms a type
drop function app.rows;
create function app.rows() returns setof int language sql transform for type int as 'select 1';
-- expect altered function app.rows(): transforms

-- case a function changes hands
alter function app.f owner to case_owner;
-- expect altered function app.f(integer, text): owner

-- case a role may call a function
grant execute on function app.f to case_reader;
-- expect altered function app.f(integer, text): grants

-- case not everybody may call a function
revoke execute on function app.f from public;
-- expect altered function app.f(integer, text): revokes

-- case a function is commented
comment on function app.f is 'f';
-- expect altered function app.f(integer, text): comment
