-- setup
-- built
create schema app;
create table app.t (id int primary key, secret text);
create table app.shared (id int primary key, secret text);
grant select (id) on app.shared to case_reader;
create table app.log (id serial);
alter table app.log owner to case_owner;
create function app.f(a int) returns int language sql as 'select a';
create function app.safe(a int) returns int language sql as 'select a';
revoke execute on function app.safe from public;
create table app.rows (id int);
create policy mine on app.rows to current_user using (true);
alter default privileges in schema app grant select on sequences to case_reader;

-- case what nobody declared is granted
grant select on app.t to case_reader;
grant usage on schema app to case_reader;
revoke execute on function app.f from public;
-- expect info altered table app.t: grants
-- expect info altered schema app: grants
-- expect info altered function app.f(integer): revokes

-- case more is granted than is declared
grant select on app.shared to case_reader;
grant execute on function app.safe to case_reader;
-- expect altered table app.shared: grants
-- expect altered function app.safe(integer): grants

-- case less is granted than is declared
revoke select (id) on app.shared from case_reader;
grant execute on function app.safe to public;
-- expect altered column app.shared.id: grants
-- expect altered function app.safe(integer): revokes

-- case a right on one column is granted where one on another is declared
grant select (secret) on app.shared to case_writer;
-- expect altered column app.shared.secret: grants

-- case a table that nobody gave an owner changes hands
alter table app.t owner to case_writer;
-- expect info altered table app.t: owner

-- case a table that has an owner changes hands
alter table app.log owner to case_writer;
-- expect altered sequence app.log_id_seq: owner
-- expect altered table app.log: owner

-- case everything that nobody gave an owner belongs to who migrates the database
alter schema app owner to case_writer;
alter table app.t owner to case_writer;
alter table app.shared owner to case_writer;
alter function app.f owner to case_writer;
alter function app.safe owner to case_writer;
alter table app.rows owner to case_writer;
alter policy mine on app.rows to case_writer;
-- expect missing default_privilege app.OWNER sequences
-- expect unexpected default_privilege app.postgres sequences
-- expect note owner

-- case default privileges are somebody else's
alter default privileges in schema app revoke select on sequences from case_reader;
alter default privileges for role case_writer in schema app grant select on sequences to case_reader;
-- expect missing default_privilege app.OWNER sequences
-- expect unexpected default_privilege app.case_writer sequences

-- case default privileges that nobody declared
alter default privileges for role case_writer in schema app grant select on tables to case_reader;
-- expect info unexpected default_privilege app.case_writer tables

-- case new tables are readable by default privileges
alter default privileges in schema app grant select on tables to case_reader;
grant select on app.t, app.rows to case_reader;
-- expect info unexpected default_privilege app.postgres tables

-- case a role that is called otherwise here
alter table app.log owner to case_writer;
revoke select (id) on app.shared from case_reader;
grant select (id) on app.shared to case_super;
alter default privileges in schema app revoke select on sequences from case_reader;
alter default privileges in schema app grant select on sequences to case_super;
-- scope role case_writer case_owner
-- scope role case_super case_reader
-- expect nothing

-- case who migrates is configured
alter table app.t owner to case_writer;
alter policy mine on app.rows to case_writer;
-- scope role case_writer owner
-- scope role postgres owner
-- expect nothing

-- case a policy is for another role
alter policy mine on app.rows to case_writer;
-- expect altered policy app.rows.mine: roles
