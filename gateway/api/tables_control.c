/* Field tables of conference control, in the order of schema_control.h. */
#include "gateway/api/tables_priv.h"

const char *const gw_conference_broadcast_names[] = { "none", "site", "layout", "poll", "voice", "lecture", NULL };
const char *const gw_poll_step_names[] = { "next", "pause", "resume", NULL };
const char *const gw_party_camera_names[] = { "stop", "left", "right", "up", "down", "zoom_in", "zoom_out", "focus_near", "focus_far",
					      "preset_store", "preset_call", NULL };

#define CONF(s) IDF(s, conference, MUST, "which conference")
#define PARTY(s) IDF(s, party, MUST, "which party")

T(floor_cancel, CONF(floor_cancel), STR(floor_cancel, party, 0, ID, "absent: this session's; *: all"));
T(conference_broadcast, CONF(conference_broadcast), IDF(conference_broadcast, party, 0, "site, lecture: whose picture"),
  STR(conference_broadcast, layout, 0, 16, "layout: its name; absent = as it is"),
  ENUM(conference_broadcast, mode, gw_conference_broadcast_names, MUST, "none = stop"));
T(conference_voice, CONF(conference_voice), INT(conference_voice, speak_ms, 0, 0, 10000, "ms", "who speaks so long takes the picture"),
  INT(conference_voice, hold_ms, 0, 0, 60000, "ms", "and keeps it so long against somebody louder"),
  DBL(conference_voice, level_db, MUST, -90, 0, "dBov", "quieter is no speech; -45 is usual"));
T(party_view_site, CONF(party_view_site), IDF(party_view_site, party, 0, "who looks; absent: this session's"),
  IDF(party_view_site, site, 0, "party that it looks at; absent: what all see"));
T(poll_start, CONF(poll_start), IDF(poll_start, viewer, 0, "whose picture; absent: what is broadcast"),
  ORT_JF(struct gw_poll_start, parties, ORT_J_STRV, 0, 0, 256, NULL, "in turn; empty = all"),
  INT(poll_start, interval_ms, MUST, 5000, 600000, "ms", "each so long"));
T(poll_step, CONF(poll_step), IDF(poll_step, viewer, 0, "absent: of what is broadcast"), ENUM(poll_step, step, gw_poll_step_names, MUST, "what"));
T(poll_ref, CONF(poll_ref), IDF(poll_ref, viewer, 0, "absent: of what is broadcast"));
T(conference_extend, CONF(conference_extend), INT(conference_extend, minutes, MUST, 0, 1440, "min", "from the planned end, or from now; 0 = no planned end"));
T(conference_split, CONF(conference_split), TEXT(conference_split, name, MUST, SHORT, "name of the part"),
  ORT_JF(struct gw_conference_split, parties, ORT_J_STRV, MUST, 0, 256, NULL, "who goes"));
T(conference_split_reply, IDF(conference_split_reply, conference, 0, "the part"));
T(conference_priority, CONF(conference_priority), INT(conference_priority, priority, MUST, 0, 9, NULL, "5 is usual"));
T(party_force_release, CONF(party_force_release), PARTY(party_force_release),
  IDF(party_force_release, to, 0, "conference that takes it over; absent: its call ends"));
T(party_loop, CONF(party_loop), PARTY(party_loop), BOOL(party_loop, audio, 0, "its sound"), BOOL(party_loop, video, 0, "its picture"));
T(party_camera, CONF(party_camera), PARTY(party_camera), ENUM(party_camera, act, gw_party_camera_names, MUST, "what the camera does"),
  INT(party_camera, ms, 0, 0, 10000, "ms", "so long; 0 = until stop"), INT(party_camera, preset, 0, 0, 255, NULL, "of preset_store and preset_call"));
T(ev_notice, IDF(ev_notice, conference, 0, "where"), IDF(ev_notice, party, OMIT, "who"),
  IDF(ev_notice, what, 0, "asks_floor, asks_chair, floor, chair, waits, admitted, ends, barge_in"), INT(ev_notice, minutes, OMIT, 0, 1440, "min", "ends: so many are left"));
