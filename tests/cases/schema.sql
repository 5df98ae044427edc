-- setup
create schema app;
create schema other;
create table other.t (id int);
create index on other.t (id);

-- case an empty schema is dropped
drop schema app;
-- expect missing schema app

-- case a schema is dropped with all that is in it
drop schema other cascade;
-- expect missing schema other
-- expect missing table other.t

-- case a schema is made by hand
create schema extra;
-- expect unexpected schema extra

-- case public is dropped
drop schema public;
-- expect missing schema public

-- case a schema changes hands
alter schema app owner to case_owner;
-- expect altered schema app: owner

-- case public changes hands
alter schema public owner to case_owner;
-- expect altered schema public: owner

-- case a role may use a schema
grant usage on schema app to case_reader;
-- expect altered schema app: grants

-- case anybody may use public, by hand
grant create on schema public to case_reader;
-- expect altered schema public: grants

-- case public is closed
revoke usage on schema public from public;
-- expect altered schema public: revokes

-- case public is dropped and made anew, so that nobody but its owner may use it
drop schema public;
create schema public;
-- expect altered schema public: revokes

-- case the owner may not create
revoke create on schema app from current_user;
-- expect altered schema app: revokes

-- case a schema is commented
comment on schema app is 'of the application';
-- expect altered schema app: comment

-- case the comment of public says nothing
comment on schema public is null;
-- expect nothing

-- case a privilege is granted and taken away again
grant usage on schema app to case_reader;
revoke usage on schema app from case_reader;
-- expect nothing
