/* gateway/bfcp against libre's BFCP (bfcp_peer, over UDP): their participant at our server, our participant at theirs; and
 * tshark as judge of every message that we can send. Skipped where a peer is not installed. */
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <string.h>

#include "gateway/bfcp/core_priv.h"

enum { CONFERENCE = 4242, USER = 5, FLOOR = 2 };

struct run {
	GMainContext *context;
	gw_bfcp *b;
	gw_bfcp_link *link;
	GSubprocess *peer;
	GDataInputStream *lines;
	GString *log, *theirs;
	bool later, over;
	int code;
};

static void note(struct run *r, const char *word)
{
	g_string_append_printf(r->log, "%s ", word);
}

static gboolean grant_later(gpointer data)
{
	gw_bfcp_link_grant(((struct run *)data)->link);
	return G_SOURCE_REMOVE;
}

static void on_request(gw_bfcp_link *l, void *user_data)
{
	struct run *r = user_data;

	note(r, "request");
	if (r->later) {
		g_autoptr(GSource) s = g_timeout_source_new(50);

		g_source_set_callback(s, grant_later, r, NULL);
		g_source_attach(s, r->context);
	} else {
		gw_bfcp_link_grant(l);
	}
}

static void on_release(gw_bfcp_link *l, void *user_data)
{
	note(user_data, "release");
}

static void on_status(gw_bfcp_link *l, enum gw_bfcp_status status, void *user_data)
{
	note(user_data, status == GW_BFCP_GRANTED ? "granted" : status == GW_BFCP_RELEASED ? "released" : "other");
	if (status == GW_BFCP_GRANTED) {
		gw_bfcp_link_release(l);
	}
}

static void on_floor(gw_bfcp_link *l, bool held, bool by_us, void *user_data)
{
	note(user_data, held ? "held" : "free");
	if (!held) {
		gw_bfcp_link_request(l);
	}
}

static void on_gone(gw_bfcp_link *l, const char *why, void *user_data)
{
	note(user_data, why);
}

static void on_line(GObject *source, GAsyncResult *result, gpointer data)
{
	struct run *r = data;
	g_autofree char *line = g_data_input_stream_read_line_finish(r->lines, result, NULL, NULL);
	unsigned port;

	if (line == NULL) {
		r->over = true;
		return;
	}
	if (sscanf(line, "port %u", &port) == 1) {
		g_assert_true(gw_bfcp_link_connect(r->link, "127.0.0.1", (uint16_t)port, NULL, NULL));
		(void)g_output_stream_write(g_subprocess_get_stdin_pipe(r->peer), "\n", 1, NULL, NULL);
	} else {
		g_string_append_printf(r->theirs, "%s ", line);
	}
	g_data_input_stream_read_line_async(r->lines, 0, NULL, on_line, r);
}

static bool begin(struct run *r, bool server)
{
	static const struct gw_bfcp_ops ops = { on_request, on_release, on_status, on_floor, on_gone };
	struct gw_bfcp_link_conf conf = { .transport = GW_BFCP_UDP, .server = server, .conference = CONFERENCE, .user = USER,
					  .floor = FLOOR };
	struct gw_bfcp_conf base = { .address = "127.0.0.1" };
	const char *peer = g_getenv("ORTOO_BFCP_PEER");
	g_autofree char *port = NULL;

	if (peer == NULL) {
		g_test_skip("no libre");
		return false;
	}
	r->context = g_main_context_new();
	g_main_context_push_thread_default(r->context);
	r->log = g_string_new(NULL);
	r->theirs = g_string_new(NULL);
	r->b = gw_bfcp_new(r->context, &base, NULL);
	r->link = gw_bfcp_link_new(r->b, &conf, &ops, r, NULL);
	port = g_strdup_printf("%u", gw_bfcp_link_port(r->link));
	r->peer = g_subprocess_new(G_SUBPROCESS_FLAGS_STDIN_PIPE | G_SUBPROCESS_FLAGS_STDOUT_PIPE, NULL, peer,
				   server ? "client" : "server", "127.0.0.1", port, G_STRINGIFY(4242), G_STRINGIFY(5),
				   G_STRINGIFY(2), NULL);
	g_assert_nonnull(r->peer);
	r->lines = g_data_input_stream_new(g_subprocess_get_stdout_pipe(r->peer));
	g_data_input_stream_read_line_async(r->lines, 0, NULL, on_line, r);
	while (!r->over) {
		g_main_context_iteration(r->context, TRUE);
	}
	(void)g_subprocess_wait(r->peer, NULL, NULL);
	r->code = g_subprocess_get_exit_status(r->peer);
	g_test_message("we: %s; libre: %s", r->log->str, r->theirs->str);
	return true;
}

static void end(struct run *r)
{
	gw_bfcp_link_free(r->link);
	gw_bfcp_free(r->b);
	g_object_unref(r->lines);
	g_object_unref(r->peer);
	g_string_free(r->log, TRUE);
	g_string_free(r->theirs, TRUE);
	g_main_context_pop_thread_default(r->context);
	g_main_context_unref(r->context);
}

static void libre_asks_our_server(gconstpointer later)
{
	struct run r = { .later = GPOINTER_TO_INT(later) };

	if (begin(&r, true)) {
		g_assert_cmpint(r.code, ==, 0);
		g_assert_cmpstr(r.log->str, ==, "request release ");
		g_assert_true(g_str_has_prefix(r.theirs->str, r.later ? "hello floor pending granted" : "hello floor granted"));
		g_assert_nonnull(strstr(r.theirs->str, "floor-held"));
		g_assert_nonnull(strstr(r.theirs->str, "released"));
		g_assert_nonnull(strstr(r.theirs->str, "floor-free"));
		end(&r);
	}
}

static void our_client_asks_libre(void)
{
	struct run r = { 0 };

	if (begin(&r, false)) {
		g_assert_cmpint(r.code, ==, 0);
		g_assert_cmpstr(r.log->str, ==, "free granted released ");
		g_assert_cmpstr(r.theirs->str, ==, "hello query request release ");
		end(&r);
	}
}

/* ---- tshark ---- */
struct tape { GByteArray *pcap; struct bfcp_core client, server; unsigned n; };

static void put(GByteArray *a, const void *data, size_t n)
{
	g_byte_array_append(a, data, (guint)n);
}

/* One message as a UDP datagram in a record of a pcap file (link type 228: IPv4). tshark 4.0 knows RFC 4582: version 1,
 * primitives to 13; the attributes are the same. */
static void record(struct tape *t, const uint8_t *data, size_t len)
{
	uint8_t first = (uint8_t)((data[0] & 0x1f) | 0x20);
	uint32_t head[4] = { t->n, 0, (uint32_t)len + 28, (uint32_t)len + 28 };
	uint8_t ip[28] = { 0x45, 0, (uint8_t)((len + 28) >> 8), (uint8_t)(len + 28), 0, 0, 0, 0, 64, 17, 0, 0, 192, 0, 2, 1, 192, 0, 2,
			   2, 0x9c, 0x40, 0x9c, 0x40, (uint8_t)((len + 8) >> 8), (uint8_t)(len + 8) };

	if (data[1] > BFCP_P_ERROR) {
		return;
	}
	t->n++;
	put(t->pcap, head, sizeof(head));
	put(t->pcap, ip, sizeof(ip));
	put(t->pcap, &first, 1);
	put(t->pcap, data + 1, len - 1);
}

static void by_client(const uint8_t *data, size_t len, void *user_data)
{
	struct tape *t = user_data;

	record(t, data, len);
	bfcp_core_input(&t->server, data, len, 1);
}

static void by_server(const uint8_t *data, size_t len, void *user_data)
{
	struct tape *t = user_data;

	record(t, data, len);
	bfcp_core_input(&t->client, data, len, 1);
}

static void told(void *user_data) {}
static void told_status(enum gw_bfcp_status status, void *user_data) {}
static void told_floor(bool held, bool by_us, void *user_data) {}
static void told_gone(const char *why, void *user_data) {}

static void play(struct tape *t, bool datagram)
{
	static const struct bfcp_core_ops client = { by_client, told, told, told_status, told_floor, told_gone };
	static const struct bfcp_core_ops server = { by_server, told, told, told_status, told_floor, told_gone };
	static const uint8_t stray[][16] = {
		{ 0x40, BFCP_P_CHAIR_ACTION, 0, 1, 0, 0, 0, 1, 1, 1, 0, 2, 7, 4, 0, 1 },
		{ 0x40, BFCP_P_USER_QUERY, 0, 1, 0, 0, 0, 1, 1, 2, 0, 2, 3, 4, 0, 2 },
		{ 0x40, BFCP_P_FLOOR_QUERY, 0, 1, 0, 0, 0, 1, 1, 3, 0, 2, 0xfd, 4, 0, 2 },
	};
	static struct bfcp_counters counters;

	bfcp_core_init(&t->client, datagram, &client, &counters, 10, t);
	bfcp_core_init(&t->server, datagram, &server, &counters, 20, t);
	bfcp_core_role(&t->client, false, 1, 2, 3);
	bfcp_core_role(&t->server, true, 1, 2, 3);
	bfcp_core_up(&t->server, 1);
	bfcp_core_up(&t->client, 1);
	bfcp_client_request(&t->client, 1);
	bfcp_server_verdict(&t->server, GW_BFCP_GRANTED, NULL, 1);
	bfcp_server_verdict(&t->server, GW_BFCP_REVOKED, "主席收回 / taken back", 1);
	bfcp_server_tell(&t->server, true, 1);
	bfcp_client_request(&t->client, 1);
	bfcp_client_release(&t->client, 1);
	for (unsigned i = 0; i < G_N_ELEMENTS(stray); i++) {
		bfcp_core_input(&t->server, stray[i], sizeof(stray[i]), 1);
	}
	bfcp_core_bye(&t->client);
}

static void tshark_reads_all(gconstpointer datagram)
{
	const uint32_t head[6] = { 0xa1b2c3d4, 2 | 4 << 16, 0, 0, 65535, 228 };
	struct tape t = { .pcap = g_byte_array_new() };
	g_autofree char *dir = NULL, *path = NULL, *out = NULL, *tshark = g_find_program_in_path("tshark");
	g_auto(GStrv) lines = NULL;
	unsigned n = 0;

	if (tshark == NULL) {
		g_test_skip("no tshark");
		return;
	}
	put(t.pcap, head, sizeof(head));
	play(&t, GPOINTER_TO_INT(datagram));
	dir = g_dir_make_tmp("ortoo-bfcp-XXXXXX", NULL);
	path = g_build_filename(dir, "pcap", NULL);
	g_assert_true(g_file_set_contents(path, (const char *)t.pcap->data, (gssize)t.pcap->len, NULL));
	const char *argv[] = { "tshark", "-r", path, "-d", "udp.port==40000,bfcp", "-T", "fields", "-e", "bfcp.primitive", "-e",
			       "_ws.malformed", "-e", "_ws.expert.message", NULL };
	g_assert_true(g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH | G_SPAWN_STDERR_TO_DEV_NULL, NULL, NULL, &out,
				   NULL, NULL, NULL));
	lines = g_strsplit(out, "\n", -1);
	for (unsigned i = 0; lines[i] && *lines[i]; i++, n++) {
		g_auto(GStrv) column = g_strsplit(lines[i], "\t", -1);

		g_test_message("%s", lines[i]);
		g_assert_true(g_ascii_isdigit(column[0][0]));
		g_assert_cmpstr(column[1], ==, "");
		g_assert_cmpstr(column[2], ==, "");
	}
	g_assert_cmpuint(n, ==, t.n);
	g_assert_cmpuint(n, >=, 15);
	(void)g_unlink(path);
	(void)g_rmdir(dir);
	g_byte_array_unref(t.pcap);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_data_func("/bfcp/libre-asks-our-server/granted-at-once", GINT_TO_POINTER(false), libre_asks_our_server);
	g_test_add_data_func("/bfcp/libre-asks-our-server/granted-later", GINT_TO_POINTER(true), libre_asks_our_server);
	g_test_add_func("/bfcp/our-client-asks-libre", our_client_asks_libre);
	g_test_add_data_func("/bfcp/tshark-reads-all/udp", GINT_TO_POINTER(true), tshark_reads_all);
	g_test_add_data_func("/bfcp/tshark-reads-all/tcp", GINT_TO_POINTER(false), tshark_reads_all);
	return g_test_run();
}
