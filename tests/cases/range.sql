-- setup
create schema app;
create function app.gap(a float8, b float8) returns float8 language sql immutable as 'select a - b';
create type app.span as range (subtype = float8);
create type app.words as range (subtype = text);
create type app.whole;
create function app.round_off(app.whole) returns app.whole language internal immutable strict as 'int4range_canonical';
create type app.whole as range (subtype = int4);

-- case a range is dropped, with the functions that came with it
drop type app.words;
-- expect missing range app.words

-- case a range is made by hand
create type app.extra as range (subtype = int8);
-- expect unexpected range app.extra

-- case a range is of another type
drop type app.words;
create type app.words as range (subtype = varchar);
-- expect altered range app.words: subtype

-- case the multirange has another name
drop type app.words;
create type app.words as range (subtype = text, multirange_type_name = app.many_words);
-- expect altered range app.words: multirange

-- case a range has another operator class
drop type app.words;
create type app.words as range (subtype = text, subtype_opclass = text_pattern_ops);
-- expect altered range app.words: opclass

-- case a range sorts in another way
drop type app.words;
create type app.words as range (subtype = text, collation = "C");
-- expect altered range app.words: collation

-- case a range has a canonical form
drop type app.whole cascade;
create type app.whole;
create function app.round_off(app.whole) returns app.whole language internal immutable strict as 'int4range_canonical';
create type app.whole as range (subtype = int4, canonical = app.round_off);
-- expect altered range app.whole: canonical

-- case a range knows distances
drop type app.span;
create type app.span as range (subtype = float8, subtype_diff = app.gap);
-- expect altered range app.span: subtype_diff

-- case a range changes hands
alter type app.span owner to case_owner;
-- expect altered range app.span: owner

-- case a role may use a range
grant usage on type app.span to case_reader;
-- expect altered range app.span: grants

-- case not everybody may use a range
revoke usage on type app.span from public;
-- expect altered range app.span: revokes

-- case a range is commented
comment on type app.span is 'span';
-- expect altered range app.span: comment
