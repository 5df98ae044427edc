-- setup
create schema app;
create domain app.email as text check (value like '%@%');
create domain app.code as varchar(20) default 'x';

-- case a domain is dropped with its check
drop domain app.email;
-- expect missing domain app.email

-- case a domain is made by hand
create domain app.extra as int check (value > 0);
-- expect unexpected domain app.extra

-- case a domain is of another type
drop domain app.code;
create domain app.code as varchar(30) default 'x';
-- expect altered domain app.code: type

-- case a domain must be filled
alter domain app.code set not null;
-- expect altered domain app.code: not_null

-- case a domain has another default
alter domain app.code set default 'y';
-- expect altered domain app.code: default

-- case a domain has no default
alter domain app.code drop default;
-- expect altered domain app.code: default

-- case a domain sorts in another way
drop domain app.code;
create domain app.code as varchar(20) collate "C" default 'x';
-- expect altered domain app.code: collation

-- case a domain changes hands
alter domain app.code owner to case_owner;
-- expect altered domain app.code: owner

-- case a role may use a domain
grant usage on domain app.code to case_reader;
-- expect altered domain app.code: grants

-- case not everybody may use a domain
revoke usage on domain app.code from public;
-- expect altered domain app.code: revokes

-- case a domain is commented
comment on domain app.code is 'code';
-- expect altered domain app.code: comment
