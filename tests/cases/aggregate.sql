-- setup
create schema app;
create function app.done(int) returns text language sql immutable as 'select $1::text';
create function app.again(int) returns text language sql immutable as 'select $1::text || $1';
create function app.done_typed(int, int) returns text language sql immutable as 'select $1::text';
create function app.add(int, int) returns int language sql immutable strict as 'select $1 + $2';
create function app.add(bigint, int) returns bigint language sql immutable as 'select $1 + $2';
create function app.take(int, int) returns int language sql immutable strict as 'select $1 - $2';
create function app.take(bigint, int) returns bigint language sql immutable as 'select $1 - $2';
create function app.done(bigint) returns text language sql immutable as 'select $1::text';
create function app.three(int, int, int) returns int language sql immutable as 'select $1';
create aggregate app.a(int) (sfunc = int4pl, stype = int, initcond = '0');
create aggregate app.ended(int) (sfunc = app.add, stype = int, finalfunc = app.done);
create aggregate app.moving(int) (
  sfunc = int4pl, stype = int, finalfunc = app.done,
  msfunc = app.add, minvfunc = app.take, mstype = int, mfinalfunc = app.done
);
create aggregate app.moving_typed(int) (
  sfunc = int4pl, stype = int, finalfunc = app.done_typed, finalfunc_extra,
  msfunc = app.add, minvfunc = app.take, mstype = int, mfinalfunc = app.done_typed, mfinalfunc_extra
);
create aggregate app.two(int, int) (sfunc = app.three, stype = int);
create aggregate app.ordered(int order by int) (sfunc = int4pl, stype = int);
create aggregate app.average(bigint) (
  sfunc = int8_avg_accum, stype = internal, finalfunc = numeric_poly_avg,
  combinefunc = int8_avg_combine, serialfunc = int8_avg_serialize, deserialfunc = int8_avg_deserialize, parallel = safe
);
create aggregate app.greatest(int) (sfunc = int4larger, stype = int);

-- case an aggregate is dropped
drop aggregate app.a(int);
-- expect missing aggregate app.a(integer)

-- case an aggregate is made by hand
create aggregate app.extra(int) (sfunc = int4pl, stype = int);
-- expect unexpected aggregate app.extra(integer)

-- case an argument has a name
drop aggregate app.a(int);
create aggregate app.a(n int) (sfunc = int4pl, stype = int, initcond = '0');
-- expect altered aggregate app.a(integer): arguments

-- case an aggregate returns its state
drop aggregate app.ended(int);
create aggregate app.ended(int) (sfunc = app.add, stype = int);
-- expect altered aggregate app.ended(integer): final_function, returns

-- case an aggregate counts in another way
create or replace aggregate app.a(int) (sfunc = int4mi, stype = int, initcond = '0');
-- expect altered aggregate app.a(integer): state_function

-- case an aggregate has another state
drop aggregate app.ended(int);
create aggregate app.ended(int) (sfunc = app.add, stype = bigint, finalfunc = app.done);
-- expect altered aggregate app.ended(integer): final_function, state_function, state_type

-- case the size of a state is given
create or replace aggregate app.a(int) (sfunc = int4pl, stype = int, initcond = '0', sspace = 100);
-- expect altered aggregate app.a(integer): state_size

-- case an aggregate ends in another way
create or replace aggregate app.ended(int) (sfunc = app.add, stype = int, finalfunc = app.again);
-- expect altered aggregate app.ended(integer): final_function

-- case an aggregate ends with all arguments
create or replace aggregate app.ended(int) (sfunc = app.add, stype = int, finalfunc = app.done_typed, finalfunc_extra);
-- expect altered aggregate app.ended(integer): final_extra, final_function

-- case the end of an aggregate writes to its state
create or replace aggregate app.ended(int) (sfunc = app.add, stype = int, finalfunc = app.done, finalfunc_modify = read_write);
-- expect altered aggregate app.ended(integer): final_modify

-- case an aggregate can be put together
create or replace aggregate app.a(int) (sfunc = int4pl, stype = int, initcond = '0', combinefunc = int4pl);
-- expect altered aggregate app.a(integer): combine_function

-- case the state of an aggregate stays where it is
create or replace aggregate app.average(bigint) (
  sfunc = int8_avg_accum, stype = internal, finalfunc = numeric_poly_avg, combinefunc = int8_avg_combine, parallel = safe
);
-- expect altered aggregate app.average(bigint): deserial_function, serial_function

-- case an aggregate begins elsewhere
create or replace aggregate app.a(int) (sfunc = int4pl, stype = int, initcond = '1');
-- expect altered aggregate app.a(integer): initial_value

-- case an aggregate may use an index
create or replace aggregate app.greatest(int) (sfunc = int4larger, stype = int, sortop = >);
-- expect altered aggregate app.greatest(integer): sort_operator

-- case an aggregate may run in parallel
create or replace aggregate app.a(int) (sfunc = int4pl, stype = int, initcond = '0', parallel = safe);
-- expect altered aggregate app.a(integer): parallel

-- case an aggregate is made again as it was
create or replace aggregate app.a(int) (sfunc = int4pl, stype = int, initcond = '0');
-- expect nothing

-- case a moving aggregate counts in another way
create or replace aggregate app.moving(int) (
  sfunc = int4pl, stype = int, finalfunc = app.done,
  msfunc = int4pl, minvfunc = app.take, mstype = int, mfinalfunc = app.done
);
-- expect altered aggregate app.moving(integer): moving_state_function

-- case a moving aggregate counts back in another way
create or replace aggregate app.moving(int) (
  sfunc = int4pl, stype = int, finalfunc = app.done,
  msfunc = app.add, minvfunc = int4mi, mstype = int, mfinalfunc = app.done
);
-- expect altered aggregate app.moving(integer): moving_inverse_function

-- case a moving aggregate has another state
create or replace aggregate app.moving(int) (
  sfunc = int4pl, stype = int, finalfunc = app.done,
  msfunc = app.add, minvfunc = app.take, mstype = bigint, mfinalfunc = app.done
);
-- expect altered aggregate app.moving(integer): moving_final_function, moving_inverse_function, moving_state_function, moving_state_type

-- case the size of a moving state is given
create or replace aggregate app.moving(int) (
  sfunc = int4pl, stype = int, finalfunc = app.done,
  msfunc = app.add, minvfunc = app.take, mstype = int, mfinalfunc = app.done, msspace = 100
);
-- expect altered aggregate app.moving(integer): moving_state_size

-- case a moving aggregate ends in another way
create or replace aggregate app.moving(int) (
  sfunc = int4pl, stype = int, finalfunc = app.done,
  msfunc = app.add, minvfunc = app.take, mstype = int, mfinalfunc = app.again
);
-- expect altered aggregate app.moving(integer): moving_final_function

-- case a moving aggregate ends with all arguments
create or replace aggregate app.moving(int) (
  sfunc = int4pl, stype = int, finalfunc = app.done,
  msfunc = app.add, minvfunc = app.take, mstype = int, mfinalfunc = app.done_typed, mfinalfunc_extra
);
-- expect altered aggregate app.moving(integer): moving_final_extra, moving_final_function

-- case the end of a moving aggregate writes to its state
create or replace aggregate app.moving(int) (
  sfunc = int4pl, stype = int, finalfunc = app.done,
  msfunc = app.add, minvfunc = app.take, mstype = int, mfinalfunc = app.done, mfinalfunc_modify = read_write
);
-- expect altered aggregate app.moving(integer): moving_final_modify

-- case a moving aggregate begins elsewhere
create or replace aggregate app.moving(int) (
  sfunc = int4pl, stype = int, finalfunc = app.done,
  msfunc = app.add, minvfunc = app.take, mstype = int, mfinalfunc = app.done, minitcond = '1'
);
-- expect altered aggregate app.moving(integer): moving_initial_value

-- case an aggregate moves no longer
create or replace aggregate app.moving(int) (sfunc = int4pl, stype = int, finalfunc = app.done);
-- expect altered aggregate app.moving(integer): moving_final_function, moving_inverse_function, moving_state_function, moving_state_type

-- case an aggregate wants its rows in order
drop aggregate app.two(int, int);
create aggregate app.two(int order by int) (sfunc = int4pl, stype = int, finalfunc = app.three, finalfunc_extra);
-- expect altered aggregate app.two(integer, integer): aggregate_kind, arguments, direct_arguments, final_extra, final_function, state_function

-- case an aggregate changes hands
alter aggregate app.a(int) owner to case_owner;
-- expect altered aggregate app.a(integer): owner

-- case a role may call an aggregate
grant execute on function app.a(int) to case_reader;
-- expect altered aggregate app.a(integer): grants

-- case not everybody may call an aggregate
revoke execute on function app.a(int) from public;
-- expect altered aggregate app.a(integer): revokes

-- case an aggregate is commented
comment on aggregate app.a(int) is 'a';
-- expect altered aggregate app.a(integer): comment
