-- setup
create extension postgres_fdw;
create foreign data wrapper w options (password 'pl4nted');
create foreign data wrapper two options (a 'pl4nted', b 'pl4nted');

-- case a wrapper is dropped
drop foreign data wrapper w;
-- expect missing foreign_data_wrapper w

-- case a wrapper is made by hand
create foreign data wrapper extra;
-- expect unexpected foreign_data_wrapper extra

-- case a wrapper has a handler
alter foreign data wrapper w handler public.postgres_fdw_handler;
-- expect altered foreign_data_wrapper w: handler

-- case a wrapper has a validator
drop foreign data wrapper w;
create foreign data wrapper w validator pg_catalog.postgresql_fdw_validator;
-- expect altered foreign_data_wrapper w: option_names, validator

-- case a wrapper has another option
alter foreign data wrapper w options (add host 'pl4nted');
-- expect altered foreign_data_wrapper w: option_names

-- case an option of a wrapper has another value
alter foreign data wrapper w options (set password 'other');
-- expect nothing

-- case a wrapper changes hands
alter foreign data wrapper w owner to case_super;
-- expect altered foreign_data_wrapper w: owner

-- case a role may use a wrapper
grant usage on foreign data wrapper w to case_reader;
-- expect altered foreign_data_wrapper w: grants

-- case the owner may not use a wrapper
revoke usage on foreign data wrapper w from current_user;
-- expect altered foreign_data_wrapper w: revokes

-- case a wrapper is commented
comment on foreign data wrapper w is 'w';
-- expect altered foreign_data_wrapper w: comment

-- case the options of a wrapper stand in another order
alter foreign data wrapper two options (drop a);
alter foreign data wrapper two options (add a 'pl4nted');
-- expect nothing
