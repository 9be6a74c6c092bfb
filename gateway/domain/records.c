/* The bodies of the log's records as field tables. Not the rules: those stand beside their nouns. */
#include "gateway/domain/records_priv.h"

TABLE(incident_open, ID(incident_open, id, "incident"), INT(incident_open, number, 0, 0, NULL, "running number"),
      TEXT(incident_open, kind, 200, "kind of emergency event"), TEXT(incident_open, place, 200, "where, in words"),
      TEXT(incident_open, text, 4000, "what is known"), INT(incident_open, level, 1, 4, NULL, "1 = I (gravest) to 4 = IV"),
      BOOL(incident_open, has_position, "lat and lon are meant"), DEG(incident_open, lat, 90, "WGS 84"),
      DEG(incident_open, lon, 180, "WGS 84"), BOOL(incident_open, drill, "a drill (演练)"));
TABLE(incident_update, TEXT(incident_update, kind, 200, "kind of emergency event"),
      TEXT(incident_update, place, 200, "where, in words"), TEXT(incident_update, text, 4000, "what is known"),
      INT(incident_update, level, 1, 4, NULL, "1 = I (gravest) to 4 = IV"),
      BOOL(incident_update, has_position, "lat and lon are meant"), DEG(incident_update, lat, 90, "WGS 84"),
      DEG(incident_update, lon, 180, "WGS 84"));
TABLE(note, OPT_ID(note, scene, "the scene that it is about"), TEXT(note, text, 4000, "the note"));
TABLE(verdict, ID(verdict, verdict, "met or missed"), OPT_ID(verdict, scene, "the scene that met it"),
      MS(verdict, elapsed_ms, "from T0"));
TABLE(close, TEXT(close, reason, 400, "why"));
TABLE(step, INT(step, step, 1, GW_ESCALATIONS, NULL, "mark of the ladder"));
TABLE(link_issued, ID(link_issued, link, "link"), ID(link_issued, scene, "scene that it leads to"),
      OPT_ID(link_issued, person, "directory person"), TEXT(link_issued, name, 200, "name on the page"),
      MS(link_issued, expires_ms, "to be opened before"));
TABLE(link_ref, ID(link_ref, link, "link"), MS(link_ref, expires_ms, "the seat ends then"));
TABLE(link_ended, ID(link_ended, link, "link"), ID(link_ended, why, "revoked, expired or closed"));
TABLE(scene_state, ID(scene_state, scene, "scene"), TEXT(scene_state, why, 200, "reason in a word"),
      ENUM(scene_state, state, gw_site_state_names, "site state"));
TABLE(scene_stamp, ID(scene_stamp, scene, "scene"), ENUM(scene_stamp, stamp, gw_step_names, "step of the certificate"),
      MS(scene_stamp, at_ms, "when it happened"), INT(scene_stamp, at_us, 0, 0, "us", "the same, monotonic"));
TABLE(scene_event, ID(scene_event, scene, "scene"), ID(scene_event, kind, "condition"),
      TEXT(scene_event, detail, 400, "detail"));
TABLE(scene_position, ID(scene_position, scene, "scene"), DEG(scene_position, lat, 90, "WGS 84"),
      DEG(scene_position, lon, 180, "WGS 84"),
      ORT_JF(struct gw_rec_scene_position, accuracy_m, ORT_J_DOUBLE, 0, 0, 1e6, "m", "68 % radius"),
      MS(scene_position, at_ms, "when it was measured"));
TABLE(scene_mute, ID(scene_mute, scene, "scene"), BOOL(scene_mute, on, "muted"));
TABLE(scene_ref, ID(scene_ref, scene, "scene"));
TABLE(talk, ID(talk, party, "talking console"),
      ORT_JF(struct gw_rec_talk, scenes, ORT_J_STRV, 0, 0, 256, NULL, "scenes that hear it"), BOOL(talk, on, "begins or ends"));
TABLE(wall_layout, ID(wall_layout, wall, "wall"), INT(wall_layout, windows, 1, GW_WALL_WINDOWS, NULL, "windows"));
TABLE(wall_window, ID(wall_window, wall, "wall"), INT(wall_window, window, 1, GW_WALL_WINDOWS, NULL, "window"),
      OPT_ID(wall_window, scene, "absent = cleared"));
TABLE(wall_state, ID(wall_state, wall, "wall"), INT(wall_state, window, 1, GW_WALL_WINDOWS, NULL, "window"),
      OPT_ID(wall_state, stream, "what it shows"), ENUM(wall_state, state, gw_window_state_names, "what the wall says"),
      MS(wall_state, at_ms, "when"));
TABLE(division, ID(division, id, "id"), OPT_ID(division, parent, "division above"),
      OPT_ID(division, code, "GB/T 2260 code"), TEXT(division, name, 200, "name"));
TABLE(site, ID(site, id, "id"), OPT_ID(site, division, "division"), TEXT(site, name, 200, "name"),
      OPT_ID(site, kind, "duty_room, meeting_room, scene, terminal"), TEXT(site, address, 200, "how it is dialled"));
TABLE(person, ID(person, id, "id"), OPT_ID(person, division, "division"), TEXT(person, name, 200, "name"),
      TEXT(person, title, 200, "post"), TEXT(person, phone, 40, "telephone"), BOOL(person, duty, "on the duty list"));
TABLE(device, ID(device, id, "id"), OPT_ID(device, site, "site"), TEXT(device, name, 200, "name"), OPT_ID(device, kind, "kind"));
TABLE(directory_ref, ID(directory_ref, kind, "division, site, person or device"), ID(directory_ref, id, "id"));

/* ---- conferences ---- */
TABLE(conference_open, ID(conference_open, id, "conference"), ID(conference_open, number, "what is dialled"),
      TEXT(conference_open, name, 200, "name"), OPT_ID(conference_open, password, "salted hash, absent = none"),
      OPT_ID(conference_open, incident, "incident that it belongs to"), INT(conference_open, nr, 0, 0, NULL, "running number"),
      BOOL(conference_open, drill, "a drill (演练)"));
TABLE(conference_update, ID(conference_update, conference, "conference"), TEXT(conference_update, name, 200, "name"),
      OPT_ID(conference_update, password, "salted hash, absent = none"), BOOL(conference_update, locked, "nobody new comes in"),
      BOOL(conference_update, auto_redial, "lost and unreached parties are called again"));
TABLE(conference_ref, ID(conference_ref, conference, "conference"), TEXT(conference_ref, why, 200, "reason"));
TABLE(conference_guess, ID(conference_guess, conference, "conference"), TEXT(conference_guess, caller, 256, "who"));
TABLE(party_add, ID(party_add, conference, "conference"), ID(party_add, party, "party"), TEXT(party_add, name, 200, "name"),
      OPT_ID(party_add, site, "directory site"), TEXT(party_add, address, 256, "how it is called"),
      TEXT(party_add, agent, 200, "its equipment"), INT(party_add, nr, 0, 0, NULL, "running number"),
      ENUM(party_add, kind, gw_party_kind_names, "browser, sip, trunk or room"), ENUM(party_add, role, gw_party_role_names, "role"),
      BOOL(party_add, out, "we called it"), BOOL(party_add, keep, "called again after a loss"),
      INT(party_add, max_bps, 0, 0, "bps", "most that it is sent; 0 = any"));
TABLE(party_ref, ID(party_ref, party, "party"));
TABLE(party_state, ID(party_state, party, "party"), TEXT(party_state, why, 200, "reason in words"),
      ENUM(party_state, state, gw_site_state_names, "site state"));
TABLE(party_agent, ID(party_agent, party, "party"), TEXT(party_agent, agent, 200, "its equipment"));
TABLE(party_move, ID(party_move, party, "party"), ID(party_move, to, "conference"));
TABLE(party_mute, ID(party_mute, party, "party"), BOOL(party_mute, on, "muted"));
TABLE(party_volume, ID(party_volume, party, "party"), DB(party_volume, in_db, "what others hear of it"),
      DB(party_volume, out_db, "what it hears"));
TABLE(party_role, ID(party_role, party, "party"), ENUM(party_role, role, gw_party_role_names, "role"));
TABLE(party_view, ID(party_view, party, "party"), ID(party_view, view, "program, own, or a party"));
TABLE(content, ID(content, conference, "conference"), ID(content, party, "party"));
TABLE(content_lock, ID(content_lock, conference, "conference"), BOOL(content_lock, on, "locked"));
TABLE(view_layout, ID(view_layout, conference, "conference"), ID(view_layout, view, "program, or a party's own"),
      TEXT(view_layout, layout, 16, "row of layouts.def"), TEXT(view_layout, banner, 400, "text over the picture"),
      TEXT(view_layout, alarm, 400, "text of the alarm frame"), TEXT(view_layout, crawl, 400, "text that runs along the lower edge"), BOOL(view_layout, by_itself, "chosen by the number of parties"),
      BOOL(view_layout, titles, "names under pictures"), BOOL(view_layout, clock, "time of day in the picture"));
TABLE(view_cell, ID(view_cell, conference, "conference"), ID(view_cell, view, "program, or a party's own"),
      OPT_ID(view_cell, party, "fixed: whose picture"),
      ORT_JF(struct gw_rec_view_cell, parties, ORT_J_STRV, 0, 0, 256, NULL, "poll: whose, in turn"),
      INT(view_cell, cell, 0, GW_CELLS - 1, NULL, "cell"), INT(view_cell, interval_ms, 0, 0, "ms", "poll: each so long"),
      ENUM(view_cell, mode, gw_cell_mode_names, "what the cell shows"));

const struct gw_rec_row gw_rec_rows[GW_REC_N] = {
#define X(id, type, body, doc) [GW_REC_##id] = { type, &gw_rec_table_##body, doc },
#include "gateway/domain/records.def"
#undef X
};

int gw_rec_by_type(const char *type)
{
	for (int i = 0; i < GW_REC_N; i++) {
		if (g_str_equal(gw_rec_rows[i].type, type)) {
			return i;
		}
	}
	return -1;
}
