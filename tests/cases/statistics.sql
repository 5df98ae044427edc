-- setup
create schema app;
create schema other;
create table app.t (a int, b int, c int);
create table other.t (a int, b int, c int);
create statistics app.st (dependencies) on a, b from app.t;
create statistics app.st_expression (mcv) on a, (b + c) from app.t;

-- case extended statistics are dropped
drop statistics app.st;
-- expect missing statistics app.t.st

-- case extended statistics are made by hand
create statistics app.extra on b, c from app.t;
-- expect unexpected statistics app.t.extra

-- case extended statistics are renamed
alter statistics app.st rename to st_two;
-- expect altered statistics app.t.st: name

-- case extended statistics are of another kind
drop statistics app.st;
create statistics app.st (ndistinct, mcv) on a, b from app.t;
-- expect altered statistics app.t.st: kinds

-- case extended statistics are of other columns
drop statistics app.st;
create statistics app.st (dependencies) on a, c from app.t;
-- expect altered statistics app.t.st: columns

-- case extended statistics are of another expression
drop statistics app.st_expression;
create statistics app.st_expression (mcv) on a, (b - c) from app.t;
-- expect altered statistics app.t.st_expression: expressions

-- case extended statistics have a target
alter statistics app.st set statistics 500;
-- expect altered statistics app.t.st: target

-- case extended statistics are of a table in another schema
drop statistics app.st;
create statistics app.st (dependencies) on a, b from other.t;
-- expect altered statistics app.t.st: table_schema

-- case a table is dropped with its statistics
drop table app.t;
-- expect missing table app.t

-- case extended statistics change hands
alter statistics app.st owner to case_owner;
-- expect altered statistics app.t.st: owner

-- case extended statistics are commented
comment on statistics app.st is 'a and b';
-- expect altered statistics app.t.st: comment
