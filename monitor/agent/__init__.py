"""The composition root: builds the objects, starts them, drains them, stops them.

life      from the start to the end
parts     the parts of a running agent, and what connects them
routes    the channels that are configured
choices   what the settings of a database mean for a look at it
"""
