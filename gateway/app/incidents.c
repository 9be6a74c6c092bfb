/* Handlers: incidents, escalation, certificate. */
#include <string.h>

#include "gateway/app/app_priv.h"

static void open_incident(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	gw_app *app = user_data;
	const struct gw_incident_open *in = request;
	GError *err = NULL;
	g_autofree char *actor = gw_app_actor(s);
	struct gw_incident_facts f = { in->kind, in->place, in->text, (int)in->level, in->lat != 0 || in->lon != 0, in->lat, in->lon,
				       in->drill };
	if (gw_app_refuse_writes(app, call)) {
		return;
	}
	const char *id = gw_incident_open(app->domain, actor, &f, gw_app_now(), &err);
	if (id == NULL) {
		gw_app_fail(call, err);
		return;
	}
	gw_app_ack(app, call, gw_ack_incident, id, NULL, 0);
}

/* Members that are absent stay as they are. */
static struct gw_incident_facts merged(const struct gw_incident_update *in, const json_t *old)
{
	const json_t *lat = json_object_get(old, "lat"), *lon = json_object_get(old, "lon");
	bool moved = in->lat != 0 || in->lon != 0;
	return (struct gw_incident_facts){
		.kind = in->kind != NULL ? in->kind : json_string_value(json_object_get(old, "kind")),
		.place = in->place != NULL ? in->place : json_string_value(json_object_get(old, "place")),
		.text = in->text != NULL ? in->text : json_string_value(json_object_get(old, "text")),
		.level = in->level != 0 ? (int)in->level : (int)json_integer_value(json_object_get(old, "level")),
		.has_position = moved || json_is_real(lat),
		.lat = moved ? in->lat : json_real_value(lat),
		.lon = moved ? in->lon : json_real_value(lon),
	};
}

static void update(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	gw_app *app = user_data;
	const struct gw_incident_update *in = request;
	GError *err = NULL;
	g_autofree char *actor = gw_app_actor(s);
	g_autoptr(json_t) old = gw_incident_print(app->domain, in->id);
	struct gw_incident_facts f = merged(in, old);
	bool ok = gw_incident_update(app->domain, actor, in->id, &f, gw_app_now(), &err);
	gw_app_answer(app, call, ok, err, gw_ack_incident, in->id);
}

static void close_incident(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	gw_app *app = user_data;
	const struct gw_incident_close *in = request;
	GError *err = NULL;
	g_autofree char *actor = gw_app_actor(s);
	bool ok = gw_incident_close(app->domain, actor, in->id, in->reason, gw_app_now(), &err);
	gw_app_answer(app, call, ok, err, gw_ack_incident, in->id);
}

static void list(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	gw_app *app = user_data;
	const struct gw_incident_list *in = request;
	unsigned limit = in->limit > 0 ? (unsigned)MIN(in->limit, 1000) : 100;
	g_autoptr(json_t) incidents = gw_incident_list(app->domain, in->open_only, in->before_ms, limit);
	gw_api_reply(call, &(struct gw_incident_list_reply){ incidents });
}

static void get(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	gw_app *app = user_data;
	const struct gw_id_ref *in = request;
	bool field = s->role == GW_ROLE_FIELD, foreign = field && g_strcmp0(in->id, s->incident) != 0;
	g_autoptr(json_t) incident = foreign ? NULL : field ? gw_app_field_view(app, s->scene) : gw_incident_print(app->domain, in->id);
	if (incident == NULL) {
		gw_api_fail(call, GW_ERROR_NOT_FOUND, NULL);
		return;
	}
	gw_api_reply(call, &(struct gw_raw){ incident });
}

/* ---- certificate: the domain's stamps, each with the number and hash of the record that holds it ---- */
static void number_stamp(json_t *certificate, const json_t *record)
{
	const json_t *body = json_object_get(record, "body");
	const char *scene = json_string_value(json_object_get(body, "scene"));
	const char *step = json_string_value(json_object_get(body, "stamp"));
	size_t n, k;
	json_t *row, *stamp;
	json_array_foreach(json_object_get(certificate, "scenes"), n, row) {
		if (g_strcmp0(json_string_value(json_object_get(row, "scene")), scene) != 0) {
			continue;
		}
		json_array_foreach(json_object_get(row, "stamps"), k, stamp) {
			if (g_strcmp0(json_string_value(json_object_get(stamp, "step")), step) == 0 &&
			    json_object_get(stamp, "seq") == NULL) {
				json_object_set(stamp, "seq", json_object_get(record, "seq"));
				json_object_set(stamp, "hash", json_object_get(record, "hash"));
			}
		}
	}
}

/* With these anybody can check later that the log's end, as it was then, was ours. */
static void put_signature(json_t *certificate, const gw_store *store)
{
	struct gw_log_signature sig;
	bool have = gw_store_last_signature(store, &sig);
	json_object_set_new(certificate, "public_key", json_string(gw_store_public_key(store)));
	json_object_set_new(certificate, "log_signature", !have ? json_null()
			    : json_pack("{s:I,s:s,s:I,s:s}", "seq", (json_int_t)sig.seq, "hash", sig.hash, "at_ms", (json_int_t)sig.at_ms,
					"signature", sig.signature));
}

void gw_app_put_proof(const gw_app *app, json_t *paper)
{
	int64_t seq;
	char hash[GW_STORE_HASH];
	gw_store_head(app->store, &seq, hash);
	json_object_set_new(paper, "log_head", json_pack("{s:I,s:s}", "seq", (json_int_t)seq, "hash", hash));
	put_signature(paper, app->store);
	json_object_set_new(paper, "node", json_string(ort_conf_str(app->options.conf, "node.name")));
}

static void on_stamps(json_t *records, const char *why, void *user_data)
{
	struct gw_ack *ack = user_data;
	size_t n;
	json_t *record;
	g_autoptr(json_t) certificate = gw_incident_certificate(ack->app->domain, ack->id, gw_app_now());
	json_array_foreach(records, n, record) {
		number_stamp(certificate, record);
	}
	gw_app_put_proof(ack->app, certificate);
	gw_api_reply(ack->call, &(struct gw_raw){ certificate });
	g_free(ack->id);
	g_free(ack);
}

static void certificate(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	gw_app *app = user_data;
	const struct gw_id_ref *in = request;
	g_autoptr(json_t) known = gw_incident_print(app->domain, in->id);
	if (known == NULL) {
		gw_api_fail(call, GW_ERROR_NOT_FOUND, NULL);
		return;
	}
	struct gw_ack *ack = g_new0(struct gw_ack, 1);
	*ack = (struct gw_ack){ .app = app, .call = call, .id = g_strdup(in->id) };
	gw_store_query(app->store, &(struct gw_log_query){ .limit = 1000, .type = "scene.stamp", .incident = in->id }, on_stamps, ack);
}

static void on_records(json_t *records, const char *why, void *user_data)
{
	gw_api_call *call = user_data;
	if (records == NULL) {
		gw_api_fail(call, GW_ERROR_STORAGE, why);
		return;
	}
	gw_api_reply(call, &(struct gw_log_records){ records, 0 });
}

static void incident_log(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	gw_app *app = user_data;
	const struct gw_incident_log *in = request;
	unsigned limit = in->limit > 0 ? (unsigned)MIN(in->limit, 1000) : 200;
	gw_store_query(app->store, &(struct gw_log_query){ .after_seq = in->after_seq, .limit = limit, .incident = in->id }, on_records, call);
}

static void note(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	gw_app *app = user_data;
	const struct gw_incident_note *in = request;
	GError *err = NULL;
	g_autofree char *actor = gw_app_actor(s);
	if (gw_app_refuse_writes(app, call)) {
		return;
	}
	bool ok = gw_incident_note(app->domain, actor, in->id, NULL, in->text, gw_app_now(), &err);
	gw_app_answer(app, call, ok, err, gw_ack_empty, NULL);
}

static void ack_step(struct gw_api_session *s, const void *request, gw_api_call *call, void *user_data)
{
	gw_app *app = user_data;
	const struct gw_escalation_ack *in = request;
	GError *err = NULL;
	g_autofree char *actor = gw_app_actor(s);
	bool ok = gw_escalation_ack(app->domain, actor, in->incident, (int)in->step, gw_app_now(), &err);
	gw_app_answer(app, call, ok, err, gw_ack_incident, in->incident);
}

void gw_app_bind_incidents(gw_app *app)
{
	static const struct { enum gw_method method; gw_api_handler_fn fn; } rows[] = {
		{ GW_METHOD_INCIDENT_OPEN, open_incident }, { GW_METHOD_INCIDENT_UPDATE, update },
		{ GW_METHOD_INCIDENT_CLOSE, close_incident }, { GW_METHOD_INCIDENT_LIST, list },
		{ GW_METHOD_INCIDENT_GET, get },	      { GW_METHOD_INCIDENT_CERTIFICATE, certificate },
		{ GW_METHOD_INCIDENT_LOG, incident_log },     { GW_METHOD_INCIDENT_NOTE, note },
		{ GW_METHOD_ESCALATION_ACK, ack_step },
	};
	for (unsigned n = 0; n < G_N_ELEMENTS(rows); n++) {
		gw_api_bind(app->api, rows[n].method, rows[n].fn, app);
	}
}
