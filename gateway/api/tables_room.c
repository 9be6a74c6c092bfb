/* Field tables of rooms, in the order of schema_room.h. */
#include "gateway/api/tables_priv.h"

const char *const gw_api_room_answer_names[] = { "rollcall", "auto", "ask", NULL };

BARE(room);
T(device_ref, IDF(device_ref, device, 0, "which; absent: this session's own"));
T(room_put, IDF(room_put, device, MUST, "of device.list, kind room"), IDF(room_put, site, 0, "of the directory: party.call {site} rings it; absent: none"),
  TEXT(room_put, name, 0, SHORT, "absent: stays"),
  ENUM(room_put, answer, gw_api_room_answer_names, MUST, "rollcall: roll calls and checks by itself; auto: all calls; ask: none"));
T(room_list_reply, RAW(room_list_reply, rooms, 0, MIB, "array of room"));
T(room_party, IDF(room_party, party, MUST, "of room.call"), TEXT(room_party, why, 0, LINE, "busy or declined"));
T(room_report, BOOL(room_report, camera, 0, "its camera gives pictures"), BOOL(room_report, microphone, 0, "its microphone is open"),
  BOOL(room_report, sound, 0, "the browser may play sound"), INT(room_report, rtt_ms, 0, 0, 600000, "ms", "of messages to the gateway, median"),
  INT(room_report, jitter_ms, 0, 0, 600000, "ms", "largest minus smallest"), INT(room_report, width, 0, 0, 16384, "px", "of its camera"),
  INT(room_report, height, 0, 0, 16384, "px", "of its camera"), DBL(room_report, loss, 0, 0, 1, NULL, "of received media, 0..1"),
  TEXT(room_report, agent, 0, LINE, "browser"));
T(room_invite_reply, STR(room_invite_reply, url, 0, 512, "one-time link, shown once"), IDF(room_invite_reply, incident, 0, "whose"),
  MS(room_invite_reply, expires_ms, 0, "first use until then"));
T(ev_room, RAW(ev_room, room, 0, MIB, "the whole room"));
