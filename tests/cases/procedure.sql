-- setup
create schema app;
create procedure app.p(a int) language sql as 'select a';
create procedure app.in_c() language c as '$libdir/refint', 'check_primary_key';
create transform for int language sql (from sql with function prsd_lextype(internal), to sql with function int4recv(internal));

-- case a procedure is dropped
drop procedure app.p;
-- expect missing procedure app.p(integer)

-- case a procedure is made by hand
create procedure app.extra() language sql as 'select 1';
-- expect unexpected procedure app.extra()

-- case a procedure becomes a function
drop procedure app.p;
create function app.p(a int) returns int language sql as 'select a';
-- expect missing procedure app.p(integer)
-- expect unexpected function app.p(integer)

-- case a procedure is in another language
set check_function_bodies = off;
create or replace procedure app.p(a int) language plpgsql as 'select a';
-- expect altered procedure app.p(integer): language

-- case an argument has a default
create or replace procedure app.p(a int default 1) language sql as 'select a';
-- expect altered procedure app.p(integer): arguments

-- case a procedure does something else
create or replace procedure app.p(a int) language sql as 'select a + 1';
-- expect altered procedure app.p(integer): body

-- case a procedure is in another library
create or replace procedure app.in_c() language c as '$libdir/refint.so', 'check_primary_key';
-- expect altered procedure app.in_c(): library

-- case a procedure runs as its owner
alter procedure app.p security definer;
-- expect altered procedure app.p(integer): security_definer

-- case a procedure sets something
alter procedure app.p set work_mem = '8MB';
-- expect altered procedure app.p(integer): settings

-- case a procedure transforms a type
drop procedure app.p;
create procedure app.p(a int) language sql transform for type int as 'select a';
-- expect altered procedure app.p(integer): transforms

-- case a procedure changes hands
alter procedure app.p owner to case_owner;
-- expect altered procedure app.p(integer): owner

-- case a role may call a procedure
grant execute on procedure app.p to case_reader;
-- expect altered procedure app.p(integer): grants

-- case not everybody may call a procedure
revoke execute on procedure app.p from public;
-- expect altered procedure app.p(integer): revokes

-- case a procedure is commented
comment on procedure app.p is 'p';
-- expect altered procedure app.p(integer): comment
