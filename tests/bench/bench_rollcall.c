/* A roll call of many sites through the whole gateway (fake engine and fake legs, real store and real client protocol, two
 * consoles in this process): CPU and memory of it, and how long a command takes to the event on the other console and to the
 * command that turns the picture. */
#include <stdio.h>
#include <sys/resource.h>

#include "tests/unit/gateway/app/house.h"

struct console { struct gw_api_session *session; int64_t asked_us, heard_us; bool answered; int64_t bytes, events; };

static bool on_text(struct gw_api_session *s, const char *text, size_t len)
{
	struct console *c = s->user;
	c->bytes += (int64_t)len;
	c->events++;
	if (strstr(text, "\"rollcall.changed\"") != NULL) {
		c->heard_us = ort_now_us();
	}
	c->answered |= strstr(text, "\"id\":7") != NULL || strstr(text, "\"id\": 7") != NULL;
	return true;
}

static void on_close(struct gw_api_session *s, int code, const char *why)
{
}

static const struct gw_api_transport_ops transport = { on_text, on_close };

static void console_open(struct house *h, struct console *c)
{
	int64_t expires_ms = 0;
	g_autofree char *id = NULL, *token = gw_auth_token_issue(h->app->auth, "bench", "dispatcher", ort_wall_ms(), &expires_ms, &id);
	*c = (struct console){ .session = gw_api_session_open(h->app->api, &transport, "127.0.0.1", c) };
	g_assert_cmpint(gw_api_session_authenticate(c->session, token), ==, GW_ERROR_N);
}

static double cpu_s(void)
{
	struct rusage u;
	(void)getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static long rss_kib(void)
{
	struct rusage u;
	(void)getrusage(RUSAGE_SELF, &u);
	return u.ru_maxrss;
}

static int by_value(gconstpointer a, gconstpointer b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
	return (x > y) - (x < y);
}

static void print_times(const char *what, GArray *times)
{
	g_array_sort(times, by_value);
	if (times->len > 0) {
		printf("%-46s median %6.1f ms, p95 %6.1f ms, worst %6.1f ms (%u)\n", what, (double)g_array_index(times, int64_t, times->len / 2) / 1e3,
		       (double)g_array_index(times, int64_t, times->len * 95 / 100) / 1e3,
		       (double)g_array_index(times, int64_t, times->len - 1) / 1e3, times->len);
	}
}

static GStrv fill(struct house *h, int sites)
{
	GStrv ids = g_new0(char *, (gsize)sites + 1);
	for (int n = 0; n < sites; n++) {
		g_autofree char *name = g_strdup_printf("苏木%d", n + 1), *address = g_strdup_printf("sip:m%d@x", n + 1);
		ids[n] = g_strdup_printf("m%d", n + 1);
		g_autoptr(json_t) item = json_pack("{s:s,s:s,s:s}", "id", ids[n], "name", name, "address", address);
		g_assert_true(gw_directory_put(h->app->domain, "u:a", "site", item, gw_app_now(), NULL));
	}
	return ids;
}

static void spin(int times)
{
	for (int n = 0; n < times; n++) {
		(void)g_main_context_iteration(NULL, FALSE);
	}
}

/* Legs that were made since answer at once. */
static void answer_all(struct house *h, GHashTable *done)
{
	g_autoptr(GPtrArray) fresh = g_ptr_array_new();
	GHashTableIter it;
	gpointer prefix, leg;
	g_hash_table_iter_init(&it, h->legs);
	while (g_hash_table_iter_next(&it, &prefix, &leg)) {
		if (g_hash_table_add(done, g_strdup(prefix))) {
			g_ptr_array_add(fresh, leg);
		}
	}
	for (unsigned n = 0; n < fresh->len; n++) {
		(void)gw_leg_enter(fresh->pdata[n], GW_LEG_RINGING, NULL);
		(void)gw_leg_enter(fresh->pdata[n], GW_LEG_CONNECTING, NULL);
		publish(fresh->pdata[n]);
		(void)gw_leg_enter(fresh->pdata[n], GW_LEG_UP, NULL);
	}
}

/* One `next`: until the other console has heard of it, and until the engine was told of the new picture. */
static void next(struct house *h, struct console *from, struct console *to, const char *id, GArray *events, GArray *views)
{
	g_autofree char *text = g_strdup_printf("{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"rollcall.next\",\"params\":{\"id\":\"%s\"}}", id);
	unsigned told = kit_fake_engine_calls(h->engine, MCU_METHOD_MIX_VIEW);
	int64_t start = ort_now_us(), view_us = 0;
	from->answered = false;
	to->heard_us = 0;
	gw_api_dispatch(from->session, text, strlen(text), start);
	while (ort_now_us() - start < 5 * ORT_US_PER_S && (to->heard_us == 0 || view_us == 0 || !from->answered)) {
		(void)g_main_context_iteration(NULL, TRUE);	/* its CPU is measured: no spinning */
		if (view_us == 0 && kit_fake_engine_calls(h->engine, MCU_METHOD_MIX_VIEW) > told) {
			view_us = ort_now_us() - start;
		}
	}
	int64_t event_us = to->heard_us - start;
	if (to->heard_us != 0) {
		g_array_append_val(events, event_us);
	}
	if (view_us != 0) {
		g_array_append_val(views, view_us);
	}
}

static bool is_over(struct house *h, const char *id)
{
	g_autoptr(json_t) list = gw_rollcall_list(h->app->domain, 1);
	return g_strcmp0(json_string_value(json_object_get(json_array_get(list, 0), "state")), "closed") == 0;
}

int main(int argc, char **argv)
{
	int sites = argc > 1 ? atoi(argv[1]) : 500;
	struct house h;
	struct console one = { 0 }, two = { 0 };
	house_init(&h);
	g_auto(GStrv) ids = fill(&h, sites);
	console_open(&h, &one);
	console_open(&h, &two);
	g_autoptr(GHashTable) done = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	g_autoptr(GArray) events = g_array_new(FALSE, FALSE, sizeof(int64_t));
	g_autoptr(GArray) views = g_array_new(FALSE, FALSE, sizeof(int64_t));
	struct gw_conference_facts c = { .name = "全区点名" };
	struct gw_rollcall_facts f = { .conference = gw_conference_open(h.app->domain, "u:a", &c, gw_app_now(), NULL), .name = "全区点名",
				       .sites = (const char *const *)ids, .ahead = 50, .hang_up = true };
	long rss_before = rss_kib();
	double cpu_before = cpu_s();
	int64_t start = ort_now_us();
	g_autofree char *id = g_strdup(gw_rollcall_open(h.app->domain, "u:a", &f, gw_app_now(), NULL));
	g_assert_true(gw_rollcall_run(h.app->domain, "u:a", id, true, gw_app_now(), NULL));
	for (int n = 0; n < sites + 10 && !is_over(&h, id); n++) {
		spin(50);
		answer_all(&h, done);
		spin(50);
		next(&h, &one, &two, id, events, views);
	}
	g_autoptr(json_t) end = gw_rollcall_print(h.app->domain, id);
	printf("%d sites, 50 dialled ahead: %s, present %d\n", sites, json_string_value(json_object_get(end, "state")),
	       (int)json_integer_value(json_object_get(json_object_get(end, "totals"), "present")));
	printf("%-46s %.2f s in %.1f s of wall clock (gateway, fake engine, two consoles)\n", "CPU of the roll call", cpu_s() - cpu_before,
	       (double)(ort_now_us() - start) / 1e6);
	printf("%-46s %ld KiB more, %ld KiB in all\n", "memory", rss_kib() - rss_before, rss_kib());
	printf("%-46s %.1f KiB a turn\n", "news to one console", (double)two.bytes / 1024 / sites);
	print_times("command to the event on another console", events);
	print_times("command to the engine's new picture", views);
	gw_api_session_close(one.session);
	gw_api_session_close(two.session);
	house_finish(&h);
	return 0;
}
