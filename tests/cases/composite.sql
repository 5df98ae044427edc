-- setup
create schema app;
create type app.pair as (a int, b text);
create type app.nothing as ();

-- case a composite type is dropped
drop type app.nothing;
-- expect missing composite app.nothing

-- case a composite type is made by hand
create type app.extra as (a int);
-- expect unexpected composite app.extra

-- case a composite type has one field more
alter type app.pair add attribute c int;
-- expect altered composite app.pair: fields

-- case a field is of another type
alter type app.pair alter attribute a type bigint;
-- expect altered composite app.pair: fields

-- case a field is renamed
alter type app.pair rename attribute a to aa;
-- expect altered composite app.pair: fields

-- case a field sorts in another way
alter type app.pair alter attribute b type text collate "C";
-- expect altered composite app.pair: fields

-- case the fields stand in another order
alter type app.pair drop attribute a, add attribute a int;
-- expect altered composite app.pair: fields

-- case a composite type changes hands
alter type app.pair owner to case_owner;
-- expect altered composite app.pair: owner

-- case a role may use a composite type
grant usage on type app.pair to case_reader;
-- expect altered composite app.pair: grants

-- case not everybody may use a composite type
revoke usage on type app.pair from public;
-- expect altered composite app.pair: revokes

-- case a composite type is commented
comment on type app.pair is 'two';
-- expect altered composite app.pair: comment
