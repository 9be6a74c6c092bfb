/* The domain's ports: performs the actions that it hands out, and tells pages what changed, at most once per object in
 * FLUSH_US, whole objects. */
#include "gateway/app/app_priv.h"
#include "gateway/app/calls_priv.h"
#include "gateway/app/callack_priv.h"
#include "gateway/app/ready_priv.h"
#include "gateway/app/rooms_priv.h"

#define FLUSH_US (50 * ORT_US_PER_MS)

static void mark(gw_app *app, GHashTable *set, const char *id)
{
	g_hash_table_add(set, g_strdup(id));
	gw_app_flush_soon(app);
}

void gw_app_flush_soon(gw_app *app)
{
	if (!app->flush_armed) {
		app->flush_armed = true;
		ort_timer_set(app->flush_timer, ort_now_us() + FLUSH_US);
	}
}

/* ---- what each kind of client may see ---- */
static bool is_staff_or_screen(const struct gw_api_session *s, void *ud)
{
	return s->role != GW_ROLE_FIELD;
}

static bool is_auditor(const struct gw_api_session *s, void *ud)
{
	return s->role == GW_ROLE_AUDITOR || s->role == GW_ROLE_ADMINISTRATOR;
}

static void keep_scene(json_t *incident, const char *scene)
{
	json_t *own = json_array(), *row;
	size_t n;
	json_array_foreach(json_object_get(incident, "scenes"), n, row) {
		if (g_strcmp0(json_string_value(json_object_get(row, "id")), scene) == 0) {
			json_array_append(own, row);
		}
	}
	json_object_set_new(incident, "scenes", own);
}

json_t *gw_app_field_view(const gw_app *app, const char *scene)
{
	const char *id = gw_scene_incident(app->domain, scene);
	json_t *incident = id != NULL ? gw_incident_print(app->domain, id) : NULL;
	if (incident != NULL) {
		json_object_set_new(incident, "links", json_array());
		json_object_set_new(incident, "notes", json_array());
		json_object_set_new(incident, "escalations", json_array());
		keep_scene(incident, scene);
	}
	return incident;
}

struct field_news { gw_app *app; const char *incident; };

static void tell_field(struct gw_api_session *s, void *user_data)
{
	const struct field_news *news = user_data;
	if (s->role != GW_ROLE_FIELD || g_strcmp0(s->incident, news->incident) != 0) {
		return;
	}
	g_autoptr(json_t) view = gw_app_field_view(news->app, s->scene);
	if (view != NULL) {
		gw_api_notify(s, GW_EVENT_INCIDENT_CHANGED, &(struct gw_ev_incident){ view });
	}
}

static void flush_incident(gw_app *app, const char *id)
{
	g_autoptr(json_t) incident = gw_incident_print(app->domain, id);
	if (incident != NULL) {
		gw_api_broadcast(app->api, is_staff_or_screen, NULL, GW_EVENT_INCIDENT_CHANGED, &(struct gw_ev_incident){ incident });
		gw_api_foreach(app->api, tell_field, &(struct field_news){ app, id });
	}
}

static void flush_wall(gw_app *app, const char *id)
{
	g_autoptr(json_t) wall = gw_wall_print(app->domain, id);
	if (wall != NULL) {
		gw_api_broadcast(app->api, is_staff_or_screen, NULL, GW_EVENT_WALL_CHANGED, &(struct gw_ev_wall){ wall });
	}
}

struct member_news { gw_app *app; const char *id; json_t *conference; };

static void tell_member(struct gw_api_session *s, void *user_data)
{
	const struct member_news *news = user_data;
	if (s->role == GW_ROLE_FIELD && gw_app_seat_of(news->app, s, news->id) != NULL) {
		gw_api_notify(s, GW_EVENT_CONFERENCE_CHANGED, &(struct gw_ev_conference){ news->conference });
	}
}

static bool is_staff(const struct gw_api_session *s, void *ud)
{
	return s->role >= GW_ROLE_ADMINISTRATOR && s->role <= GW_ROLE_AUDITOR;
}

static bool is_screen(const struct gw_api_session *s, void *ud)
{
	return s->role == GW_ROLE_WALL || s->role == GW_ROLE_ROOM;
}

static void flush_conference(gw_app *app, const char *id)
{
	if (gw_ready_is(app->domain, id)) {
		return;	/* nobody is shown a quiet call */
	}
	g_autoptr(json_t) o = gw_conference_print(app->domain, id);
	if (o != NULL) {
		gw_api_broadcast(app->api, is_staff, NULL, GW_EVENT_CONFERENCE_CHANGED, &(struct gw_ev_conference){ o });
		gw_app_hide_monitors(o);
		gw_api_broadcast(app->api, is_screen, NULL, GW_EVENT_CONFERENCE_CHANGED, &(struct gw_ev_conference){ o });
		gw_api_foreach(app->api, tell_member, &(struct member_news){ app, id, o });
	}
}

/* Rows that changed since the last time only: with 500 sites a whole roll call is 200 KiB, and the next key changes four. */
static void flush_rollcall(gw_app *app, const char *id)
{
	struct gw_ev_rollcall news = { 0 };
	uint64_t *seen = g_hash_table_lookup(app->rollcall_seen, id);
	if (seen == NULL) {
		seen = g_new0(uint64_t, GW_ROLLCALL_SITES);
		g_hash_table_insert(app->rollcall_seen, g_strdup(id), seen);
	}
	g_autoptr(json_t) o = gw_rollcall_print_changed(app->domain, id, seen, &news.whole);
	if (o == NULL) {
		return;
	}
	news.rollcall = o;
	gw_api_broadcast(app->api, is_staff, NULL, GW_EVENT_ROLLCALL_CHANGED, &news);
}

static void flush_set(gw_app *app, GHashTable *set, void (*fn)(gw_app *app, const char *id))
{
	GHashTableIter it;
	char *id;
	g_hash_table_iter_init(&it, set);
	while (g_hash_table_iter_next(&it, (gpointer *)&id, NULL)) {
		fn(app, id);
	}
	g_hash_table_remove_all(set);
}

int64_t gw_app_flush(int64_t now_us, void *user_data)
{
	gw_app *app = user_data;
	app->flush_armed = false;
	flush_set(app, app->dirty_incidents, flush_incident);
	flush_set(app, app->dirty_walls, flush_wall);
	flush_set(app, app->dirty_conferences, flush_conference);
	flush_set(app, app->dirty_rollcalls, flush_rollcall);
	gw_app_callack_flush(app);
	gw_app_ready_flush(app);
	gw_app_rooms_flush(app);
	flush_set(app, app->dirty_duty, gw_app_duty_flush);
	flush_set(app, app->dirty_reports, gw_app_report_flush);
	if (app->dirty_directory) {
		app->dirty_directory = false;
		gw_api_broadcast(app->api, is_staff_or_screen, NULL, GW_EVENT_DIRECTORY_CHANGED, NULL);
	}
	return ORT_NEVER;
}

/* ---- actions ---- */
static void do_remember(gw_app *app, const struct gw_action *a)
{
	gw_store_append(app->store, a->record);
	gw_app_rearm(app);
}

static void do_changed_incident(gw_app *app, const struct gw_action *a)
{
	mark(app, app->dirty_incidents, a->id);
}

static void do_changed_wall(gw_app *app, const struct gw_action *a)
{
	mark(app, app->dirty_walls, a->id);
}

static void do_changed_directory(gw_app *app, const struct gw_action *a)
{
	app->dirty_directory = true;
	gw_app_flush_soon(app);
}

static void do_nothing(gw_app *app, const struct gw_action *a)
{
}

struct seat { const char *scene, *incident; };

static bool in_seat(const struct gw_api_session *s, void *user_data)
{
	const struct seat *seat = user_data;
	return s->role == GW_ROLE_FIELD && g_strcmp0(s->scene, seat->scene) == 0;
}

static void do_link_ended(gw_app *app, const struct gw_action *a)
{
	struct seat seat = { a->scene, NULL };
	gw_app_scene_gone(app, a->scene, a->why);
	gw_api_broadcast(app->api, in_seat, &seat, GW_EVENT_LINK_ENDED, &(struct gw_ev_why){ (char *)(uintptr_t)a->why });
	(void)gw_auth_link_revoke(app->auth, a->id);
	(void)gw_api_end_matching(app->api, in_seat, &seat, a->why);
}

static void do_talk(gw_app *app, const struct gw_action *a)
{
	gw_app_talk(app, a->id);
}

static void do_mute(gw_app *app, const struct gw_action *a)
{
	gw_app_mute(app, a->scene, a->on);
}

static void on_pushed(const struct gw_push_result *r, void *user_data)
{
	gw_app_remember(user_data, r->ok ? "webhook.delivered" : "webhook.failed", "gateway", NULL,
			json_pack("{s:i,s:i,s:s}", "status", r->status, "attempts", (int)r->attempts, "why", r->why != NULL ? r->why : ""));
}

static void do_escalate(gw_app *app, const struct gw_action *a)
{
	gw_api_broadcast(app->api, is_staff_or_screen, NULL, GW_EVENT_INCIDENT_ALARM,
			 &(struct gw_ev_alarm){ (char *)(uintptr_t)a->id, a->step, a->minutes, (char *)(uintptr_t)a->text_zh });
	if (app->push != NULL) {
		g_autoptr(json_t) incident = gw_incident_print(app->domain, a->id);
		g_autoptr(json_t) body = json_pack("{s:s,s:O,s:i,s:i,s:s,s:s,s:s,s:O}", "incident", a->id, "drill",
						   json_object_get(incident, "drill"), "step", a->step, "minutes", a->minutes, "who", a->why, "text", a->text_zh, "text_en", a->text, "object", incident);
		(void)gw_app_outward(app, "incident.alarm", body, gw_incident_is_drill(app->domain, a->id), on_pushed, app);
	}
}

static void do_verdict(gw_app *app, const struct gw_action *a)
{
	ort_log(ORT_LOG_NOTICE, "app", "incident.verdict", "the 30-minute line", ORT_S("incident", a->id), ORT_S("verdict", a->why));
	if (app->push != NULL) {
		g_autoptr(json_t) incident = gw_incident_print(app->domain, a->id);
		g_autoptr(json_t) body = json_pack("{s:s,s:O,s:s}", "incident", a->id, "drill", json_object_get(incident, "drill"), "verdict",
						   a->why);
		(void)gw_app_outward(app, "incident.verdict", body, gw_incident_is_drill(app->domain, a->id), on_pushed, app);
	}
}

static void do_conf_changed(gw_app *app, const struct gw_action *a)
{
	const char *rollcall = gw_rollcall_of(app->domain, a->id);
	mark(app, app->dirty_conferences, a->id);
	gw_app_callack_conference(app, a->id);
	gw_app_rooms_changed(app);
	if (rollcall != NULL) {
		mark(app, app->dirty_rollcalls, rollcall);
	}
}

/* Tells the site that it is heard now; nobody waits for it. */
static void do_rollcall(gw_app *app, const struct gw_action *a)
{
	const char *conference = a->party != NULL ? gw_party_conference(app->domain, a->party) : NULL;
	mark(app, app->dirty_rollcalls, a->id);
	if (a->party != NULL) {
		gw_app_measure_turn(app, a->party);
	}
	if (conference != NULL && app->media != NULL) {
		g_autofree char *text = g_strdup_printf("点名，%s，请回答", gw_party_name(app->domain, a->party));
		struct mcu_mix_play req = { (char *)(uintptr_t)GW_HALL, (char *)(uintptr_t)conference, NULL, (char *)(uintptr_t)"roll_call",
					    .text = text };
		gw_media_call(app->media, MCU_METHOD_MIX_PLAY, &req, NULL, NULL);
	}
}

static void do_schedule(gw_app *app, const struct gw_action *a)
{
	struct gw_ev_schedule news = { (char *)(uintptr_t)a->id, (char *)(uintptr_t)(a->why != NULL ? a->why : "") };
	gw_api_broadcast(app->api, is_staff, NULL, GW_EVENT_ROLLCALL_SCHEDULE, &news);
}

static void do_mix_changed(gw_app *app, const struct gw_action *a)
{
	gw_app_mix_soon(app, a->id);
}

/* After a restart the rules want calls before the engine has a room to put them in. */
static void do_party_dial(gw_app *app, const struct gw_action *a)
{
	if (app->hall) {
		gw_app_party_dial(app, a->party, a->text);
	} else {
		g_hash_table_replace(app->dials, g_strdup(a->party), g_strdup(a->text));
	}
}

void gw_app_dial_waiting(gw_app *app)
{
	g_autoptr(GHashTable) dials = app->dials;
	GHashTableIter it;
	gpointer party, address;
	app->dials = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	g_hash_table_iter_init(&it, dials);
	while (g_hash_table_iter_next(&it, &party, &address)) {
		gw_app_party_dial(app, party, address);
	}
}

static void do_party_hang_up(gw_app *app, const struct gw_action *a)
{
	g_hash_table_remove(app->dials, a->party);
	gw_app_party_drop(app, a->party, a->why);
	gw_app_seat_drop(app, a->party, a->why);
}

static void do_content(gw_app *app, const struct gw_action *a)
{
	gw_app_content_act(app, a->id, a->party, a->why);
}

static void do_access(gw_app *app, const struct gw_action *a)
{
	gw_api_broadcast(app->api, is_staff_or_screen, NULL, GW_EVENT_ACCESS_CHANGED, NULL);
}

static void do_approval(gw_app *app, const struct gw_action *a)
{
	gw_api_broadcast(app->api, is_staff, NULL, GW_EVENT_APPROVAL_CHANGED, NULL);
}

static void do_duty(gw_app *app, const struct gw_action *a)
{
	gw_app_duty_changed(app, a->id);
}

static void do_report(gw_app *app, const struct gw_action *a)
{
	gw_app_report_changed(app, a->id);
}

static void do_duty_alarm(gw_app *app, const struct gw_action *a)
{
	gw_app_duty_alarm(app, a->id);
}

static void act(const struct gw_action *a, void *user_data)
{
	static void (*const does[])(gw_app *, const struct gw_action *) = {
		[GW_ACT_REMEMBER] = do_remember,
		[GW_ACT_CHANGED_INCIDENT] = do_changed_incident,
		[GW_ACT_CHANGED_WALL] = do_changed_wall,
		[GW_ACT_CHANGED_DIRECTORY] = do_changed_directory,
		[GW_ACT_ROOM_OPEN] = do_nothing,	/* all incidents share the hall, which is open from the start */
		[GW_ACT_ROOM_CLOSE] = do_nothing,
		[GW_ACT_LINK_ENDED] = do_link_ended,
		[GW_ACT_TALK] = do_talk,
		[GW_ACT_MUTE] = do_mute,
		[GW_ACT_ESCALATE] = do_escalate,
		[GW_ACT_VERDICT] = do_verdict,
		[GW_ACT_CONF_OPEN] = do_mix_changed,
		[GW_ACT_CONF_CLOSE] = do_mix_changed,
		[GW_ACT_CONF_CHANGED] = do_conf_changed,
		[GW_ACT_MIX_CHANGED] = do_mix_changed,
		[GW_ACT_PARTY_DIAL] = do_party_dial,
		[GW_ACT_PARTY_HANG_UP] = do_party_hang_up,
		[GW_ACT_CONTENT] = do_content,
		[GW_ACT_ROLLCALL] = do_rollcall,
		[GW_ACT_ACCESS] = do_access,
		[GW_ACT_APPROVAL] = do_approval,
		[GW_ACT_NOTICE] = gw_app_notice,
		[GW_ACT_SCHEDULE] = do_schedule,
		[GW_ACT_DUTY] = do_duty,
		[GW_ACT_DUTY_ALARM] = do_duty_alarm,
		[GW_ACT_REPORT] = do_report,
		[GW_ACT_CALLACK] = gw_app_callack_changed,
		[GW_ACT_CALLACK_WAY] = gw_app_callack_way,
		[GW_ACT_READY] = gw_app_ready_changed,
	};
	does[a->kind](user_data, a);
}

const struct gw_domain_ops gw_app_domain_ops = { act };

void gw_app_remember(gw_app *app, const char *type, const char *actor, const char *incident, json_t *body)
{
	g_autoptr(json_t) own = body != NULL ? body : json_object();
	gw_store_append(app->store,
			&(struct gw_record){ 0, ort_wall_ms(), ort_now_us(), app->boot, type, actor, incident, own });
}

/* Auditors see the log grow. Called by the store after each commit. */
static void on_committed(const struct gw_record *r, const char *hash, void *user_data)
{
	gw_app *app = user_data;
	if (!app->started) {
		return;
	}
	g_autoptr(json_t) o = json_pack("{s:I,s:I,s:s,s:s,s:s?,s:O,s:s}", "seq", (json_int_t)r->seq, "at_ms", (json_int_t)r->at_ms, "type",
					r->type, "actor", r->actor, "incident", r->incident, "body", r->body, "hash", hash);
	gw_api_broadcast(app->api, is_auditor, NULL, GW_EVENT_LOG_APPENDED, &(struct gw_ev_record){ o });
}

static void on_trouble(const char *why, void *user_data)
{
	gw_app *app = user_data;
	app->storage_ok = why == NULL;
	ort_log(why != NULL ? ORT_LOG_ERROR : ORT_LOG_NOTICE, "store", "store.state",
		why != NULL ? "the disk refuses: records wait, nothing is acknowledged" : "the disk works again", ORT_S("why", why));
	if (app->started) {
		struct gw_ev_system ev = { (char *)(uintptr_t)(gw_media_up(app->media) ? "up" : "restarting"),
					   (char *)(uintptr_t)(why != NULL ? "storage" : "") };
		gw_api_broadcast(app->api, NULL, NULL, GW_EVENT_SYSTEM_STATE, &ev);
	}
}

const struct gw_store_ops gw_app_store_ops = { on_committed, on_trouble };
