-- setup
create schema app;
create function app.same(int, int) returns boolean language sql immutable as 'select $1 = $2';
create function app.text_of(int, int) returns text language sql immutable as 'select $1::text';
create operator app.=== (leftarg = int, rightarg = int, function = int4eq);
create operator app.!== (leftarg = int, rightarg = int, function = int4ne);
create operator app.!!! (rightarg = int, function = int4um);

-- case an operator is dropped
drop operator app.=== (int, int);
-- expect missing operator app.===(integer, integer)

-- case a prefix operator is dropped
drop operator app.!!! (none, int);
-- expect missing operator app.!!!(NONE, integer)

-- case an operator is made by hand
create operator app.~~~ (leftarg = text, rightarg = text, function = texteq);
-- expect unexpected operator app.~~~(text, text)

-- case an operator calls another function
drop operator app.=== (int, int);
create operator app.=== (leftarg = int, rightarg = int, function = app.same);
-- expect altered operator app.===(integer, integer): function

-- case an operator returns something else
drop operator app.=== (int, int);
create operator app.=== (leftarg = int, rightarg = int, function = app.text_of);
-- expect altered operator app.===(integer, integer): function, returns

-- case an operator commutes
drop operator app.=== (int, int);
create operator app.=== (leftarg = int, rightarg = int, function = int4eq, commutator = operator(app.===));
-- expect altered operator app.===(integer, integer): commutator

-- case an operator and its negator
drop operator app.=== (int, int);
create operator app.=== (leftarg = int, rightarg = int, function = int4eq, negator = operator(app.!==));
-- expect altered operator app.===(integer, integer): negator
-- expect altered operator app.!==(integer, integer): negator

-- case the planner estimates an operator
alter operator app.=== (int, int) set (restrict = eqsel);
-- expect altered operator app.===(integer, integer): restriction

-- case the planner estimates joins on an operator
alter operator app.=== (int, int) set (join = eqjoinsel);
-- expect altered operator app.===(integer, integer): join

-- case an operator can be hashed
drop operator app.=== (int, int);
create operator app.=== (leftarg = int, rightarg = int, function = int4eq, hashes);
-- expect altered operator app.===(integer, integer): hashes

-- case an operator can be merged
drop operator app.=== (int, int);
create operator app.=== (leftarg = int, rightarg = int, function = int4eq, merges);
-- expect altered operator app.===(integer, integer): merges

-- case an operator waits for its commutator
create operator app.<== (leftarg = int, rightarg = bigint, function = int48lt, commutator = operator(app.==>));
-- expect unexpected operator app.<==(integer, bigint)

-- case an operator changes hands
alter operator app.=== (int, int) owner to case_owner;
-- expect altered operator app.===(integer, integer): owner

-- case an operator is commented
comment on operator app.=== (int, int) is 'same';
-- expect altered operator app.===(integer, integer): comment
