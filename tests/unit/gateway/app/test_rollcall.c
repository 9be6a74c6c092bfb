/* Roll calls through the whole gateway: methods, events of the mixer as measures, the tone, the circular. */
#include "tests/unit/gateway/app/house.h"

#include "gateway/app/evidence_priv.h"
#include "gateway/print/print.h"

struct answer { int status; json_t *body; bool came; };

static void on_reply(const struct gw_api_rest_reply *reply, void *user_data)
{
	struct answer *a = user_data;
	*a = (struct answer){ reply->status, json_loads(reply->body, 0, NULL), true };
}

/* (transfer full); fails the test unless the gateway answers with `status`. */
static json_t *ask(struct house *h, const char *role, const char *method, int status, json_t *params)
{
	struct answer a = { 0 };
	int64_t expires_ms = 0;
	g_autofree char *id = NULL, *token = gw_auth_token_issue(h->app->auth, "test", role, ort_wall_ms(), &expires_ms, &id);
	g_autofree char *text = json_dumps(params, 0);
	(void)gw_api_call_rest(h->app->api, method, text, strlen(text), token, "127.0.0.1", ort_now_us(), on_reply, &a);
	for (int n = 0; n < 50 && !a.came; n++) {
		settle();
	}
	g_assert_true(a.came);
	if (a.status != status) {
		g_error("%s: %d %s", method, a.status, json_dumps(a.body, 0));
	}
	json_decref(params);
	return a.body;
}

static void fill(struct house *h)
{
	for (int n = 1; n <= 3; n++) {
		g_autofree char *id = g_strdup_printf("s%d", n), *name = g_strdup_printf("值班室%d", n), *address = g_strdup_printf("sip:s%d@x", n);
		json_t *item = json_pack("{s:s,s:s,s:s}", "id", id, "name", name, "address", address);
		g_assert_true(gw_directory_put(h->app->domain, "u:a", "site", item, gw_app_now(), NULL));
		json_decref(item);
	}
}

static char *open_rollcall(struct house *h, int dwell_ms)
{
	g_autoptr(json_t) o = ask(h, "dispatcher", "rollcall.open", 200, json_pack("{s:s,s:[sss],s:i}", "name", "晨间点名", "sites", "s1", "s2", "s3",
										     "dwell_ms", dwell_ms));
	g_assert_cmpstr(json_string_value(json_object_get(o, "state")), ==, "ready");
	return g_strdup(json_string_value(json_object_get(o, "id")));
}

static json_t *entry(json_t *rollcall, size_t n)
{
	return json_array_get(json_object_get(rollcall, "entries"), n);
}

static char *says(struct house *h, const char *id, size_t n, const char *member)
{
	g_autoptr(json_t) o = gw_rollcall_print(h->app->domain, id);
	return g_strdup(json_string_value(json_object_get(entry(o, n), member)));
}

static void assert_says(struct house *h, const char *id, size_t n, const char *member, const char *wanted)
{
	g_autofree char *text = says(h, id, n, member);
	g_assert_cmpstr(text, ==, wanted);
}

static void site_answers(struct house *h, const char *id, size_t n)
{
	g_autofree char *party = says(h, id, n, "party");
	answers(h, party);
}

/* ---- cases ---- */
static void by_hand(void)
{
	struct house h;
	house_init(&h);
	fill(&h);
	g_autofree char *id = open_rollcall(&h, 0);
	json_decref(ask(&h, "dispatcher", "rollcall.run", 200, json_pack("{s:s,s:b}", "id", id, "on", 1)));
	settle();
	unsigned tones = kit_fake_engine_calls(h.engine, MCU_METHOD_MIX_PLAY);
	g_assert_cmpuint(tones, ==, 1);
	site_answers(&h, id, 0);
	site_answers(&h, id, 1);	/* was dialled ahead */
	assert_says(&h, id, 0, "state", "present");
	assert_says(&h, id, 0, "measured", "present");
	json_decref(ask(&h, "dispatcher", "rollcall.next", 200, json_pack("{s:s}", "id", id)));
	assert_says(&h, id, 0, "result", "present");
	json_decref(ask(&h, "dispatcher", "rollcall.next", 200, json_pack("{s:s,s:s}", "id", id, "result", "no_sound")));
	assert_says(&h, id, 1, "result", "no_sound");
	json_decref(ask(&h, "dispatcher", "rollcall.mark", 200, json_pack("{s:s,s:s,s:s,s:s}", "id", id, "site", "s3", "result", "excused", "why", "休假")));
	json_decref(ask(&h, "dispatcher", "rollcall.jump", 200, json_pack("{s:s,s:s}", "id", id, "site", "s2")));
	assert_says(&h, id, 1, "result", "not_called");
	settle();
	g_assert_cmpuint(kit_fake_engine_calls(h.engine, MCU_METHOD_MIX_PLAY), ==, tones + 3);
	g_autoptr(json_t) over = ask(&h, "administrator", "rollcall.close", 200, json_pack("{s:s}", "id", id));
	g_assert_cmpstr(json_string_value(json_object_get(over, "state")), ==, "closed");
	house_finish(&h);
}

static void roles_and_refusals(void)
{
	static const char *const reads[] = { "viewer", "auditor" };
	struct house h;
	house_init(&h);
	fill(&h);
	g_autofree char *id = open_rollcall(&h, 0);
	for (unsigned n = 0; n < G_N_ELEMENTS(reads); n++) {
		json_decref(ask(&h, reads[n], "rollcall.get", 200, json_pack("{s:s}", "id", id)));
		json_decref(ask(&h, reads[n], "rollcall.run", 403, json_pack("{s:s,s:b}", "id", id, "on", 1)));
		g_autoptr(json_t) list = ask(&h, reads[n], "rollcall.list", 200, json_object());
		g_assert_cmpuint(json_array_size(json_object_get(list, "rollcalls")), ==, 1);
	}
	json_decref(ask(&h, "dispatcher", "rollcall.open", 404, json_pack("{s:s,s:[s]}", "name", "x", "sites", "nowhere")));
	g_autoptr(json_t) open = gw_conference_list(h.app->domain, true, 10);
	g_assert_cmpuint(json_array_size(open), ==, 1);	/* the refused one left no conference behind */
	json_decref(ask(&h, "dispatcher", "rollcall.next", 409, json_pack("{s:s}", "id", id)));
	json_decref(ask(&h, "dispatcher", "rollcall.get", 404, json_pack("{s:s}", "id", "rc-99")));
	house_finish(&h);
}

static void level(struct house *h, const char *mix, const char *stream, double dbov)
{
	struct mcu_mix_input_stats row = { .id = (char *)(uintptr_t)stream, .level_dbov = dbov };
	struct mcu_mix_stats_event ev = { .room = (char *)(uintptr_t)GW_HALL, .mix = (char *)(uintptr_t)mix, .inputs = { &row, 1 } };
	kit_fake_engine_event(h->engine, MCU_EVENT_MIX_STATS, &ev);
	settle();
}

static void picture(struct house *h, const char *mix, const char *stream, const char *state)
{
	struct mcu_mix_input_event ev = { .room = (char *)(uintptr_t)GW_HALL, .mix = (char *)(uintptr_t)mix, .id = (char *)(uintptr_t)stream,
					  .state = (char *)(uintptr_t)state, .why = (char *)(uintptr_t)"" };
	kit_fake_engine_event(h->engine, MCU_EVENT_MIX_INPUT_STATE, &ev);
	settle();
}

static void media_is_measured(void)
{
	static const struct { const char *state, *verdict; } rows[] = {
		{ "shown", "present" }, { "black", "no_picture" }, { "shown", "present" }, { "late", "present" }, { "frozen", "no_picture" },
		{ "shown", "no_picture" },	/* it froze in its turn: that stays said */
	};
	struct house h;
	house_init(&h);
	fill(&h);
	g_autofree char *id = open_rollcall(&h, 0);
	json_decref(ask(&h, "dispatcher", "rollcall.run", 200, json_pack("{s:s,s:b}", "id", id, "on", 1)));
	site_answers(&h, id, 0);
	g_autofree char *party = says(&h, id, 0, "party"), *mix = g_strdup(gw_party_conference(h.app->domain, party));
	g_autofree char *video = g_strconcat(leg_of(&h, party)->party, ".video", NULL), *audio = g_strconcat(leg_of(&h, party)->party, ".audio", NULL);
	for (unsigned n = 0; n < G_N_ELEMENTS(rows); n++) {
		picture(&h, mix, video, rows[n].state);
		assert_says(&h, id, 0, "measured", rows[n].verdict);
	}
	level(&h, mix, audio, -2);
	g_autoptr(json_t) o = gw_rollcall_print(h.app->domain, id);
	g_assert_true(json_is_true(json_object_get(json_object_get(entry(o, 0), "figures"), "clipped")));
	g_assert_false(json_is_true(json_object_get(json_object_get(entry(o, 0), "figures"), "silent")));	/* not listened long enough */
	house_finish(&h);
}

static void circular_is_signed(void)
{
	struct house h;
	house_init(&h);
	fill(&h);
	g_autofree char *id = open_rollcall(&h, 0);
	json_decref(ask(&h, "dispatcher", "rollcall.run", 200, json_pack("{s:s,s:b}", "id", id, "on", 1)));
	json_decref(ask(&h, "dispatcher", "rollcall.next", 200, json_pack("{s:s,s:s}", "id", id, "result", "no_answer")));
	g_autoptr(json_t) json = ask(&h, "viewer", "rollcall.circular", 200, json_pack("{s:s}", "id", id));
	const json_t *paper = json_object_get(json, "circular"), *head = json_object_get(paper, "log_head");
	g_assert_cmpint(json_integer_value(json_object_get(head, "seq")), >, 3);
	g_assert_cmpuint(strlen(json_string_value(json_object_get(head, "hash"))), ==, 64);
	g_assert_cmpuint(json_array_size(json_object_get(paper, "entries")), ==, 3);
	g_autoptr(json_t) csv = ask(&h, "viewer", "rollcall.circular", 200, json_pack("{s:s,s:s}", "id", id, "format", "csv"));
	const char *text = json_string_value(json_object_get(csv, "csv"));
	g_assert_true(g_str_has_prefix(text, "\xEF\xBB\xBF序号,会场编号,会场,结果"));
	g_assert_nonnull(strstr(text, "\r\n1,s1,值班室1,无应答,"));
	g_assert_nonnull(strstr(text, "\r\n3,s3,值班室3,未点,"));
	json_decref(ask(&h, "viewer", "rollcall.circular", 404, json_pack("{s:s}", "id", "rc-99")));
	house_finish(&h);
}

/* The turn is a second old: still and clip are asked, hashed, kept, and served as long as nobody altered them. */
static void evidence_is_taken(void)
{
	struct house h;
	house_init(&h);
	fill(&h);
	g_autofree char *id = open_rollcall(&h, 0);
	json_decref(ask(&h, "dispatcher", "rollcall.run", 200, json_pack("{s:s,s:b}", "id", id, "on", 1)));
	site_answers(&h, id, 0);
	g_autofree char *party = says(&h, id, 0, "party"), *mix = g_strdup(gw_party_conference(h.app->domain, party));
	g_autofree char *audio = g_strconcat(leg_of(&h, party)->party, ".audio", NULL);
	g_usleep(1000000);
	level(&h, mix, audio, -20);
	g_autoptr(json_t) o = NULL;
	for (int n = 0; n < 40 && (o == NULL || !json_is_object(json_object_get(entry(o, 0), "still"))); n++) {
		settle();
		json_decref(o);
		o = gw_rollcall_print(h.app->domain, id);
	}
	const char *still = json_string_value(json_object_get(json_object_get(entry(o, 0), "still"), "file"));
	g_assert_nonnull(still);
	g_assert_true(g_str_has_suffix(still, ".jpg"));
	g_autofree char *folder = gw_app_evidence_folder(h.app, id), *path = g_build_filename(folder, still, NULL), *bytes = NULL;
	const char *why = NULL;
	gsize len = 0;
	g_assert_true(gw_app_evidence_read(h.app, id, still, &bytes, &len, &why));
	g_assert_cmpuint(len, ==, 3);
	g_assert_false(gw_app_evidence_read(h.app, id, "../../ortoo.db", &bytes, &len, &why));
	g_assert_null(why);
	g_assert_true(g_file_set_contents(path, "xyz", 3, NULL));
	g_clear_pointer(&bytes, g_free);
	g_assert_false(gw_app_evidence_read(h.app, id, still, &bytes, &len, &why));
	g_assert_nonnull(strstr(why, "altered"));
	g_autofree char *clip = g_build_filename(folder, json_string_value(json_object_get(json_object_get(entry(o, 0), "clip"), "file")), NULL);
	(void)g_remove(path);
	(void)g_remove(clip);
	(void)g_rmdir(folder);
	house_finish(&h);
}

static void code_search_and_figures(void)
{
	struct house h;
	house_init(&h);
	fill(&h);
	g_autofree char *id = open_rollcall(&h, 0);
	json_decref(ask(&h, "dispatcher", "rollcall.code", 409, json_pack("{s:s}", "id", id)));
	json_decref(ask(&h, "dispatcher", "rollcall.run", 200, json_pack("{s:s,s:b}", "id", id, "on", 1)));
	json_decref(ask(&h, "viewer", "rollcall.code", 403, json_pack("{s:s}", "id", id)));
	g_autoptr(json_t) shown = ask(&h, "dispatcher", "rollcall.code", 200, json_pack("{s:s}", "id", id));
	const json_t *code = json_object_get(entry(shown, 0), "code");
	g_assert_cmpuint(strlen(json_string_value(json_object_get(code, "digits"))), ==, 4);
	json_decref(ask(&h, "dispatcher", "rollcall.code_said", 200, json_pack("{s:s,s:b}", "id", id, "right", 1)));
	json_decref(ask(&h, "dispatcher", "rollcall.next", 200, json_pack("{s:s,s:s}", "id", id, "result", "present")));
	json_decref(ask(&h, "dispatcher", "rollcall.close", 200, json_pack("{s:s}", "id", id)));
	g_autoptr(json_t) found = ask(&h, "auditor", "rollcall.search", 200, json_pack("{s:s,s:s}", "site", "值班室1", "result", "present"));
	g_assert_cmpuint(json_array_size(json_object_get(found, "rollcalls")), ==, 1);
	g_autoptr(json_t) none = ask(&h, "auditor", "rollcall.search", 200, json_pack("{s:s}", "text", "夜间"));
	g_assert_cmpuint(json_array_size(json_object_get(none, "rollcalls")), ==, 0);
	g_autoptr(json_t) stats = ask(&h, "viewer", "rollcall.stats", 200, json_object());
	g_assert_cmpuint(json_array_size(json_object_get(stats, "rollcall_stats")), ==, 3);
	g_autoptr(json_t) csv = ask(&h, "viewer", "rollcall.stats", 200, json_pack("{s:s}", "format", "csv"));
	g_assert_nonnull(strstr(json_string_value(json_object_get(csv, "csv")), "\r\ns1,值班室1,1,100.0,"));
	house_finish(&h);
}

static void lists_are_saved(void)
{
	struct house h;
	house_init(&h);
	fill(&h);
	json_decref(ask(&h, "viewer", "rollcall.schedule_put", 403, json_pack("{s:s,s:[s]}", "name", "x", "sites", "s1")));
	g_autoptr(json_t) made = ask(&h, "dispatcher", "rollcall.schedule_put", 200, json_pack("{s:s,s:[ss],s:i,s:i,s:i}", "name", "每日", "sites", "s1",
										     "s2", "minute", 510, "days", 127, "dwell_ms", 10000));
	const char *id = json_string_value(json_object_get(made, "id"));
	g_assert_cmpint(json_integer_value(json_object_get(made, "next_ms")), >, ort_wall_ms());
	json_decref(ask(&h, "dispatcher", "rollcall.schedule_put", 404, json_pack("{s:s,s:s,s:[s]}", "id", "rs-9", "name", "x", "sites", "s1")));
	g_autoptr(json_t) list = ask(&h, "viewer", "rollcall.schedules", 200, json_object());
	g_assert_cmpuint(json_array_size(json_object_get(list, "schedules")), ==, 1);
	json_decref(ask(&h, "dispatcher", "rollcall.schedule_remove", 200, json_pack("{s:s}", "id", id)));
	json_decref(ask(&h, "dispatcher", "rollcall.schedule_remove", 404, json_pack("{s:s}", "id", id)));
	house_finish(&h);
}

/* A PDF of a circular that was held, with Chinese text as text. */
static void is_printed(void)
{
	static const unsigned char jpeg[] = { 0xff, 0xd8, 0xff, 0xc0, 0, 11, 8, 0, 90, 0, 160, 1, 1, 0x11, 0, 0xff, 0xd9 };
	struct house h;
	house_init(&h);
	fill(&h);
	g_autofree char *id = open_rollcall(&h, 0), *path = g_build_filename(h.dir, "s.jpg", NULL), *why = NULL;
	g_assert_true(g_file_set_contents(path, (const char *)jpeg, sizeof(jpeg), NULL));
	struct gw_evidence still = { GW_EVIDENCE_STILL, "s.jpg", "ab", sizeof(jpeg), 1 };
	g_assert_true(gw_rollcall_evidence(h.app->domain, id, "s1", &still, gw_app_now()));
	g_autoptr(json_t) paper = gw_rollcall_circular(h.app->domain, id);
	gw_app_put_proof(h.app, paper);
	g_autoptr(GBytes) pdf = gw_print_circular(paper, h.dir, &why);
	g_assert_cmpstr(why, ==, NULL);
	gsize len;
	const char *bytes = g_bytes_get_data(pdf, &len);
	g_assert_cmpmem(bytes, 5, "%PDF-", 5);
	g_assert_cmpuint(len, >, 3000);
	g_assert_nonnull(memmem(bytes, len, "/DCTDecode", 10));	/* the still went in as it was */
	house_finish(&h);
}

static void goes_on_after_a_restart(void)
{
	struct house h;
	house_init(&h);
	fill(&h);
	g_autofree char *id = open_rollcall(&h, 0);
	json_decref(ask(&h, "dispatcher", "rollcall.run", 200, json_pack("{s:s,s:b}", "id", id, "on", 1)));
	site_answers(&h, id, 0);
	json_decref(ask(&h, "dispatcher", "rollcall.next", 200, json_pack("{s:s}", "id", id)));
	gw_app_stop(h.app, false);
	start(&h);
	g_autoptr(json_t) o = ask(&h, "viewer", "rollcall.get", 200, json_pack("{s:s}", "id", id));
	g_assert_cmpstr(json_string_value(json_object_get(o, "state")), ==, "running");
	g_assert_cmpstr(json_string_value(json_object_get(entry(o, 0), "result")), ==, "present");
	g_assert_true(json_is_true(json_object_get(entry(o, 1), "turn")));
	house_finish(&h);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
#define ROW(fn) g_test_add_func("/gateway/app/rollcall/" #fn, fn)
	ROW(by_hand);
	ROW(roles_and_refusals);
	ROW(media_is_measured);
	ROW(circular_is_signed);
	ROW(evidence_is_taken);
	ROW(code_search_and_figures);
	ROW(lists_are_saved);
	ROW(is_printed);
	ROW(goes_on_after_a_restart);
	return g_test_run();
}
