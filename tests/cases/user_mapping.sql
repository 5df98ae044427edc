-- setup
create foreign data wrapper w;
create server s foreign data wrapper w;
create user mapping for public server s options (password 'pl4nted');
create publication s;

-- case a mapping is dropped
drop user mapping for public server s;
-- expect missing user_mapping s.PUBLIC

-- case a mapping is dropped, and a publication of the server's name
drop user mapping for public server s;
drop publication s;
-- expect missing user_mapping s.PUBLIC
-- expect missing publication s

-- case a mapping is made by hand
create user mapping for case_reader server s options (user 'x', password 'pl4nted');
-- expect unexpected user_mapping s.case_reader

-- case the password of a mapping is another one
alter user mapping for public server s options (set password 'other');
-- expect nothing
