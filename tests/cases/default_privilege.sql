-- setup
create schema app;
alter default privileges for role case_owner in schema app grant select on tables to case_reader;
alter default privileges for role case_owner revoke execute on functions from public;

-- case default privileges are gone
alter default privileges for role case_owner in schema app revoke select on tables from case_reader;
-- expect missing default_privilege app.case_owner tables

-- case default privileges of the whole database are gone
alter default privileges for role case_owner grant execute on functions to public;
-- expect missing default_privilege case_owner functions

-- case default privileges are made by hand
alter default privileges for role case_owner in schema app grant usage on sequences to case_writer;
-- expect unexpected default_privilege app.case_owner sequences

-- case default privileges go further
alter default privileges for role case_owner in schema app grant insert on tables to case_writer;
-- expect altered default_privilege app.case_owner tables: grants

-- case default privileges can be passed on
alter default privileges for role case_owner in schema app grant select on tables to case_reader with grant option;
-- expect altered default_privilege app.case_owner tables: grants

-- case default privileges of the whole database take more away
alter default privileges for role case_owner revoke execute on functions from case_owner;
-- expect altered default_privilege case_owner functions: revokes
