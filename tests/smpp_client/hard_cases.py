"""The hard cases of an SMPP client, each with the tests that show its behaviour.

`CASES` maps the number of a case to its name and to tests as `file::test`, files below tests/.
"""

from typing import Final

_P: Final = "smpp_client/protocol/test_"
_E: Final = "smpp_client/engine/test_"
_R: Final = "smpp_client/rules/test_"
_S: Final = "campaigns/sending/test_"

BINDING, DELIVERIES, FRAMING = f"{_P}binding.py", f"{_P}deliveries.py", f"{_P}framing.py"
LINK, MESSAGES, PDUS = f"{_P}link.py", f"{_P}messages.py", f"{_P}pdus.py"
RECEIPTS, SUBMITTING, UNBINDING = f"{_P}receipts.py", f"{_P}submitting.py", f"{_P}unbinding.py"
PEERS, ENDINGS, SLOT = f"{_E}bad_peers.py", f"{_E}endings.py", f"{_E}slot.py"
COUNTED: Final = f"{SLOT}::test_faults_of_a_peer_are_counted_and_logged_now_and_then"
CLAIMS, FAULTS, STORED, TLS = f"{_S}claims.py", f"{_S}faults.py", f"{_S}receipts.py", f"{_S}tls.py"
INBOUND = f"{_S}inbound.py"
SEGMENTS, GSM, IDS = f"{_R}segments.py", f"{_R}gsm.py", f"{_R}message_ids.py"
ERRORS, ADDRESSES = f"{_R}errors.py", f"{_R}addresses.py"

CASES: Final[dict[int, tuple[str, tuple[str, ...]]]] = {
    # Stream and framing
    1: (
        "a PDU split at every octet",
        (
            f"{LINK}::test_a_stream_cut_at_every_octet_gives_the_same_events",
            f"{FRAMING}::test_one_octet_at_a_time_gives_the_same_pdus",
        ),
    ),
    2: (
        "200 PDUs in one read",
        (
            f"{LINK}::test_two_hundred_answers_in_one_read_are_all_taken",
            f"{FRAMING}::test_two_hundred_pdus_in_one_read_all_come_out",
        ),
    ),
    3: (
        "a pause inside a PDU",
        (
            f"{LINK}::test_a_pause_inside_a_pdu_loses_nothing",
            f"{LINK}::test_a_pdu_that_never_ends_closes_the_session",
        ),
    ),
    4: (
        "command_length 0, 4, 15",
        (f"{LINK}::test_a_short_length_is_nacked_once_and_closes",),
    ),
    5: (
        "command_length of gigabytes",
        (
            f"{LINK}::test_a_huge_length_closes_without_waiting_for_it",
            f"{FRAMING}::test_a_huge_length_allocates_nothing",
        ),
    ),
    6: (
        "longer than its fields",
        (f"{PDUS}::test_octets_after_the_fields_do_no_harm",),
    ),
    7: (
        "shorter than its fields",
        (
            f"{PDUS}::test_every_cut_of_the_mandatory_part_is_malformed",
            f"{DELIVERIES}::test_a_delivery_that_is_cut_short_is_never_accepted",
        ),
    ),
    8: (
        "another protocol on the port",
        (
            f"{LINK}::test_another_protocol_on_the_port_is_named",
            f"{LINK}::test_a_line_end_on_the_port_ends_by_a_timer",
            f"{PEERS}::test_twelve_bad_peers_get_no_bind_and_twelve_sentences",
        ),
    ),
    9: ("half a PDU, then the end", (f"{LINK}::test_half_a_pdu_and_the_end_is_a_drop",)),
    10: (
        "a reset during a write",
        (
            f"{SUBMITTING}::test_every_number_of_octets_taken_gives_each_segment_one_fate",
            f"{ENDINGS}::test_every_end_of_the_transport_is_a_drop_and_what_is_in_flight_is_unknown",
        ),
    ),
    11: (
        "a peer that stops reading",
        (f"{LINK}::test_a_peer_that_stops_reading_is_found_out_while_its_receipts_are_read",),
    ),
    12: (
        "TLS ends with or without close_notify",
        (f"{ENDINGS}::test_every_end_of_the_transport_is_a_drop_and_what_is_in_flight_is_unknown",),
    ),
    13: (
        "a handshake that is refused",
        (
            f"{PEERS}::test_twelve_bad_peers_get_no_bind_and_twelve_sentences",
            f"{TLS}::test_every_wrong_peer_gets_no_bind_and_its_own_sentence",
        ),
    ),
    14: (
        "certificate files are renewed",
        (f"{TLS}::test_new_certificate_files_are_used_by_the_next_bind",),
    ),
    # Bind and session
    15: (
        "a wrong password or system_id",
        (
            f"{BINDING}::test_wrong_credentials_are_an_alarm",
            f"{TLS}::test_a_refused_password_is_said_and_not_tried_in_a_hurry",
        ),
    ),
    16: ("already bound", (f"{BINDING}::test_already_bound_is_tried_later",)),
    17: ("no answer to the bind", (f"{BINDING}::test_a_bind_without_an_answer_ends_by_its_timer",)),
    18: (
        "bind_resp in every shape",
        (f"{BINDING}::test_a_bind_is_accepted_with_or_without_a_body",),
    ),
    19: (
        "deliver_sm or enquire_link before bind_resp",
        (
            f"{BINDING}::test_an_enquire_link_before_the_bind_is_accepted_is_answered",
            f"{BINDING}::test_a_delivery_before_the_bind_is_accepted_is_kept_and_the_bind_completes",
        ),
    ),
    20: ("generic_nack to the bind", (f"{BINDING}::test_a_nack_of_the_bind_refuses_it",)),
    21: (
        "the peer unbinds",
        (
            f"{UNBINDING}::test_the_peers_unbind_is_answered_and_closes",
            f"{UNBINDING}::test_after_the_peers_unbind_answers_are_awaited_for_a_short_time",
        ),
    ),
    22: (
        "unbind_resp never comes, receipts do",
        (
            f"{UNBINDING}::test_an_unbind_without_an_answer_closes",
            f"{UNBINDING}::test_a_receipt_between_unbind_and_its_response_is_stored_and_answered",
        ),
    ),
    23: (
        "commands without a place",
        (f"{LINK}::test_a_command_without_a_place_is_nacked_and_the_session_goes_on",),
    ),
    24: (
        "enquire_link into a full buffer",
        (
            f"{LINK}::test_an_enquire_link_is_answered_before_what_waits",
            f"{LINK}::test_an_enquire_link_is_answered_at_the_next_border_of_a_full_buffer",
        ),
    ),
    25: (
        "enquire_link_resp missing or late",
        (
            f"{LINK}::test_an_enquire_link_without_an_answer_closes",
            f"{LINK}::test_a_late_answer_to_enquire_link_is_passed_over",
        ),
    ),
    26: (
        "a storm of binds",
        (
            f"{ENDINGS}::test_each_failure_doubles_the_wait_up_to_a_bound",
            f"{SLOT}::test_waits_between_binds_are_bounded_and_never_the_same",
            f"{SLOT}::test_a_link_that_is_refused_all_the_time_costs_another_nothing",
            f"{TLS}::test_every_wrong_peer_gets_no_bind_and_its_own_sentence",
        ),
    ),
    27: (
        "two processes, one bind",
        (f"{FAULTS}::test_a_second_sender_waits_and_takes_over_when_the_first_is_killed",),
    ),
    # submit_sm and responses
    28: (
        "answers out of order",
        (f"{SUBMITTING}::test_answers_out_of_order_settle_their_own_segments",),
    ),
    29: (
        "an answer to nothing",
        (f"{SUBMITTING}::test_an_answer_to_nothing_is_counted_and_nothing_else", COUNTED),
    ),
    30: ("an answer twice", (f"{SUBMITTING}::test_a_second_answer_changes_nothing",)),
    31: (
        "an answer after our timer",
        (
            f"{SUBMITTING}::test_an_answer_after_our_timer_settles_the_unknown",
            f"{CLAIMS}::test_a_late_answer_settles_an_unknown",
        ),
    ),
    32: (
        "an answer that never comes",
        (
            f"{SUBMITTING}::"
            "test_an_answer_that_never_comes_makes_the_segment_unknown_and_frees_its_place",
            f"{FAULTS}::"
            "test_a_peer_that_falls_silent_makes_its_answers_unknown_and_late_ones_settle_them",
        ),
    ),
    33: (
        "accepted without an id",
        (
            f"{SUBMITTING}::"
            "test_accepted_without_an_id_is_accepted_and_says_that_receipts_cannot_match",
        ),
    ),
    34: (
        "submit_sm_resp without a body",
        (
            f"{PDUS}::test_a_message_id_is_read_as_it_is",
            f"{SUBMITTING}::"
            "test_accepted_without_an_id_is_accepted_and_says_that_receipts_cannot_match",
        ),
    ),
    35: (
        "an error that is a header only",
        (f"{SUBMITTING}::test_an_error_is_read_with_and_without_a_body",),
    ),
    36: (
        "ids of every shape",
        (
            f"{SUBMITTING}::test_an_id_is_kept_as_it_is",
            f"{PDUS}::test_a_message_id_is_read_as_it_is",
        ),
    ),
    37: (
        "one id for two messages",
        (f"{SUBMITTING}::test_one_id_for_two_segments_is_kept_for_both",),
    ),
    38: (
        "throttled once, always, every nth",
        (
            f"{SUBMITTING}::test_too_fast_defers_the_segment_and_slows_the_link",
            f"{SUBMITTING}::test_a_window_that_is_always_throttled_shrinks_to_one_and_comes_back",
            f"{SUBMITTING}::test_every_nth_throttled_keeps_count_and_order",
            f"{FAULTS}::test_throttled_segments_go_later_and_none_is_lost",
        ),
    ),
    39: ("a full queue", (f"{_R}throttles.py::test_a_full_queue_pauses_longer",)),
    40: (
        "passing and final errors",
        (
            f"{SUBMITTING}::test_a_status_decides_between_refused_and_deferred",
            f"{ERRORS}::test_a_status_has_its_class",
        ),
    ),
    41: (
        "codes of the operator's own",
        (
            f"{SUBMITTING}::test_the_operators_own_table_decides_first",
            f"{SUBMITTING}::test_a_code_of_the_operators_own_is_shown_raw",
        ),
    ),
    42: (
        "generic_nack with our number and with 0",
        (
            f"{SUBMITTING}::test_a_nack_with_our_number_fails_that_segment",
            f"{SUBMITTING}::test_a_nack_with_number_0_is_counted_only",
            COUNTED,
        ),
    ),
    43: (
        "cut after some answers",
        (
            f"{SUBMITTING}::test_a_cut_after_some_answers_leaves_exactly_the_others_unknown",
            f"{FAULTS}::"
            "test_a_link_that_drops_leaves_what_was_in_flight_unknown_and_sends_the_rest",
        ),
    ),
    44: (
        "kill -9 at any point",
        (
            f"{FAULTS}::test_ten_kills_of_the_sender_leave_no_duplicate_and_lose_nothing",
            f"{CLAIMS}::test_a_new_epoch_turns_what_is_open_into_unknown",
        ),
    ),
    45: (
        "sequence numbers wrap",
        (
            f"{SUBMITTING}::test_numbers_wrap_and_pass_over_those_in_use",
            f"{SUBMITTING}::test_a_wrapped_number_does_not_meet_a_late_answer",
        ),
    ),
    46: (
        "odd sequence numbers of the peer",
        (f"{LINK}::test_numbers_of_the_peer_are_echoed_as_they_are",),
    ),
    47: (
        "a window larger than the SMSC's",
        (f"{SUBMITTING}::test_complaints_about_one_round_shrink_the_window_once",),
    ),
    48: (
        "urgent beside bulk",
        (
            f"{_R}fairness.py::test_an_urgent_message_passes_a_bulk_campaign",
            f"{_S}urgent.py::test_calls_of_the_api_pass_a_bulk_campaign_that_has_the_full_rate",
        ),
    ),
    # Delivery receipts
    49: (
        "a receipt before its response",
        (
            f"{DELIVERIES}::test_a_receipt_before_its_response_is_told_before_it",
            f"{CLAIMS}::test_a_receipt_before_its_answer_is_matched_afterwards",
        ),
    ),
    50: (
        "a receipt whose response was lost",
        (
            f"{STORED}::test_a_receipt_alone_settles_an_unknown_when_nothing_else_can_be_meant",
            f"{STORED}::"
            "test_of_two_open_messages_to_one_person_neither_is_settled_without_a_reference",
        ),
    ),
    51: (
        "ids in another form",
        (f"{IDS}::test_ids_match_by_their_rule_and_never_across_rules",),
    ),
    52: (
        "options, text, both, payload, nothing",
        (
            f"{RECEIPTS}::test_a_receipt_of_options_only",
            f"{RECEIPTS}::test_a_receipt_of_text_only",
            f"{RECEIPTS}::test_of_both_that_contradict_the_options_win",
            f"{DELIVERIES}::test_a_receipt_that_contradicts_itself_is_told_and_counted",
            f"{RECEIPTS}::test_a_receipt_in_message_payload",
            f"{RECEIPTS}::test_a_receipt_without_anything_is_kept_as_unknown",
        ),
    ),
    53: (
        "texts of receipts vary",
        (
            f"{RECEIPTS}::test_the_text_varies_and_is_read",
            f"{RECEIPTS}::test_each_state_has_its_word",
        ),
    ),
    54: (
        "interim, final, late",
        (
            f"{DELIVERIES}::test_interim_and_final_are_told_in_the_order_in_which_they_came",
            f"{STORED}::test_any_order_of_answers_and_receipts_ends_the_same",
        ),
    ),
    55: (
        "a receipt twice",
        (f"{DELIVERIES}::test_a_receipt_twice_is_told_twice_and_accepted_twice",),
    ),
    56: (
        "a receipt of an unknown id",
        (
            f"{DELIVERIES}::test_a_receipt_of_an_unknown_id_is_told_as_any_other",
            f"{STORED}::test_an_orphan_is_looked_at_again_after_seconds_and_one_ten_and_sixty_minutes",
            "campaigns/test_live_diagnostics.py::test_receipts_that_fit_nothing_are_counted",
        ),
    ),
    57: (
        "a receipt per part",
        (
            f"{DELIVERIES}::test_receipts_of_two_parts_are_two_receipts",
            f"{CLAIMS}::test_a_long_message_is_delivered_when_all_its_parts_are",
        ),
    ),
    58: (
        "esm_class of receipts",
        (
            f"{RECEIPTS}::test_a_receipt_is_known_by_its_class_whatever_other_bits_say",
            f"{RECEIPTS}::test_an_intermediate_notification_never_settles",
            f"{RECEIPTS}::test_a_receipt_without_its_class_is_known_by_its_full_form_and_marked",
        ),
    ),
    59: (
        "a flood of receipts",
        (
            f"{DELIVERIES}::test_a_flood_is_told_up_to_a_bound_and_the_rest_asked_to_come_back",
            f"{DELIVERIES}::test_a_flood_does_not_stop_sending",
        ),
    ),
    60: (
        "the database is down",
        (
            f"{DELIVERIES}::test_a_receipt_that_could_not_be_stored_is_asked_for_again",
            f"{FAULTS}::test_a_database_that_stops_and_comes_back_leaves_nothing_unknown",
        ),
    ),
    61: (
        "wrong lengths of options",
        (
            f"{PDUS}::test_options_honour_the_length_on_the_wire",
            f"{PDUS}::test_a_string_option_may_have_a_nul_or_not",
            f"{RECEIPTS}::test_a_state_in_two_octets_does_not_hide_the_id_after_it",
        ),
    ),
    # Content
    62: (
        "the GSM alphabet",
        (
            f"{GSM}::test_a_character_has_the_septets_of_the_standard",
            f"{SEGMENTS}::test_at_is_octet_zero_inside_the_message",
        ),
    ),
    63: (
        "pairs are never split",
        (
            f"{SEGMENTS}::test_an_escape_pair_is_not_split_at_153",
            f"{SEGMENTS}::test_a_surrogate_pair_is_not_split_at_67",
        ),
    ),
    64: (
        "limits of a segment and of a message",
        (
            f"{SEGMENTS}::test_segments_are_counted_at_their_limits",
            f"{SEGMENTS}::test_255_parts_are_the_most",
        ),
    ),
    65: (
        "data coding 0 is GSM or Latin-1",
        (
            f"{SEGMENTS}::test_where_data_coding_0_is_latin1_the_octets_are_latin1",
            f"{SEGMENTS}::test_ucs2_goes_under_data_coding_8_and_gsm_under_0",
            f"{MESSAGES}::test_data_coding_0_is_what_the_connection_says",
        ),
    ),
    66: (
        "two long messages to one phone",
        (
            f"{SEGMENTS}::test_two_long_messages_with_neighbouring_references_differ",
            f"{_S}long_forms.py::"
            "test_two_long_messages_to_one_phone_at_once_are_told_apart_by_their_references",
            "campaigns/test_references.py::"
            "test_two_campaigns_near_each_other_differ_for_one_person_wherever_he_stands_in_them",
        ),
    ),
    67: (
        "addresses that do not fit",
        (
            f"{PDUS}::test_a_value_that_does_not_fit_is_refused_and_never_cut",
            f"{ADDRESSES}::test_an_address_is_what_was_written_or_refused",
        ),
    ),
    68: (
        "STOP from a phone",
        (
            f"{MESSAGES}::test_stop_is_read_in_every_coding",
            f"{INBOUND}::"
            "test_stop_in_every_form_is_an_opt_out_within_a_second_and_nothing_more_goes_there",
        ),
    ),
}
