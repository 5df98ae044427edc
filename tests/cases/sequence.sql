-- setup
create schema app;
create sequence app.s;
create table app.t (id serial, n int default nextval('app.s'));
create sequence "app"."With ""Quotes"", and more";
create table app.u (n int default nextval('"app"."With ""Quotes"", and more"'));

-- case a sequence is dropped
drop sequence app.s cascade;
-- expect missing sequence app.s
-- expect altered column app.t.n: default

-- case a sequence is made by hand
create sequence app.extra;
-- expect unexpected sequence app.extra

-- case a sequence is renamed
alter sequence app.s rename to s_two;
-- expect altered sequence app.s: name

-- case the sequence of a serial column is renamed
alter sequence app.t_id_seq rename to old_id_seq;
-- expect altered sequence app.t_id_seq: name

-- case a sequence with a strange name is renamed
alter sequence app."With ""Quotes"", and more" rename to "It's ""another""";
-- expect altered sequence app.With "Quotes", and more: name

-- case a sequence counts in another type
alter sequence app.s as int;
-- expect altered sequence app.s: maximum, type

-- case a sequence starts elsewhere
alter sequence app.s start 100;
-- expect altered sequence app.s: start

-- case a sequence counts in other steps
alter sequence app.s increment 2;
-- expect altered sequence app.s: increment

-- case a sequence counts from below
alter sequence app.s minvalue -10;
-- expect altered sequence app.s: minimum

-- case a sequence ends
alter sequence app.s maxvalue 1000;
-- expect altered sequence app.s: maximum

-- case a sequence is cached
alter sequence app.s cache 20;
-- expect altered sequence app.s: cache

-- case a sequence begins again
alter sequence app.s cycle;
-- expect altered sequence app.s: cycle

-- case a sequence is not logged
alter sequence app.s set unlogged;
-- needs pg>=15
-- expect altered sequence app.s: persistence

-- case a sequence belongs to nothing
alter sequence app.t_id_seq owned by none;
-- expect altered sequence app.t_id_seq: owned_by

-- case a sequence belongs to another column
alter sequence app.t_id_seq owned by app.t.n;
-- expect altered sequence app.t_id_seq: owned_by

-- case a sequence is drawn from and set
select nextval('app.s'), setval('app.t_id_seq', 1000);
alter sequence app.s restart with 77;
-- expect nothing

-- case a sequence changes hands
alter sequence app.s owner to case_owner;
-- expect altered sequence app.s: owner

-- case a role may draw from a sequence
grant usage on sequence app.s to case_writer;
-- expect altered sequence app.s: grants

-- case the owner may not set a sequence
revoke update on sequence app.s from current_user;
-- expect altered sequence app.s: revokes

-- case a sequence is commented
comment on sequence app.s is 'numbers';
-- expect altered sequence app.s: comment
