"""The configuration: from variables, a YAML document and defaults to checked settings.

values       durations, names and secrets, read from text
section      what the models are made of
scope        what of a database is compared
databases    the settings of one database
smoke        suites of smoke tests; smoke_steps, smoke_texts: their steps, what stands in them
settings     all settings; the only place that says what there is
outline      the same as a table of keys
flaws        what is wrong, collected and told together
document     YAML with `${VAR}` -> a tree that knows its lines
environment  variables -> a tree that knows their names
shape        only known keys, each of its kind; `_file` keys read
merge        one tree of all
smoke_secrets  where the secrets of suites are -> what they are
check        the tree -> settings and flaws
place        where the document is, and where the ledger is
load         all of that, top to bottom
starter      a first document, for the databases that the environment names
railway      the agent as Railway's infrastructure as code describes it
policy       the settings -> the patience of incidents
show         settings for people: masked, and as a reference page
"""

from monitor.config.databases import DatabaseSettings
from monitor.config.flaws import Problem
from monitor.config.load import LoadedConfig, load_config, require_sound
from monitor.config.place import ConfigPlace, StorePlace, find_config_place, judge_store
from monitor.config.policy import make_policy
from monitor.config.settings import Settings, SlackSettings, WebhookSettings
from monitor.config.show import mask_config, render_settings_reference
from monitor.config.values import MASK, DatabaseUrl, Expected, StoreUrl

__all__ = [
    "MASK",
    "ConfigPlace",
    "DatabaseSettings",
    "DatabaseUrl",
    "Expected",
    "LoadedConfig",
    "Problem",
    "Settings",
    "SlackSettings",
    "StorePlace",
    "StoreUrl",
    "WebhookSettings",
    "find_config_place",
    "judge_store",
    "load_config",
    "make_policy",
    "mask_config",
    "render_settings_reference",
    "require_sound",
]
