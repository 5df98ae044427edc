"""Pages, JSON, metrics and health: shows what the ledger holds and decides nothing.

view         what the application is given: read this first
answers      the documents of the JSON interface; check_answers those of the checks
description  how what is remembered becomes a document
acceptance   what people accept: checked, written, listed
operating    that somebody is at an incident, and quiet; operating_routes is its JSON
overview     reads the ledger, makes the documents; pages and JSON share it
listing      which databases the overview lists: filter, order, pages
news, events what is new at the databases, told to open pages at once
chronicle    what happened at a database; plots draws a month of it
incident_looks  the looks while an incident lasted; checks what is looked at beside the schema
telling      what was told about an incident, in words
marking      expected beside actual, with what differs marked
api          the routes of the JSON interface
pages        the routes for people; templates and static files beside it
wording      how times, values and hostile names are written on a page
health       /livez, /readyz and /metrics
auth         who may see what: tokens, the cookie, the same-origin rule
acceptance_forms, operating_forms  the forms by which a page does the same
forms        reads the fields of a form, and leads back
hooks        what platforms report; pushing: the locks that pipelines push
templating   the one Jinja environment
login        the form that trades a token for the cookie
headers      what every answer carries
limits       how much a request may bring
problems     every error in one shape
app          the parts put together
access       one log line a request, without secrets
server       sockets and uvicorn in our own loop; connection: how long a slow peer may take
"""
