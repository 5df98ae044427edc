"""The composition root: builds the objects, starts them, drains them, stops them.

life      from the start to the end
parts     the parts of a running agent, and what connects them
roster    which databases there are, and what a look at each is at
looks     does what the schedule asks for, and shows what it came to
checks    what is done beside the look at a schema, and when
front     what the page, the API and the health checks are given
house     gauges that no event sets, and whether the ledger takes writes
trouble   what went wrong inside, for the heartbeat and the readiness
deploys   what was deployed is looked at, and one line told
routes    the channels that are configured
channel_watch  a broken channel is announced on the others
keeper    tells Alertmanager again what is open
lifelines the heartbeat, and Sentry's check-in
choices   what the settings of a database mean for a look at it
gauges    the series that the metrics begin with
reach     who is told of what, and where a message leads
"""
