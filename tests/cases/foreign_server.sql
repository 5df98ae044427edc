-- setup
create foreign data wrapper w;
create foreign data wrapper w_two;
create server s type 'old' version '1' foreign data wrapper w options (host 'h', password 'pl4nted');
create server lone foreign data wrapper w;
create user mapping for public server lone options (password 'pl4nted');

-- case a server is dropped
drop server s;
-- expect missing foreign_server s

-- case a server is dropped with its mappings
drop server lone cascade;
-- expect missing foreign_server lone

-- case a server is made by hand
create server extra foreign data wrapper w;
-- expect unexpected foreign_server extra

-- case a server has another wrapper
drop server s;
create server s type 'old' version '1' foreign data wrapper w_two options (host 'h', password 'pl4nted');
-- expect altered foreign_server s: wrapper

-- case a server is of another type
drop server s;
create server s type 'new' version '1' foreign data wrapper w options (host 'h', password 'pl4nted');
-- expect altered foreign_server s: type

-- case a server has another version
alter server s version '2';
-- expect altered foreign_server s: version

-- case a server has another option
alter server s options (add port '5433');
-- expect altered foreign_server s: option_names

-- case the password of a server is another one
alter server s options (set password 'other');
-- expect nothing

-- case a server changes hands
alter server s owner to case_super;
-- expect altered foreign_server s: owner

-- case a role may use a server
grant usage on foreign server s to case_reader;
-- expect altered foreign_server s: grants

-- case the owner may not use a server
revoke usage on foreign server s from current_user;
-- expect altered foreign_server s: revokes

-- case a server is commented
comment on server s is 's';
-- expect altered foreign_server s: comment
