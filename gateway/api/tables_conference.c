/* Field tables of conferences, parties, content, SIP accounts and trunks, in the order of schema.h. */
#include "gateway/api/tables_priv.h"

const char *const gw_conference_role_names[] = { "participant", "chair", "observer", NULL };
const char *const gw_conference_cell_names[] = { "empty", "fixed", "voice", "poll", "content", NULL };

#define CONF(s) IDF(s, conference, MUST, "which conference")
#define PARTY(s) IDF(s, party, MUST, "which party")

T(conference_ref, CONF(conference_ref));
T(conference_open, TEXT(conference_open, name, MUST, SHORT, "name"), IDF(conference_open, number, 0, "3 to 8 digits; absent = chosen"),
  STR(conference_open, password, ORT_J_SECRET, 16, "4 to 16 digits; absent = none"),
  IDF(conference_open, incident, 0, "that it belongs to"), BOOL(conference_open, drill, 0, "an exercise"));
T(conference_list, BOOL(conference_list, open_only, 0, "leave out closed ones"), INT(conference_list, limit, 0, 0, 500, NULL, "0 = 100"));
T(conference_list_reply, RAW(conference_list_reply, conferences, 0, 16 * MIB, "array of conference"));
T(conference_update, IDF(conference_update, id, MUST, "which"), TEXT(conference_update, name, 0, SHORT, "absent: stays"),
  STR(conference_update, password, ORT_J_SECRET, 16, "digits; empty = none; absent: stays"),
  RAW(conference_update, locked, 0, 16, "true: nobody new comes in; absent: stays"),
  RAW(conference_update, auto_redial, 0, 16, "true: lost and unreached parties are called again; absent: stays"));
T(conference_join, IDF(conference_join, id, MUST, "conference, or its number"), TEXT(conference_join, name, 0, SHORT, "absent: the session's"),
  STR(conference_join, password, ORT_J_SECRET, 16, "asked of room and field when the conference has one"));
T(conference_join_reply, IDF(conference_join_reply, party, 0, "publish under this name: rtc.offer party"),
  IDF(conference_join_reply, conference, 0, "conference"), IDF(conference_join_reply, audio, 0, "stream that it shall hear"),
  IDF(conference_join_reply, video, 0, "stream that it shall see"));
T(conference_layout, IDF(conference_layout, id, MUST, "which"), IDF(conference_layout, view, 0, "program (default), or a party's own"),
  STR(conference_layout, layout, 0, 16, "name of layouts; absent: stays"),
  { .name = "auto", .type = ORT_J_RAW, .offset = offsetof(struct gw_conference_layout, automatic), .max = 16,
    .doc = "true: chosen by the number of parties; absent: stays, false when a layout is given" },
  RAW(conference_layout, titles, 0, 16, "true: names under pictures; absent: stays"),
  RAW(conference_layout, clock, 0, 16, "true: time of day in the picture; absent: stays"),
  TEXT(conference_layout, banner, 0, LINE, "text over the picture; empty = none; absent: stays"),
  TEXT(conference_layout, alarm, 0, LINE, "text of the alarm frame; empty = none; absent: stays"),
  TEXT(conference_layout, crawl, 0, LINE, "text that runs along the lower edge; empty = none; absent: stays"),
  BOOL(conference_layout, test, 0, "only check"));
T(conference_cell, IDF(conference_cell, id, MUST, "which"), IDF(conference_cell, view, 0, "program (default), or a party's own"),
  INT(conference_cell, cell, MUST, 0, 24, NULL, "from 0, the large one first"),
  ENUM(conference_cell, mode, gw_conference_cell_names, MUST, "what it shows"), IDF(conference_cell, party, 0, "fixed: whose picture"),
  ORT_JF(struct gw_conference_cell, parties, ORT_J_STRV, 0, 0, 256, NULL, "poll: whose, in turn"),
  INT(conference_cell, interval_ms, 0, 0, 600000, "ms", "poll: each so long; 0 = 10,000"));
T(conference_play, IDF(conference_play, id, MUST, "which"), IDF(conference_play, party, 0, "absent: to all"),
  IDF(conference_play, sound, MUST, "row of the mixer's sounds"),
  TEXT(conference_play, text, 0, LINE, "words to be spoken; the sound is played where there is no voice"),
  TEXT(conference_play, lang, 0, SHORT, "voice: cmn, en; absent: by the letters of the text"));
T(party_ref, CONF(party_ref), PARTY(party_ref));
T(party_call, CONF(party_call), IDF(party_call, site, 0, "from the directory"), TEXT(party_call, address, 0, LINE, "or sip:user@host, or a number"),
  IDF(party_call, trunk, 0, "or a trunk .."), IDF(party_call, number, 0, ".. and the number there"), TEXT(party_call, name, 0, SHORT, "shown name"),
  INT(party_call, max_bps, 0, 0, 1e9, "bps", "most that it is sent; 0 = any"));
T(party_call_reply, IDF(party_call_reply, party, 0, "party"));
T(party_call_absent_reply, INT(party_call_absent_reply, called, 0, 0, 0, NULL, "how many"));
T(party_move, CONF(party_move), PARTY(party_move), IDF(party_move, to, MUST, "conference"));
T(party_mute, CONF(party_mute), STR(party_mute, party, MUST, ID, "which, or * for all but chairs"), BOOL(party_mute, on, MUST, "true = silent"));
T(party_volume, CONF(party_volume), PARTY(party_volume), DBL(party_volume, in_db, 0, -60, 20, "dB", "what others hear of it"),
  DBL(party_volume, out_db, 0, -60, 20, "dB", "what it hears"));
T(party_role_set, CONF(party_role_set), PARTY(party_role_set), ENUM(party_role_set, role, gw_conference_role_names, MUST, "role"));
T(party_dtmf, CONF(party_dtmf), PARTY(party_dtmf), STR(party_dtmf, digits, MUST, 32, "0-9 A-D * #"));
T(party_view, CONF(party_view), PARTY(party_view), IDF(party_view, view, MUST, "program, own, or a party"));
T(content_ref, CONF(content_ref), IDF(content_ref, party, 0, "absent: this session's"));
T(content_lock, CONF(content_lock), BOOL(content_lock, on, MUST, "locked"));
T(endpoint_put, IDF(endpoint_put, user, MUST, "user part of its address"), TEXT(endpoint_put, name, 0, SHORT, "shown name"),
  IDF(endpoint_put, site, 0, "directory site that it stands in"),
  STR(endpoint_put, password, ORT_J_SECRET, SHORT, "absent: made here for a new one, else unchanged"),
  BOOL(endpoint_put, md5, 0, "the device knows only MD5 digests"));
T(endpoint_put_reply, IDF(endpoint_put_reply, user, 0, "user"),
  STR(endpoint_put_reply, password, ORT_J_SECRET | OMIT, SHORT, "shown this once, when it was made here"));
T(endpoint, IDF(endpoint, user, 0, "user part of its address"), TEXT(endpoint, name, OMIT, SHORT, "shown name"),
  IDF(endpoint, site, OMIT, "directory site"), BOOL(endpoint, md5, 0, "MD5 digests are taken"), MS(endpoint, made_ms, 0, "made or changed"),
  BOOL(endpoint, registered, 0, "its phone is logged in"), TEXT(endpoint, why, OMIT, LINE, "why not, in words"));
T(endpoint_list_reply, ARR(endpoint_list_reply, endpoints, endpoint, 10000, "by user"));
T(endpoint_ref, IDF(endpoint_ref, user, MUST, "which"));
T(trunk, TEXT(trunk, name, 0, SHORT, "row of the configuration"), TEXT(trunk, address, 0, LINE, "where"), IDF(trunk, state, 0, "unknown, up, down, refused"),
  TEXT(trunk, why, 0, LINE, "reason in words"), MS(trunk, since_ms, 0, "since"), INT(trunk, calls, 0, 0, 0, NULL, "calls over it now"));
T(trunk_list_reply, ARR(trunk_list_reply, trunks, trunk, 1000, "as configured"));

/* ---- bodies of events ---- */
T(ev_conference, RAW(ev_conference, conference, 0, MIB, "the whole conference"));
T(ev_party_level, IDF(ev_party_level, conference, 0, "which"), IDF(ev_party_level, party, 0, "which"), BOOL(ev_party_level, speaking, 0, "now"));
T(ev_party_stats, IDF(ev_party_stats, conference, 0, "which"), IDF(ev_party_stats, party, 0, "which"),
  RAW(ev_party_stats, sends, 0, 1024, "{codec, width, height, fps, bitrate_bps, loss, security}"),
  RAW(ev_party_stats, gets, 0, 1024, "{view, codec, width, height, fps, bitrate_bps, loss}"));
T(ev_trunk, ORT_JF_SUB(struct gw_ev_trunk, trunk, ORT_J_OBJECT, &gw_table_trunk, 0, 0, "the trunk"));
