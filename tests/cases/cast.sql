-- setup
create schema app;
create type app.pair as (a int, b text);
create function app.to_text(app.pair) returns text language sql immutable as 'select ($1).b';
create function app.to_words(app.pair) returns text language sql immutable as 'select ($1).b || ($1).a';
create cast (app.pair as text) with function app.to_text(app.pair);
create cast (app.pair as varchar) with inout;

-- case a cast is dropped
drop cast (app.pair as text);
-- expect missing cast app.pair AS text

-- case a cast is made by hand
create cast (app.pair as json) with inout;
-- expect unexpected cast app.pair AS json

-- case a cast calls another function
drop cast (app.pair as text);
create cast (app.pair as text) with function app.to_words(app.pair);
-- expect altered cast app.pair AS text: function

-- case a cast goes through text
drop cast (app.pair as text);
create cast (app.pair as text) with inout;
-- expect altered cast app.pair AS text: function, method

-- case a cast is made in assignments
drop cast (app.pair as text);
create cast (app.pair as text) with function app.to_text(app.pair) as assignment;
-- expect altered cast app.pair AS text: context

-- case a cast is made anywhere
drop cast (app.pair as varchar);
create cast (app.pair as varchar) with inout as implicit;
-- expect altered cast app.pair AS character varying: context

-- case a cast is commented
comment on cast (app.pair as text) is 'second part';
-- expect altered cast app.pair AS text: comment
