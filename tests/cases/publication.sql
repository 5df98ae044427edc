-- setup
create schema app;
create table app.t (id int primary key, name text);
create table app.u (id int primary key);
create publication pub for table app.t;
create publication empty;

-- case a publication is dropped
drop publication pub;
-- expect missing publication pub

-- case a publication is made by hand
create publication extra;
-- expect unexpected publication extra

-- case a publication is of all tables
drop publication empty;
create publication empty for all tables;
-- expect altered publication empty: all_tables

-- case a publication tells fewer operations
alter publication pub set (publish = 'insert, update');
-- expect altered publication pub: operations

-- case a publication tells nothing
alter publication pub set (publish = '');
-- expect altered publication pub: operations

-- case the operations stand in another order
alter publication pub set (publish = 'truncate, delete, update, insert');
-- expect nothing

-- case partitions are published as their root
alter publication pub set (publish_via_partition_root = true);
-- expect altered publication pub: via_root

-- case generated columns are published
alter publication pub set (publish_generated_columns = stored);
-- needs pg>=18
-- expect altered publication pub: generated_columns

-- case a schema is published
alter publication empty add tables in schema app;
-- needs pg>=15
-- expect altered publication empty: schemas

-- case another table is published
alter publication pub add table app.u;
-- expect altered publication pub: tables

-- case tables are published in another order
drop publication pub;
create publication pub for table app.u;
alter publication pub add table app.t;
alter publication pub drop table app.u;
-- expect nothing

-- case rows are filtered
alter publication pub set table app.t where (id > 0);
-- needs pg>=15
-- expect altered publication pub: tables

-- case columns are left out
alter publication pub set table app.t (id);
-- needs pg>=15
-- expect altered publication pub: tables

-- case a publication changes hands
alter publication pub owner to case_super;
-- expect altered publication pub: owner

-- case a publication is commented
comment on publication pub is 'pub';
-- expect altered publication pub: comment
