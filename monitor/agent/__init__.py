"""The composition root: builds the objects, starts them, drains them, stops them.

life      from the start to the end
parts     the parts of a running agent, and what connects them
checks    what is done beside the look at a schema, and when
deploys   what was deployed is looked at, and one line told
routes    the channels that are configured
channel_watch  a broken channel is announced on the others
keeper    tells Alertmanager again what is open
lifelines the heartbeat, and Sentry's check-in
choices   what the settings of a database mean for a look at it
gauges    the series that the metrics begin with
reach     who is told of what, and where a message leads
"""
