/* Field tables of call-and-acknowledge, in the order of schema_callack.h. */
#include "gateway/api/tables_priv.h"

BARE(callack);
T(callack_open, IDF(callack_open, conference, 0, "that who confirms joins; absent: one is opened"),
  TEXT(callack_open, name, 0, SHORT, "of a conference of its own"), TEXT(callack_open, text, MUST, 2000, "what it is about: on pages and in messages"),
  IDF(callack_open, incident, 0, "of a conference of its own"),
  RAW(callack_open, rows, MUST, MIB, "array of {post, name, person, site, wait_ms, together, ways: [{channel: page|call|link|sms|voice, to}]}, in order; what is left out comes from the directory"),
  BOOL(callack_open, drill, 0, "an exercise; of a conference of its own"));
T(callack_list, BOOL(callack_list, open_only, 0, "without closed ones"), INT(callack_list, limit, 0, 0, 200, NULL, "0 = 20"));
T(callack_list_reply, RAW(callack_list_reply, callacks, 0, MIB, "array of callack"));
T(callack_ack, IDF(callack_ack, callack, 0, "which; phone: its own"), INT(callack_ack, row, 0, 0, 500, NULL, "from 0"));
T(callack_ack_reply, IDF(callack_ack_reply, party, OMIT, "who confirmed, in the conference; absent: not there yet"),
  IDF(callack_ack_reply, conference, OMIT, "to join"), IDF(callack_ack_reply, audio, OMIT, "to hear"), IDF(callack_ack_reply, video, OMIT, "to view"));
T(callack_link_reply, STR(callack_link_reply, url, 0, 512, "one-time address for a phone, shown once"), MS(callack_link_reply, expires_ms, 0, "first use until then"));
T(callack_phone, IDF(callack_phone, callack, 0, "which"), TEXT(callack_phone, name, 0, SHORT * 4, "who is called"),
  TEXT(callack_phone, text, 0, 2000, "what it is about"), TEXT(callack_phone, node, 0, LINE, "who calls"), STR(callack_phone, state, 0, SHORT, "running, done or closed"),
  BOOL(callack_phone, acked, 0, "he confirmed"), BOOL(callack_phone, drill, 0, "an exercise"), MS(callack_phone, opened_ms, 0, "since when"));
T(ev_callack, RAW(ev_callack, callack, 0, MIB, "the whole one"));
