-- setup
create schema app;
create table app.t (a int constraint positive check (a > 0), b varchar(10));
create table app.heir () inherits (app.t);
create domain app.email as text constraint has_at check (value like '%@%');
create table app.events (at date) partition by range (at);
create table app.events_25 partition of app.events for values from ('2025-01-01') to ('2026-01-01');

-- case a check is dropped
alter table app.t drop constraint positive;
-- expect missing check app.t.positive

-- case a check is added by hand
alter table app.t add check (b in ('x', 'y'));
-- expect unexpected check app.t.t_b_check

-- case an heir has a check of its own
alter table app.heir add constraint small check (a < 9);
-- expect unexpected check app.heir.small

-- case a check is renamed
alter table app.t rename constraint positive to above_zero;
-- expect altered check app.t.positive: name

-- case a check says something else
alter table app.t drop constraint positive, add constraint positive check (a >= 0);
-- expect altered check app.t.positive: expression

-- case a check is not inherited
alter table app.t drop constraint positive;
alter table app.t add constraint positive check (a > 0) no inherit;
-- expect altered check app.t.positive: no_inherit

-- case a check was never made
alter table app.t drop constraint positive;
alter table app.t add constraint positive check (a > 0) not valid;
-- expect altered check app.t.positive: valid

-- case a check is validated
alter table app.t drop constraint positive;
alter table app.t add constraint positive check (a > 0) not valid;
alter table app.t validate constraint positive;
-- expect nothing

-- case a check is not enforced
alter table app.t drop constraint positive;
alter table app.t add constraint positive check (a > 0) not enforced;
-- needs pg>=18
-- expect altered check app.t.positive: enforced, valid

-- case a check is commented
comment on constraint positive on app.t is 'above zero';
-- expect altered check app.t.positive: comment

-- case a check of a domain is dropped
alter domain app.email drop constraint has_at;
-- expect missing check app.email.has_at

-- case a check of a domain is added by hand
alter domain app.email add constraint short check (length(value) < 99);
-- expect unexpected check app.email.short

-- case a check of a domain is renamed
alter domain app.email rename constraint has_at to with_at;
-- expect altered check app.email.has_at: name

-- case a check of a domain says something else
alter domain app.email drop constraint has_at;
alter domain app.email add constraint has_at check (value like '%@%.%');
-- expect altered check app.email.has_at: expression

-- case a check of a domain was never made
alter domain app.email drop constraint has_at;
alter domain app.email add constraint has_at check (value like '%@%') not valid;
-- expect altered check app.email.has_at: valid

-- case a check of a domain is commented
comment on constraint has_at on domain app.email is 'with an at sign';
-- expect altered check app.email.has_at: comment

-- case a check of a partitioned table is told once
alter table app.events add constraint recent check (at > '2000-01-01');
-- expect unexpected check app.events.recent

-- case a check of a partition is its own
alter table app.events_25 add constraint recent check (at > '2000-01-01');
-- expect unexpected check app.events_25.recent
