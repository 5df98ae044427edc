"""The traps of comparing schemas, each with the test that holds it or the reason it does not."""

from typing import Final

NOT_COMPARED: Final = (
    ("rows, and positions of sequences", "data, not schema; they change all the time"),
    ("statistics, sizes, visibility", "nothing that a migration promises"),
    ("physical order of columns", "a note: only `select *` and COPY without columns see it"),
    (
        "the version table, with its key, triggers and privileges",
        "its rows are the stamp: where it is missing, empty or hidden the verdict says so",
    ),
    (
        "name, comment and statistics targets of the index of a partition",
        "it comes with the index of its parent, which is compared",
    ),
    (
        "names of a partition's foreign keys, comments on its inherited checks and triggers",
        "they come with those of its parent, which are compared",
    ),
    (
        "DEPENDS ON EXTENSION",
        "says what goes when the extension is dropped, nothing about how things are",
    ),
    (
        "whether a materialized view was ever filled",
        "like rows, it changes with each REFRESH; a query of one that was not fails at once",
    ),
    (
        "name, comment, privileges and persistence of the sequence of an identity column",
        "the column has its options; inserting needs no privilege on it",
    ),
    (
        "privileges on the server's own objects, and who granted a privilege",
        "an installation is hardened by hand, not by an application's migration",
    ),
    (
        (
            "what a history grants on the schema public, where it is built on a given server "
            "below PostgreSQL 15 by a role that is no superuser"
        ),
        "the schema is the superuser's there, and the server only warns",
    ),
    (
        "heap, named as the access method of a partitioned table (17)",
        "partitions get the same where it is the server's default, as everywhere but by intent",
    ),
    (
        "names and comments of NOT NULL constraints",
        "made up by PostgreSQL 18, and differ after a restore; the column tells validity",
    ),
    (
        "values of options of servers and user mappings, and subscriptions",
        "they hold passwords: only the names of a server's options are read",
    ),
    (
        (
            "base types, collations, conversions, languages, access methods, operator classes and "
            "families"
        ),
        "counted: another number is a note, so that silence is never a claim",
    ),
    ("text search objects, transforms, security labels, parameter grants", "counted"),
    ("settings of the database", "counted"),
    ("roles, tablespaces, replication slots", "they belong to the server, not to the database"),
    (
        "what somebody put into the schemas of the server itself",
        "only a superuser can; dumps leave it out as well",
    ),
    (
        "the schema of the operator class and the collation of a range",
        "their names are compared; two of one name in two schemas are a gap",
    ),
    ("temporary objects", "they belong to one session"),
    (
        "members of extensions, and what ALTER EXTENSION ADD made one",
        "the version of the extension stands for them; some make members while they run",
    ),
    ("large objects", "data"),
)
"""What, and why."""

TRAPS: Final = (
    (
        "settings of a role or database that change texts",
        ("sources/test_catalog.py::test_the_settings_of_a_role_do_not_change_a_word",),
    ),
    (
        "information_schema hides what a role has no rights on",
        ("sources/test_catalog.py::test_a_role_that_may_only_connect_sees_the_same_schema",),
    ),
    (
        "the version table may be unreadable: unknown, never empty",
        (
            "sources/test_catalog_scope.py::test_row_security_makes_a_version_table_unreadable_and_no_error",
            "sources/test_catalog_scope.py::test_a_role_that_may_read_the_one_column_sees_the_revisions",
        ),
    ),
    (
        "deparsers read the catalog of now, not of the snapshot",
        (
            "sources/test_reading.py::test_a_schema_that_changes_all_the_time_is_never_told_wrongly",
        ),
    ),
    (
        "deparsers wait for ALTER TABLE",
        (
            "sources/test_reading.py::test_a_table_that_a_migration_locks_is_read_with_the_texts_known_before",
            "sources/test_reading.py::test_a_locked_table_of_which_no_text_is_known_is_being_migrated",
        ),
    ),
    (
        "deparsing a view keeps what it reads locked until the transaction ends",
        ("sources/test_reading.py::test_few_queries_are_deparsed_in_one_transaction",),
    ),
    (
        "a text that was read before goes stale when something is renamed",
        (
            "sources/test_reading.py::test_a_text_follows_what_it_names",
            "sources/test_cases.py::test_a_planted_drift_is_told_exactly",
        ),
    ),
    (
        "poolers in transaction mode",
        ("sources/test_pgbouncer.py::test_a_snapshot_is_the_same_through_a_pooler",),
    ),
    (
        "a standby has no transactions of its own, and replay locks",
        ("sources/test_standby.py::test_a_standby_is_read_like_its_primary",),
    ),
    (
        "a union that cuts texts to the 63 bytes of a name",
        ("sources/test_catalog_texts.py::test_no_text_is_cut",),
    ),
    (
        "quotes, dots, newlines and unicode in names",
        ("sources/test_catalog_texts.py::test_hostile_names_come_back_as_they_are",),
    ),
    (
        "object numbers and the order of rows differ after a restore",
        ("sources/test_catalog.py::test_the_order_of_rows_means_nothing",),
    ),
    (
        "positions of sequences, REINDEX, VACUUM FULL, CLUSTER, TRUNCATE",
        (
            "sources/test_catalog.py::test_what_does_not_touch_the_schema_does_not_touch_the_fingerprint",
        ),
    ),
    (
        "majors spell and store the same schema in other ways",
        ("sources/test_catalog.py::test_every_major_tells_the_same_schema_alike",),
    ),
    (
        "one expression has several spellings: IN and = ANY, BETWEEN, dump and restore",
        (
            "checks/test_spelling.py::test_dump_and_restore_respell_texts_everywhere_and_all_are_notes",
            "checks/test_spelling.py::test_two_spellings_of_one_thing_are_a_note",
            "sources/test_catalog.py::test_dump_and_restore_are_no_drift",
        ),
    ),
    (
        "a cast that means something is no spelling",
        ("checks/test_spelling.py::test_what_means_something_else_is_drift",),
    ),
    (
        "views name the table of a column or not, depending on the major",
        (
            "checks/test_spelling_servers.py::test_a_view_that_another_major_wrote_is_read_again",
            "checks/test_spelling_majors.py::test_an_upgrade_by_dump_and_restore_is_no_drift",
        ),
    ),
    (
        "now() and CURRENT_TIMESTAMP, CURRENT_DATE and ('now'::text)::date",
        ("core/test_spelling.py::test_synonyms_have_one_word",),
    ),
    (
        "no server at hand that could tell a spelling: neither an alarm nor silence",
        (
            "checks/test_spelling_servers.py::test_without_a_server_a_doubt_is_information_that_says_what_to_do",
            "checks/test_spelling_servers.py::test_without_a_server_what_differs_for_certain_keeps_its_severity",
        ),
    ),
    (
        "types, orders, operator classes and labels that can be written in several ways",
        (
            "sources/test_lookalikes.py::test_one_schema_written_in_two_ways_is_one_schema",
            "sources/test_lookalikes.py::test_what_looks_almost_alike_is_told",
        ),
    ),
    (
        "a shadow has another default locale than production",
        ("sources/test_lookalikes.py::test_the_locale_of_a_database_is_no_difference",),
    ),
    (
        "serial, identity and a sequence made by hand; a serial that lost its default",
        ("sources/test_lookalikes.py::test_what_looks_almost_alike_is_told",),
    ),
    (
        "a default in quotes freezes the moment of the migration",
        ("sources/test_rebuild.py::test_defaults_that_were_frozen_are_unstable_and_never_drift",),
    ),
    (
        "migrations name tables after the day on which they run",
        (
            "sources/test_rebuild.py::test_what_is_named_after_today_is_unstable_in_every_month",
            "sources/test_rebuild.py::test_what_sql_names_after_the_month_of_the_build_is_no_drift_later",
            "sources/test_rebuild.py::test_a_month_to_come_that_was_dropped_is_missed_where_a_later_one_is_there",
        ),
    ),
    (
        "an index that is being built is not a broken one",
        (
            "sources/test_reading.py::test_an_index_that_is_being_built_is_told_apart_from_a_broken_one",
            "watch/test_migrating.py::test_an_index_that_is_being_built_is_a_note_for_half_an_hour",
        ),
    ),
    (
        "a migration in flight is not drift, and a stuck one must not mute it",
        (
            "watch/test_migrating.py::test_what_differs_while_somebody_changes_the_schema_is_not_drift",
            "watch/test_migrating.py::test_a_transaction_that_is_stuck_does_not_mute_drift",
        ),
    ),
    (
        "new time partitions, old ones that are detached, a DETACH that nobody finished",
        (
            "core/test_scope_partitions.py::test_extra_partitions_are_allowed_and_counted",
            "core/test_scope_partitions.py::test_a_partition_that_is_being_detached_is_always_told",
            "sources/test_scoped_cases.py::test_what_is_compared_is_told_exactly",
        ),
    ),
    (
        "what extensions make while they run, and what is behind a table of theirs",
        (
            "core/test_scope_managed.py::test_templates_of_pg_partman_are_its_own_where_it_is_installed",
            "core/test_scope_managed.py::test_a_child_of_a_table_that_an_extension_brought_goes_with_it",
        ),
    ),
    (
        "schemas of platforms, and schemas of the application that are called alike",
        (
            "core/test_scope_managed.py::test_what_supabase_keeps_is_counted_and_not_compared",
            "core/test_scope_managed.py::test_a_schema_of_such_a_name_is_the_applications_where_no_platform_is",
        ),
    ),
    (
        "a shadow's role is not production's: not a thousand findings",
        (
            "sources/test_scope.py::test_what_a_shadow_built_is_what_another_role_migrated",
            "core/test_scope_roles.py::test_the_odd_one_among_the_owners_is_told",
        ),
    ),
    (
        "GRANT and REVOKE leave an explicit ACL; privileges that nobody declared",
        (
            "sources/test_cases.py::test_a_planted_drift_is_told_exactly",
            "core/test_diff_declared.py::test_what_a_shadow_does_not_declare_is_information",
        ),
    ),
    (
        "PostgreSQL 15 takes CREATE on public from everybody, and a dump carries it along",
        ("sources/test_scope.py::test_a_schema_public_is_the_same_on_a_newer_server",),
    ),
    (
        "the same thing under another name: conventions, suffixes, 63 bytes, swaps, equal ones",
        (
            "sources/test_cases.py::test_a_planted_drift_is_told_exactly",
            "core/test_diff_renames.py::test_two_names_that_were_swapped_are_two_renames",
            "checks/test_spelling.py::test_what_was_renamed_and_then_dumped_and_restored_is_renamed_and_no_more",
        ),
    ),
    (
        "leftovers of REINDEX CONCURRENTLY",
        ("sources/test_scope.py::test_what_a_failed_reindex_leaves_behind_is_an_invalid_index",),
    ),
    (
        "a monitor that sees nothing is green as well",
        ("sources/test_selftest.py::test_every_drift_is_seen",),
    ),
    (
        "what is ignored hides what comes later, and nobody remembers why",
        (
            "watch/test_waivers.py::test_a_further_change_of_what_was_accepted_speaks_again",
            "watch/test_waivers.py::test_a_change_inside_of_a_table_that_was_accepted_speaks_again",
            "watch/test_waivers.py::test_an_acceptance_ends_with_its_day_and_people_are_told_again",
            "core/test_waivers.py::test_a_rule_that_matches_nothing_is_a_finding_and_one_that_does_is_none",
        ),
    ),
    (
        "a dot in a name is taken for one between names by a pattern",
        ("core/test_patterns.py::test_the_pattern_of_an_object_matches_it_and_no_other",),
    ),
    (
        "expressions of a watched database are never evaluated: that burns values of sequences",
        (
            "sources/test_catalog.py::test_what_does_not_touch_the_schema_does_not_touch_the_fingerprint",
        ),
    ),
    (
        "several version tables, and rows of branches",
        (
            "checks/test_two_histories.py::test_the_version_table_of_another_application_says_nothing_about_ours",
            "checks/test_history.py::test_the_stamp_is_what_all_version_tables_hold",
            "checks/test_history.py::test_the_stamp_is_judged_by_the_history",
        ),
    ),
    (
        "a model that cannot be built is no drift of the database",
        (
            "watch/test_inspection.py::test_a_migration_that_fails_in_the_shadow_says_nothing_about_the_database",
        ),
    ),
    (
        "the database is ahead of the running image for some minutes of each deployment",
        (
            "core/test_step.py::test_in_a_deploy_window_only_unreachable_is_told",
            "watch/test_pipeline.py::test_in_the_window_of_a_deployment_only_unreachable_is_told",
        ),
    ),
    (
        "one finding told again and again, or by each agent",
        (
            "core/test_step.py::test_what_is_open_is_not_told_again",
            "core/test_step.py::test_the_id_of_an_incident_is_the_same_for_every_agent",
            "core/test_step.py::test_an_incident_that_comes_back_while_recovering_goes_on",
        ),
    ),
    (
        "a look that failed taken for a look that found nothing",
        ("core/test_step.py::test_a_look_that_failed_resolves_nothing",),
    ),
    (
        "a message that is lost, or sent twice, when the agent or the receiver dies",
        (
            "e2e/test_agent_process.py::test_a_message_survives_kill_9_between_decision_and_delivery",
            "e2e/test_agent_process.py::test_a_message_survives_kill_9_while_the_receiver_is_down",
        ),
    ),
    (
        "a revision that was edited after it was released, inserted below one, or has a twin",
        (
            "core/test_lock_check.py::test_a_file_that_was_edited_after_it_was_locked_is_told",
            "core/test_lock_check.py::test_a_revision_below_a_locked_one_is_told_with_where_it_belongs",
            "core/test_lock_check.py::test_two_files_of_one_revision_are_told",
        ),
    ),
    (
        "a revision that was applied by half, stamped without running, or run without a stamp",
        (
            "core/test_diagnosis.py::test_the_first_steps_of_a_revision_that_commits_on_its_way_are_half_of_it",
            "core/test_diagnosis.py::test_a_stamp_that_was_moved_forward_without_running_names_what_never_ran",
            "core/test_diagnosis.py::test_a_stamp_that_was_moved_back_names_what_is_there_already",
            "watch/test_history.py::test_a_look_names_the_cause_and_not_its_consequences",
        ),
    ),
    (
        "a series of metrics for each object",
        (
            "sinks/test_metrics.py::test_differences_are_counted_by_kind_and_change_with_their_zeros",
        ),
    ),
)
"""The trap, and the tests that hold it, from the folder of tests on."""

LATER: Final = (
    (
        "unknown revisions: squashed, of another branch, ahead, mistyped",
        "told as `unknown_revision`; which of them it is comes with the locks of other commits",
    ),
    (
        "the version of a collation that the operating system changed",
        "damages indexes without changing the schema: comes with the health of a database",
    ),
    ("rows without the row that they refer to", "data: comes with the checks of data"),
)
"""What the list of traps knows and this release does not tell, and why."""
