/* The bodies of conference control's records as field tables. */
#include "gateway/domain/records_priv.h"

static const char *const step_names[GW_POLL_STEP_N + 1] = { "next", "pause", "resume", NULL };
const char *const gw_broadcast_names[GW_BROADCAST_N + 1] = {
	[GW_BROADCAST_NONE] = "none", [GW_BROADCAST_SITE] = "site",   [GW_BROADCAST_LAYOUT] = "layout",
	[GW_BROADCAST_POLL] = "poll", [GW_BROADCAST_VOICE] = "voice", [GW_BROADCAST_LECTURE] = "lecture",
};

TABLE(control_party, ID(control_party, conference, "conference"), OPT_ID(control_party, party, "party"));
TABLE(control_switch, ID(control_switch, conference, "conference"), BOOL(control_switch, on, "on"));
TABLE(control_number, ID(control_number, conference, "conference"), INT(control_number, n, 0, 0, NULL, "figure"));
TABLE(broadcast, ID(broadcast, conference, "conference"), OPT_ID(broadcast, party, "source"),
      ENUM(broadcast, mode, gw_broadcast_names, "what"));
TABLE(poll, ID(poll, conference, "conference"), OPT_ID(poll, viewer, "absent: what is broadcast"),
      ORT_JF(struct gw_rec_poll, parties, ORT_J_STRV, 0, 0, 256, NULL, "in turn; empty = all"),
      INT(poll, interval_ms, 0, 0, "ms", "each so long"), BOOL(poll, on, "false = over"));
TABLE(poll_step, ID(poll_step, conference, "conference"), OPT_ID(poll_step, viewer, "absent: what is broadcast"),
      OPT_ID(poll_step, party, "that is shown now"), ENUM(poll_step, step, step_names, "what was done"));
TABLE(voice, ID(voice, conference, "conference"), INT(voice, speak_ms, 0, 0, "ms", "speech before it takes the picture"),
      INT(voice, hold_ms, 0, 0, "ms", "kept against somebody louder"),
      ORT_JF(struct gw_rec_voice, level_db, ORT_J_DOUBLE, 0, -90, 0, "dBov", "speech is louder than this"));
TABLE(conference_part, ID(conference_part, conference, "the part"), ID(conference_part, parent, "the whole"));
TABLE(force_release, ID(force_release, conference, "conference"), ID(force_release, party, "party"),
      OPT_ID(force_release, to, "conference that took it over; absent: its call ended"));
TABLE(party_loop, ID(party_loop, party, "party"), BOOL(party_loop, audio, "its sound"), BOOL(party_loop, video, "its picture"));
