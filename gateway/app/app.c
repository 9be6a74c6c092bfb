/* Life of the gateway: state folder, store and replay, parts in order, and the end in the opposite order. */
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/app/app_priv.h"
#include "gateway/app/calls_priv.h"
#include "gateway/app/callack_priv.h"
#include "gateway/app/ready_priv.h"
#include "gateway/app/rooms_priv.h"
#include "gateway/app/evidence_priv.h"

/* ---- state folder ---- */
static bool take_state(gw_app *app, char **ret_why)
{
	g_autofree char *path = g_build_filename(app->options.state, "lock", NULL);
	if (g_mkdir_with_parents(app->options.state, 0700) < 0) {
		*ret_why = g_strdup_printf("%s: %s", app->options.state, g_strerror(errno));
		return false;
	}
	app->lock_fd = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
	if (app->lock_fd < 0 || flock(app->lock_fd, LOCK_EX | LOCK_NB) < 0) {
		bool busy = app->lock_fd >= 0 && errno == EWOULDBLOCK;
		*ret_why = busy ? g_strdup_printf("%s is in use by another ortoo-gateway: end that one, or name another folder with --state",
						  app->options.state)
				: g_strdup_printf("%s: %s", path, g_strerror(errno));
		return false;
	}
	return true;
}

char *gw_app_random(unsigned bytes)
{
	GString *hex = g_string_new(NULL);
	for (unsigned n = 0; n < bytes; n++) {
		unsigned char byte = 0;
		while (getrandom(&byte, 1, 0) != 1) {
		}
		g_string_append_printf(hex, "%02x", byte);
	}
	return g_string_free(hex, FALSE);
}

static char *read_boot(void)
{
	char *text = NULL;
	if (!g_file_get_contents("/proc/sys/kernel/random/boot_id", &text, NULL, NULL)) {
		text = g_strdup("unknown");
	}
	return g_strstrip(text);
}

/* ---- clock of the domain ---- */
void gw_app_rearm(gw_app *app)
{
	if (app->domain_timer != NULL) {
		ort_timer_set(app->domain_timer, gw_domain_deadline(app->domain));
	}
}

static int64_t on_domain_time(int64_t now_us, void *user_data)
{
	gw_app *app = user_data;
	gw_domain_tick(app->domain, gw_app_now());
	return gw_domain_deadline(app->domain);
}

static int64_t on_sweep(int64_t now_us, void *user_data)
{
	gw_app *app = user_data;
	gw_auth_tick(app->auth, now_us, ort_wall_ms());
	gw_app_sweep_legs(app, now_us);
	gw_app_ready_clock(app);
	if (now_us - app->signed_us >= 60 * ORT_US_PER_S) {
		app->signed_us = now_us;
		gw_store_sign(app->store, ort_wall_ms());
	}
	return now_us + 5 * ORT_US_PER_S;
}

/* ---- parts ---- */
static void replay(const struct gw_record *record, const char *hash, void *user_data)
{
	gw_app *app = user_data;
	if (gw_domain_replay(app->domain, record, gw_app_now()) < 0) {
		ort_log(ORT_LOG_WARNING, "app", "replay.record", "a record does not read and is skipped", ORT_I("seq", record->seq),
			ORT_S("type", record->type));
	}
}

static void set_timers(gw_app *app)
{
	static const struct { enum gw_timer timer; const char *key; } rows[] = {
		{ GW_TIMER_SCENE_ON_WALL, "incident.scene_on_wall" }, { GW_TIMER_ESCALATE_1, "incident.escalate_1" },
		{ GW_TIMER_ESCALATE_2, "incident.escalate_2" },	      { GW_TIMER_ESCALATE_3, "incident.escalate_3" },
		{ GW_TIMER_LINK_FIRST_USE, "link.first_use" },	      { GW_TIMER_LINK_LIFE, "link.life" },
		{ GW_TIMER_PARTY_RING, "party.ring" },		      { GW_TIMER_PARTY_CONNECT, "party.connect" },
		{ GW_TIMER_PARTY_SEAT, "party.seat" },			      { GW_TIMER_ROLLCALL_LATE, "rollcall.late" },
		{ GW_TIMER_ROLLCALL_GIVE_UP, "rollcall.give_up" },    { GW_TIMER_APPROVAL, "auth.approval" },
		{ GW_TIMER_ROLLCALL_GRACE, "rollcall.grace" },
		{ GW_TIMER_REPORT_SPOKEN, "report.spoken" },	      { GW_TIMER_REPORT_WRITTEN_GRAVE, "report.written_grave" },
		{ GW_TIMER_REPORT_WRITTEN, "report.written" },	      { GW_TIMER_REPORT_FOLLOWUP_GRAVE, "report.followup_grave" },
		{ GW_TIMER_REPORT_FOLLOWUP, "report.followup" },      { GW_TIMER_REPORT_FINAL, "report.final" },
		{ GW_TIMER_CALLACK_NEXT, "callack.next" },
	};
	for (unsigned n = 0; n < G_N_ELEMENTS(rows); n++) {
		gw_domain_set_timer(app->domain, rows[n].timer, ort_conf_int(app->options.conf, rows[n].key));
	}
}

static bool start_store(gw_app *app, char **ret_why)
{
	g_autofree char *path = g_build_filename(app->options.state, "ortoo.db", NULL);
	GError *err = NULL;
	app->storage_ok = true;
	app->store = gw_store_open(app->context, path, &gw_app_store_ops, app, &err);
	app->domain = gw_domain_new(&gw_app_domain_ops, app->boot, app);
	set_timers(app);
	if (!gw_app_duty_rules(app, ret_why)) {
		g_clear_error(&err);
		return false;
	}
	if (app->store != NULL) {
		gw_app_endpoints_load(app);
		gw_app_contacts_load(app);
	}
	if (app->store != NULL && gw_app_auth_start(app) && gw_store_replay(app->store, replay, app, &err)) {
		return true;
	}
	*ret_why = g_strdup_printf("%s: %s%s", path, err->message,
				   g_error_matches(err, GW_STORE_ERROR, GW_STORE_CHAIN)
					   ? "; the log was altered: keep the file as evidence and restore a copy"
					   : "");
	g_error_free(err);
	return false;
}

static bool start_push(gw_app *app, char **ret_why)
{
	const ort_conf *conf = app->options.conf;
	if (ort_conf_str(conf, "webhook.url")[0] == '\0') {
		return true;
	}
	const char *ca = ort_conf_str(conf, "webhook.ca");
	struct gw_push_conf push = { .url = ort_conf_str(conf, "webhook.url"), .secret = ort_conf_str(conf, "webhook.secret"),
				     .ca_path = ca[0] != '\0' ? ca : NULL };
	app->push = gw_push_new(&push, ret_why);
	return app->push != NULL;
}

static const char *or_null(const ort_conf *conf, const char *key)
{
	const char *text = ort_conf_str(conf, key);
	return text[0] != '\0' ? text : NULL;
}

/* "https://host:port" of a URL without its path, for the policy's img-src. */
static char *origin_of(const char *url)
{
	const char *rest = url != NULL ? strstr(url, "://") : NULL;
	const char *path = rest != NULL ? strchr(rest + 3, '/') : NULL;
	return rest == NULL ? NULL : path != NULL ? g_strndup(url, (gsize)(path - url)) : g_strdup(url);
}

static bool start_web(gw_app *app, char **ret_why)
{
	const ort_conf *conf = app->options.conf;
	g_autofree char *map_origin = origin_of(or_null(conf, "map.tiles"));
	struct gw_web_conf web = {
		.listen = or_null(conf, "web.listen"),
		.port = (int)ort_conf_int(conf, "web.port"),
		.cert_path = or_null(conf, "web.cert"),
		.key_path = or_null(conf, "web.key"),
		.redirect_port = (int)ort_conf_int(conf, "web.redirect_port"),
		.root = or_null(conf, "web.root"),
		.origins = ort_conf_strv(conf, "web.origins"),
		.map_origin = map_origin,
		.hsts = ort_conf_bool(conf, "web.hsts"),
		.trust_forwarded = ort_conf_bool(conf, "web.trust_forwarded"),
		.max_connections = (unsigned)ort_conf_int(conf, "web.max_connections"),
	};
	app->web = gw_web_start(&web, app->api, ret_why);
	return app->web != NULL;
}

/* The first address of an interface that is up and not loopback; else loopback. (transfer full) */
char *gw_app_own_address(void)
{
	struct ifaddrs *all = NULL;
	char host[NI_MAXHOST] = "127.0.0.1";
	(void)getifaddrs(&all);
	for (struct ifaddrs *i = all; i != NULL; i = i->ifa_next) {
		bool usable = i->ifa_addr != NULL && i->ifa_addr->sa_family == AF_INET && (i->ifa_flags & IFF_UP) != 0 &&
			      (i->ifa_flags & IFF_LOOPBACK) == 0;
		if (usable && getnameinfo(i->ifa_addr, sizeof(struct sockaddr_in), host, sizeof(host), NULL, 0, NI_NUMERICHOST) == 0) {
			break;
		}
	}
	if (all != NULL) {
		freeifaddrs(all);
	}
	return g_strdup(host);
}

static void make_url(gw_app *app)
{
	const ort_conf *conf = app->options.conf;
	const char *const *names = ort_conf_strv(conf, "web.announce");
	if (or_null(conf, "web.url") != NULL) {
		app->url = g_strdup(ort_conf_str(conf, "web.url"));
		g_strdelimit(app->url + strlen(app->url) - 1, "/", '\0');
		return;
	}
	g_autofree char *own = names != NULL && names[0] != NULL ? g_strdup(names[0]) : gw_app_own_address();
	bool v6 = strchr(own, ':') != NULL;
	app->url = g_strdup_printf("%s://%s%s%s:%d", or_null(conf, "web.cert") != NULL ? "https" : "http", v6 ? "[" : "", own,
				   v6 ? "]" : "", gw_web_port(app->web));
}

static void bind_all(gw_app *app)
{
	gw_app_bind_people(app);
	gw_app_bind_directory(app);
	gw_app_bind_incidents(app);
	gw_app_bind_scenes(app);
	gw_app_bind_walls(app);
	gw_app_bind_media(app);
	gw_app_bind_system(app);
	gw_app_bind_conferences(app);
	gw_app_bind_rollcalls(app);
	gw_app_bind_control(app);
	gw_app_bind_rollcall_papers(app);
	gw_app_bind_schedules(app);
	gw_app_bind_duty(app);
	gw_app_bind_reports(app);
	gw_app_bind_parties(app);
	gw_app_bind_endpoints(app);
	gw_app_bind_rooms(app);
	gw_app_bind_callack(app);
	gw_app_bind_ready(app);
	gw_app_bind_sip(app);
	gw_app_bind_access(app);
}

static void start_timers(gw_app *app)
{
	app->flush_timer = ort_timer_new(app->context, ORT_NEVER, gw_app_flush, app);
	app->minute_timer = ort_timer_new(app->context, ort_now_us() + 5 * ORT_US_PER_S, on_sweep, app);
	app->domain_timer = ort_timer_new(app->context, ORT_NEVER, on_domain_time, app);
}

static bool start_parts(gw_app *app, char **ret_why)
{
	if (!take_state(app, ret_why) || !start_store(app, ret_why) || !start_push(app, ret_why)) {
		return false;
	}
	app->api = gw_api_new(&gw_app_api_ops, NULL, app);
	bind_all(app);
	start_timers(app);
	gw_app_loops_start(app);
	gw_app_calls_start(app);
	gw_app_flows_start(app);
	gw_app_rooms_start(app);
	gw_app_callacks_start(app);
	gw_app_measures_start(app);
	gw_app_evidence_start(app);
	gw_app_mixes_start(app);
	if (!gw_app_media_start(app, ret_why) || !gw_app_sip_start(app, ret_why) ||
	    !gw_app_h323_start(app, ret_why) || !start_web(app, ret_why)) {
		return false;
	}
	make_url(app);
	gw_app_routes(app);
	gw_app_callack_routes(app);
	app->started = true;
	gw_domain_replay_done(app->domain, gw_app_now());
	gw_app_rearm(app);
	return true;
}

gw_app *gw_app_start(const struct gw_app_options *options, char **ret_why)
{
	gw_app *app = g_new0(gw_app, 1);
	app->options = *options;
	app->lock_fd = -1;
	app->context = g_main_context_default();
	app->boot = read_boot();
	app->dirty_incidents = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	app->dirty_walls = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	app->dirty_conferences = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	app->dirty_rollcalls = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	app->rollcall_seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	app->dirty_reports = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	app->dirty_duty = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	app->failing = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	app->dials = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	if (!start_parts(app, ret_why)) {
		gw_app_stop(app, false);
		return NULL;
	}
	gw_app_remember(app, "gateway.start", "gateway", NULL, json_pack("{s:s}", "version", ORT_VERSION));
	if (options->demo) {
		gw_app_demo(app);
	}
	if (!options->quiet) {
		gw_app_banner(app);
	}
	return app;
}

static void drop_timer(GSource **timer)
{
	if (*timer != NULL) {
		g_source_destroy(*timer);
		g_clear_pointer(timer, g_source_unref);
	}
}

static void stop_doors(gw_app *app, bool end_engine)
{
	if (app->hall_idle != 0) {
		g_source_remove(app->hall_idle);
	}
	gw_web_stop(app->web);
	gw_app_calls_stop(app);
	gw_app_h323_stop(app);
	gw_app_sip_stop(app);
	gw_app_loops_stop(app);
	gw_app_mixes_stop(app);
	if (app->media != NULL) {
		if (end_engine) {
			gw_media_end_engine(app->media);
		}
		g_clear_pointer(&app->media, gw_media_free);
	}
	gw_rtc_free(app->rtc);
	if (app->hasher != NULL) {
		gw_auth_worker_stop(app->hasher);
	}
	gw_push_free(app->push);
}

void gw_app_stop(gw_app *app, bool end_engine)
{
	if (app == NULL) {
		return;
	}
	if (app->started) {
		gw_app_remember(app, "gateway.stop", "gateway", NULL, NULL);
		gw_store_sign(app->store, ort_wall_ms());
	}
	stop_doors(app, end_engine);
	drop_timer(&app->flush_timer);
	drop_timer(&app->minute_timer);
	drop_timer(&app->domain_timer);
	gw_app_evidence_stop(app);
	app->started = false;
	gw_store_close(app->store);	/* late acknowledgements go to calls whose sessions are gone */
	gw_auth_free(app->auth);
	gw_api_free(app->api);
	gw_domain_free(app->domain);
	g_clear_pointer(&app->whip_seats, g_hash_table_unref);
	g_hash_table_unref(app->dirty_incidents);
	g_hash_table_unref(app->dirty_walls);
	g_hash_table_unref(app->dirty_conferences);
	g_hash_table_unref(app->dirty_rollcalls);
	g_hash_table_unref(app->rollcall_seen);
	g_hash_table_unref(app->dirty_duty);
	g_hash_table_unref(app->dirty_reports);
	gw_app_flows_stop(app);
	gw_app_rooms_stop(app);
	gw_app_callacks_stop(app);
	gw_app_measures_stop(app);
	gw_app_endpoints_stop(app);
	g_hash_table_unref(app->failing);
	g_hash_table_unref(app->dials);
	if (app->lock_fd >= 0) {
		close(app->lock_fd);
	}
	g_free(app->setup_token);
	g_free(app->demo_link);
	g_free(app->demo_wall);
	g_free(app->url);
	g_free(app->boot);
	g_free(app);
}

void gw_app_reload(gw_app *app)
{
	(void)gw_web_reload(app->web);
}

int gw_app_port(const gw_app *app)
{
	return gw_web_port(app->web);
}

const char *gw_app_setup_token(const gw_app *app)
{
	return app->setup_token;
}
