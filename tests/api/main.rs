//! The API from outside: requests over a socket to the real binary, whole answers compared, line by line of the contract.
//!
//! Each server is the program itself on a free port, in a data directory of its own, seeded by its own commands
//! ([`appliance`]) or, for states that no command makes, by the store beside it ([`seed`]). Only [`patience`] runs the server
//! within the test process, for limits that a test can wait for.
//!
//! What the API promises, and the test that holds it to that:
//!
//! | promise | test |
//! | --- | --- |
//! | **Keys** | |
//! | the token comes in `ld-api-key`, once; no cookie and no bearer token | `permissions::a_key_that_is_missing_malformed_or_unknown_is_a_401` |
//! | its form; shown once; only a hash is kept | `keys::a_keys_token_is_shown_once_and_works` |
//! | an expiry is demanded, and at most 365 days ahead | `keys::a_bad_key_is_refused_with_the_path_of_each_issue`, `keys::a_key_may_live_for_365_days_and_null_is_absent` |
//! | kinds of roles; a key with permissions of its own has a role of its own | `roles::a_fresh_appliance_has_its_system_role`, `core_endpoints::…` by shape |
//! | the tree; the most specific list counts, also when it is empty | `permissions::a_visible_deployment_without_the_permission_is_a_403_and_an_invisible_one_a_404` |
//! | to manage is to read | `roles::a_role_is_answered_resolved_with_manage_expanded_to_read` |
//! | each endpoint asks for its permission, and no other one will do | `strangers::a_key_with_every_permission_but_the_one_is_refused_at_every_endpoint`, `permissions::each_core_endpoint_asks_for_its_permission` |
//! | a key that is bound to a division sees that division alone | `permissions::a_division_bound_key_sees_that_division_alone`, `strangers::what_lies_outside_a_keys_division_reads_like_what_is_not_there` |
//! | addresses and blocks; forwarded addresses from trusted proxies alone | `keys::a_key_works_from_the_addresses_on_its_list_alone`, `keys::a_forwarded_address_counts_from_a_trusted_proxy_alone` |
//! | requests a minute, `retry-after`; a stranger takes nothing from a key's rate | `limits::a_key_over_its_rate_is_a_429_and_other_keys_are_not`, `limits::a_stranger_with_a_bound_key_takes_nothing_from_its_rate` |
//! | failed logins a minute of an address | `limits::an_address_that_fails_too_often_gets_429_for_failing_requests_alone`, `limits::two_addresses_do_not_share_their_failures` |
//! | 401 for missing, malformed, unknown, expired, revoked, another tenant's | `permissions::…_is_a_401…`, `keys::a_revoked_key_is_a_401_at_its_next_request`, `core_endpoints::another_tenants_path_is_a_401_and_its_deployment_a_404` |
//! | 403 and 404, and that what exists elsewhere is not told | `strangers::another_tenants_things_read_like_things_that_are_not_there`, `strangers::what_is_no_id_is_the_id_of_nothing` |
//! | what makes a division visible | `permissions::a_division_is_visible_by_an_environment_in_it_and_readable_with_the_permission` |
//! | nobody goes beyond their own permissions or division | `keys::nobody_makes_a_key_beyond_their_own_permissions_or_division`, `roles::nobody_makes_changes_or_deletes_a_role_beyond_their_own_permissions` |
//! | **Every answer** | |
//! | `ld-request`, fresh, in the log too | `problems::every_request_has_an_id_of_its_own`, `real::…`, and every answer by [`client`] |
//! | the fields of a problem, exactly; `field` and `field_issues` | every refusal by [`client`]; `roles::a_bad_role_is_refused_with_the_path_of_each_issue` |
//! | 404 for unknown paths, 405 with `allow`, 413, 415 | `problems::an_unknown_path_is_a_problem_with_or_without_a_key`, `problems::a_method_that_a_path_does_not_know_is_a_405_with_allow`, `problems::a_body_over_its_limit_is_a_413_and_one_of_another_type_a_415` |
//! | 408 after the time for a body | `patience::a_client_that_drips_its_body_is_a_408_and_let_go` |
//! | 500 without a word of why; 503 with `retry-after` | `problems::a_database_that_is_gone_is_a_500_without_a_word_of_why`, `logs::no_answer_says_where_anything_is_or_what_failed_within`, `problems::a_database_that_is_busy_for_too_long_is_a_503_that_passes` |
//! | pages: defaults, 100 at most, `link`, past the end | `snapshots::pages_follow_each_other_newest_first_and_links_lead_through_them`, `snapshots::the_list_has_exactly_the_contracts_fields` |
//! | a page that is none | `snapshots::a_page_or_a_count_of_results_that_is_none_is_refused` |
//! | times | every time by [`shape`] |
//! | a made thing's id in a header | `roles::made` in each of its tests |
//! | idempotency keys: same, other, running, per key, 255 characters | `idempotency::the_same_trigger_again_is_the_same_snapshot`, `…another_method_path_or_body_under_the_same_key_is_refused`, `…two_at_once_make_one`, `…each_api_key_has_idempotency_keys_of_its_own_and_a_put_honours_them_too`, `…an_idempotency_key_has_1_to_255_characters` |
//! | ten minutes; over a restart; secrets in memory alone; a crash forgets what ran | `idempotency::a_first_answer_is_kept_for_ten_minutes`, `…a_first_answer_outlives_the_server_unless_it_holds_a_secret`, `…one_that_runs_is_told_apart_from_one_that_ran_and_a_crash_forgets_it` |
//! | only successes are kept | `idempotency::an_error_is_not_kept` |
//! | what the parser refuses is no problem document | `sockets::what_is_no_http_is_refused_and_disturbs_nobody`, `sockets::headers_over_their_limit_are_a_431` |
//! | **Snapshots** | |
//! | a row per node, one name; any row's id leads to the whole | `triggers::one_trigger_makes_a_row_per_node_and_one_that_cannot_be_reached_ends_with_a_report_that_says_so`, `snapshots::the_detail_shows_the_row_its_archive_and_the_rows_beside_it` |
//! | two statuses; over when every row is | `triggers::a_snapshot_is_over_when_every_row_of_it_is` |
//! | one in progress per deployment | `triggers::a_second_trigger_while_one_is_in_progress_is_refused` |
//! | expiry is fixed when it is made | `triggers::each_plan_keeps_what_it_says_for_as_long_as_it_says` |
//! | POST: 204, name, defaults, wrong types and unknown fields | `triggers::a_trigger_answers_204_and_names_its_snapshot`, `…an_absent_or_empty_body_means_the_defaults_and_each_option_is_kept`, `…a_wrong_type_and_an_unknown_field_are_refused_and_trigger_nothing` |
//! | POST: 409 for the plan's count, without nodes; 507 | `triggers::the_plans_count_is_a_limit_that_names_the_oldest_and_its_end`, `…a_deployment_without_nodes_has_no_snapshot`, `…below_the_reserve_or_at_its_limit_the_store_of_archives_takes_no_snapshot` |
//! | names: two in one second | `triggers::the_later_of_two_in_one_second_has_another_name` |
//! | GET: the fields, their order, `null` while processing, no pages of nothing | `snapshots::the_list_has_exactly_the_contracts_fields`, `…ids_beyond_two_to_the_53_are_numbers_to_the_last_digit` |
//! | over by a deadline | `triggers::a_snapshot_is_over_by_its_deadline` |
//! | download: a URL, 409 while processing, 404 | `snapshots::a_download_is_a_url_once_the_row_is_completed` |
//! | download of what was never written, or went since: 404 `archive_not_found` | `snapshots::a_row_whose_archive_was_never_written_says_so_and_is_no_download`, `…a_row_whose_archive_went_from_the_disk_is_no_download_and_neither_is_a_link_of_it` |
//! | the URL: appliance or public URL, lifetime, signature over all of it | `links::links_begin_with_the_public_url`, `…a_link_lives_as_long_as_the_configuration_says`, `…a_link_has_each_of_its_parts_once_as_it_was_signed` |
//! | GET and HEAD of it, headers, ranges, conditions, resuming | `links::an_archive_comes_whole_with_its_name_its_length_and_its_tag` and those that follow it |
//! | 403 for a link that was changed or is late, 404 once the row is gone | `links::a_link_that_was_changed_opens_nothing…`, `…a_link_past_its_time_says_so`, `snapshots::a_deleted_row_is_gone_with_its_archive_and_every_url_of_it` |
//! | links and new signing keys | `links::a_link_outlives_a_new_signing_key_as_long_as_the_old_one_is_kept` |
//! | DELETE: row, archive and URLs; one at work is cancelled | `snapshots::a_deleted_row_is_gone_with_its_archive_and_every_url_of_it`, `triggers::deleting_a_row_at_work_cancels_it_and_makes_room_for_the_next` |
//! | the archive and what is in it | `real::a_snapshot_of_this_host_goes_from_trigger_to_archive_and_is_gone_when_deleted` |
//! | plans: count by trigger, days | `triggers::each_plan_keeps_what_it_says_for_as_long_as_it_says`, `…a_snapshot_counts_once_however_many_nodes_it_has_and_an_expired_one_not_at_all` |
//! | past its retention it is off the list at once, off the disk soon | `snapshots::what_is_past_its_retention_is_off_the_list_at_once_and_off_the_disk_soon` |
//! | a clock that jumps ahead wipes nothing | needs a clock in hand: `orchestrator`'s own tests of its retention clock |
//! | **Core** | |
//! | each endpoint's required fields, types and closed lists | `core_endpoints::…`, `roles::…`, `keys::…`, by [`shape`] |
//! | what is out of scope | `core_endpoints::what_is_out_of_scope_is_a_404` |
//! | roles: partial change, used names, system roles | `roles::a_change_is_partial_and_replaces_the_tree_as_a_whole`, `…a_name_is_used_once`, `…a_role_that_keys_have_stays` |
//! | keys: filter, context, security, revocation, limits | `keys::the_list_is_filtered_by_name_and_its_links_keep_the_filter`, `…the_context_is_the_calling_key`, `…there_are_as_many_keys_and_roles_as_the_tenant_may_have` |
//! | **Around it** | |
//! | health, readiness, metrics | `problems::health_is_told_without_a_key`, `problems::metrics_are_text_for_this_host_and_for_a_key_alone` |
//! | slow, silent and many clients | [`patience`], [`sockets`], `hostile::five_thousand_connections_take_no_more_than_their_limit_and_leave_a_server_that_answers` |
//! | no secret in the log | [`logs`] |
//! | hostile requests | [`hostile`] |

#![expect(clippy::unwrap_used, reason = "a test that cannot get what it needs has failed")]

mod appliance;
mod client;
mod seed;
mod shape;

mod core_endpoints;
mod hostile;
mod idempotency;
mod keys;
mod limits;
mod links;
mod logs;
mod patience;
mod permissions;
mod problems;
mod real;
mod roles;
mod snapshots;
mod sockets;
mod strangers;
mod triggers;
