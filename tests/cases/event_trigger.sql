-- setup
create schema app;
create function app.f() returns event_trigger language plpgsql as 'begin end';
create function app.g() returns event_trigger language plpgsql as 'begin end';
create event trigger watch on ddl_command_end when tag in ('CREATE TABLE', 'DROP TABLE') execute function app.f();

-- case an event trigger is dropped
drop event trigger watch;
-- expect missing event_trigger watch

-- case an event trigger is made by hand
create event trigger extra on sql_drop execute function app.g();
-- expect unexpected event_trigger extra

-- case an event trigger is renamed
alter event trigger watch rename to guard;
-- expect missing event_trigger watch
-- expect unexpected event_trigger guard

-- case an event trigger is for another event
drop event trigger watch;
create event trigger watch on ddl_command_start when tag in ('CREATE TABLE', 'DROP TABLE') execute function app.f();
-- expect altered event_trigger watch: event

-- case an event trigger calls another function
drop event trigger watch;
create event trigger watch on ddl_command_end when tag in ('CREATE TABLE', 'DROP TABLE') execute function app.g();
-- expect altered event_trigger watch: function

-- case an event trigger is for other commands
drop event trigger watch;
create event trigger watch on ddl_command_end when tag in ('CREATE TABLE') execute function app.f();
-- expect altered event_trigger watch: tags

-- case the commands of an event trigger stand in another order
drop event trigger watch;
create event trigger watch on ddl_command_end when tag in ('DROP TABLE', 'CREATE TABLE') execute function app.f();
-- expect nothing

-- case an event trigger is disabled
alter event trigger watch disable;
-- expect altered event_trigger watch: enabled

-- case an event trigger changes hands
alter event trigger watch owner to case_super;
-- expect altered event_trigger watch: owner

-- case an event trigger is commented
comment on event trigger watch is 'watch';
-- expect altered event_trigger watch: comment
