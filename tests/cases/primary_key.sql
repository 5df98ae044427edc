-- setup
create schema app;
create table app.t (id int, n int not null, during tstzrange not null, constraint t_pkey primary key (id));
create table app.bare (id int not null, n int not null);
create extension btree_gist;
create table app.versions (id int4range, during tstzrange, constraint versions_pkey primary key (id, during));

-- case a primary key is dropped
alter table app.t drop constraint t_pkey;
alter table app.t alter column id set not null;
-- expect missing primary_key app.t.t_pkey

-- case a primary key is added by hand
alter table app.bare add primary key (id);
-- expect unexpected primary_key app.bare.bare_pkey

-- case a primary key is renamed
alter table app.t rename constraint t_pkey to t_key;
-- expect altered primary_key app.t.t_pkey: name

-- case the index of a primary key is renamed, and the key with it
alter index app.t_pkey rename to t_key;
-- expect altered primary_key app.t.t_pkey: name

-- case a renamed primary key is the index of CLUSTER ON
alter table app.t cluster on t_pkey;
alter table app.t rename constraint t_pkey to t_key;
-- expect altered primary_key app.t.t_pkey: name
-- expect altered table app.t: cluster_index

-- case a primary key has other columns
alter table app.t drop constraint t_pkey, alter column id set not null, add constraint t_pkey primary key (id, n);
-- expect altered primary_key app.t.t_pkey: columns

-- case a primary key carries another column
alter table app.t drop constraint t_pkey, alter column id set not null, add constraint t_pkey primary key (id) include (n);
-- expect altered primary_key app.t.t_pkey: include

-- case a primary key has a storage parameter
alter index app.t_pkey set (fillfactor = 50);
-- expect altered primary_key app.t.t_pkey: options

-- case a primary key is moved to another tablespace
alter index app.t_pkey set tablespace case_space;
-- expect altered primary_key app.t.t_pkey: tablespace

-- case the index of a primary key is not valid
update pg_index set indisvalid = false where indexrelid = 'app.t_pkey'::regclass;
-- expect altered primary_key app.t.t_pkey: valid

-- case a primary key may be deferred
alter table app.t drop constraint t_pkey, alter column id set not null, add constraint t_pkey primary key (id) deferrable;
-- expect altered primary_key app.t.t_pkey: deferrable

-- case a primary key is deferred
alter table app.t drop constraint t_pkey, alter column id set not null, add constraint t_pkey primary key (id) deferrable initially deferred;
-- expect altered primary_key app.t.t_pkey: deferrable, initially_deferred

-- case the last column of a primary key must not overlap
alter table app.versions drop constraint versions_pkey, add constraint versions_pkey primary key (id, during without overlaps);
-- needs pg>=18
-- expect altered primary_key app.versions.versions_pkey: period

-- case a primary key is commented
comment on constraint t_pkey on app.t is 'the key';
-- expect altered primary_key app.t.t_pkey: comment

-- case the index of a primary key is commented
comment on index app.t_pkey is 'the index';
-- expect altered primary_key app.t.t_pkey: index_comment

-- case a primary key is made of an index
create unique index t_id on app.t (id);
alter table app.t drop constraint t_pkey, alter column id set not null, add constraint t_pkey primary key using index t_id;
-- expect nothing
