-- setup
create schema app;
create function app.f() returns trigger language plpgsql as 'begin return new; end';
create function app.g() returns trigger language plpgsql as 'begin return null; end';
create table app.t (id int, name text);
create trigger touch before insert on app.t for each row execute function app.f();
create trigger after_all after insert on app.t for each row execute function app.g();
create view app.v as select id from app.t;
create trigger instead_of instead of insert on app.v for each row execute function app.f();

-- case a trigger is dropped
drop trigger touch on app.t;
-- expect missing trigger app.t.touch

-- case a trigger of a view is dropped
drop trigger instead_of on app.v;
-- expect missing trigger app.v.instead_of

-- case a trigger is made by hand
create trigger extra after delete on app.t for each statement execute function app.g();
-- expect unexpected trigger app.t.extra

-- case a trigger is renamed
alter trigger touch on app.t rename to touched;
-- expect altered trigger app.t.touch: name

-- case a trigger fires at another time
drop trigger touch on app.t;
create trigger touch before insert or update of name on app.t for each row when (new.id > 0) execute function app.f();
-- expect altered trigger app.t.touch: definition

-- case a trigger calls another function
drop trigger touch on app.t;
create trigger touch before insert on app.t for each row execute function app.g();
-- expect altered trigger app.t.touch: definition

-- case a trigger sees the rows
drop trigger after_all on app.t;
create trigger after_all after insert on app.t referencing new table as fresh for each statement execute function app.g();
-- expect altered trigger app.t.after_all: definition

-- case a trigger becomes a constraint
drop trigger after_all on app.t;
create constraint trigger after_all after insert on app.t deferrable for each row execute function app.g();
-- expect altered trigger app.t.after_all: constraint, definition

-- case a trigger is disabled
alter table app.t disable trigger touch;
-- expect altered trigger app.t.touch: enabled

-- case a trigger fires on replicas
alter table app.t enable replica trigger touch;
-- expect altered trigger app.t.touch: enabled

-- case a trigger fires always
alter table app.t enable always trigger touch;
-- expect altered trigger app.t.touch: enabled

-- case a trigger is commented
comment on trigger touch on app.t is 'touch';
-- expect altered trigger app.t.touch: comment
