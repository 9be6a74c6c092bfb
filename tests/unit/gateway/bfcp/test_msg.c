/* BFCP bytes: what is read, what is refused, and that we read what we write. */
#include <errno.h>
#include <glib.h>
#include <string.h>

#include "gateway/bfcp/msg_priv.h"

static size_t hex_bytes(const char *hex, uint8_t *out)
{
	size_t n = 0;

	for (; *hex; hex++) {
		if (*hex != ' ') {
			out[n / 2] = (uint8_t)((n % 2 ? out[n / 2] << 4 : 0) | g_ascii_xdigit_value(*hex));
			n++;
		}
	}
	return n / 2;
}

#define HEAD "0000abcd 0001 0002"	/* conference, transaction, user */

static const struct { const char *name, *hex; int want; uint8_t prim; unsigned n_attrs, n_unknown; } rows[] = {
	{ "hello", "200b0000" HEAD, 0, BFCP_P_HELLO, 0, 0 },
	{ "hello-of-version-2", "400b0000" HEAD, 0, BFCP_P_HELLO, 0, 0 },
	{ "version-3", "600b0000" HEAD, -EPROTONOSUPPORT, BFCP_P_HELLO, 0, 0 },
	{ "cut-header", "200b0000 0000abcd 0001", -EBADMSG, 0, 0, 0 },
	{ "longer-than-said", "200b0000" HEAD "00000000", -EMSGSIZE, BFCP_P_HELLO, 0, 0 },
	{ "shorter-than-said", "200b0001" HEAD, -EMSGSIZE, BFCP_P_HELLO, 0, 0 },
	{ "says-64-KiB", "200bffff" HEAD, -EMSGSIZE, BFCP_P_HELLO, 0, 0 },
	{ "floor-request", "20010001" HEAD "05040001", 0, BFCP_P_FLOOR_REQUEST, 1, 0 },
	{ "attribute-of-length-zero", "20010001" HEAD "05000001", -EBADMSG, BFCP_P_FLOOR_REQUEST, 0, 0 },
	{ "attribute-of-length-one", "20010001" HEAD "05010001", -EBADMSG, BFCP_P_FLOOR_REQUEST, 0, 0 },
	{ "attribute-beyond-the-end", "20010001" HEAD "05080001", -EBADMSG, BFCP_P_FLOOR_REQUEST, 0, 0 },
	{ "number-of-three-octets", "20010002" HEAD "05050001 00000000", -EBADMSG, BFCP_P_FLOOR_REQUEST, 0, 0 },
	{ "unknown-is-skipped", "20010002" HEAD "fc040000 05040001", 0, BFCP_P_FLOOR_REQUEST, 2, 0 },
	{ "unknown-and-mandatory", "20010002" HEAD "fd040000 05040001", 0, BFCP_P_FLOOR_REQUEST, 2, 1 },
	{ "text-with-padding", "20010003" HEAD "10076869 20212100 05040001", 0, BFCP_P_FLOOR_REQUEST, 2, 0 },
	{ "group", "20040004" HEAD "1e100007 24080007 0a040300 00000000", -EBADMSG, BFCP_P_FLOOR_REQUEST_STATUS, 0, 0 },
	{ "group-of-groups", "20040003" HEAD "1e0c0007 24080007 0a040300", 0, BFCP_P_FLOOR_REQUEST_STATUS, 3, 0 },
	{ "three-levels", "20040003" HEAD "1e0c0007 1e080007 1e040007", 0, BFCP_P_FLOOR_REQUEST_STATUS, 3, 0 },
	{ "four-levels", "20040004" HEAD "1e100007 1e0c0007 1e080007 1e040007", -EBADMSG, BFCP_P_FLOOR_REQUEST_STATUS, 0, 0 },
	{ "group-without-number", "20040001" HEAD "1e020000", -EBADMSG, BFCP_P_FLOOR_REQUEST_STATUS, 0, 0 },
	{ "fragment", "48010002" HEAD "00010001 05040001", 0, BFCP_P_FLOOR_REQUEST, 0, 0 },
	{ "fragment-beyond-the-whole", "48010001" HEAD "00010001 05040001", -EMSGSIZE, BFCP_P_FLOOR_REQUEST, 0, 0 },
	{ "fragment-of-version-1", "28010002" HEAD "00010001 05040001", -EBADMSG, BFCP_P_FLOOR_REQUEST, 0, 0 },
};

static void row(gconstpointer data)
{
	size_t i = GPOINTER_TO_SIZE(data);
	uint8_t bytes[128];
	struct bfcp_msg m;
	size_t len = hex_bytes(rows[i].hex, bytes);

	g_assert_cmpint(bfcp_parse(bytes, len, &m), ==, rows[i].want);
	g_assert_cmpuint(m.prim, ==, rows[i].prim);
	if (rows[i].want == 0) {
		g_assert_cmpuint(m.n_attrs, ==, rows[i].n_attrs);
		g_assert_cmpuint(m.n_unknown, ==, rows[i].n_unknown);
		g_assert_cmphex(m.conference, ==, 0xabcd);
		g_assert_cmpuint(m.tid, ==, 1);
		g_assert_cmpuint(m.user, ==, 2);
	}
}

/* 64 attributes pass, 65 do not. */
static void attributes_are_counted(void)
{
	struct bfcp_msg m;
	struct bfcp_out o;

	bfcp_begin(&o, 2, false, BFCP_P_FLOOR_QUERY, 1, 2, 3);
	for (unsigned i = 0; i < BFCP_MOST_ATTRS; i++) {
		bfcp_put_u16(&o, BFCP_A_FLOOR_ID, (uint16_t)i);
	}
	bfcp_end(&o);
	g_assert_cmpint(bfcp_parse(o.data, o.len, &m), ==, 0);
	g_assert_cmpuint(m.n_attrs, ==, 64);
	bfcp_put_u16(&o, BFCP_A_FLOOR_ID, 0);
	bfcp_end(&o);
	g_assert_cmpint(bfcp_parse(o.data, o.len, &m), ==, -EBADMSG);
}

static void reads_what_it_writes(void)
{
	const struct bfcp_attr *info, *inner, *a;
	struct bfcp_msg m;
	struct bfcp_out o;
	size_t group, sub;

	bfcp_begin(&o, 2, true, BFCP_P_FLOOR_REQUEST_STATUS, 0x12345678, 77, 9);
	group = bfcp_open_group(&o, BFCP_A_FLOOR_REQUEST_INFORMATION, 5);
	sub = bfcp_open_group(&o, BFCP_A_OVERALL_REQUEST_STATUS, 5);
	bfcp_put_pair(&o, BFCP_A_REQUEST_STATUS, 3, 0);
	bfcp_put_text(&o, BFCP_A_STATUS_INFO, "好");
	bfcp_close_group(&o, sub);
	sub = bfcp_open_group(&o, BFCP_A_FLOOR_REQUEST_STATUS, 2);
	bfcp_close_group(&o, sub);
	bfcp_close_group(&o, group);
	bfcp_put_supported(&o);
	bfcp_end(&o);
	g_assert_false(o.over);
	g_assert_cmpint(bfcp_parse(o.data, o.len, &m), ==, 0);
	g_assert_true(m.response && m.version == 2 && m.conference == 0x12345678 && m.tid == 77 && m.user == 9);
	info = bfcp_find(&m, NULL, BFCP_A_FLOOR_REQUEST_INFORMATION, NULL);
	g_assert_true(info != NULL && info->number == 5);
	inner = bfcp_find(&m, info, BFCP_A_OVERALL_REQUEST_STATUS, NULL);
	a = bfcp_find(&m, inner, BFCP_A_REQUEST_STATUS, NULL);
	g_assert_true(a != NULL && a->number == 0x0300);
	a = bfcp_find(&m, inner, BFCP_A_STATUS_INFO, NULL);
	g_assert_cmpmem(a->value, a->len, "好", 3);
	g_assert_null(bfcp_find(&m, NULL, BFCP_A_REQUEST_STATUS, NULL));
	g_assert_null(bfcp_find(&m, bfcp_find(&m, info, BFCP_A_FLOOR_REQUEST_STATUS, NULL), BFCP_A_REQUEST_STATUS, NULL));
	g_assert_nonnull(bfcp_find(&m, NULL, BFCP_A_SUPPORTED_PRIMITIVES, NULL));
}

static void long_texts_are_cut_at_a_character(void)
{
	g_autofree char *text = g_strdup_printf("%099d好好", 0);
	struct bfcp_msg m;
	struct bfcp_out o;

	bfcp_begin(&o, 1, false, BFCP_P_FLOOR_REQUEST, 1, 2, 3);
	bfcp_put_text(&o, BFCP_A_STATUS_INFO, text);
	bfcp_end(&o);
	g_assert_cmpint(bfcp_parse(o.data, o.len, &m), ==, 0);
	g_assert_cmpuint(m.attrs[0].len, ==, 99);
}

static void streams_are_cut_into_messages(void)
{
	uint8_t bytes[32];
	size_t len = hex_bytes("20010001" HEAD "05040001", bytes);

	for (size_t i = 0; i < 12; i++) {
		g_assert_cmpint(bfcp_frame(bytes, i), ==, 0);
	}
	g_assert_cmpint(bfcp_frame(bytes, len), ==, 16);
	bytes[2] = 0xff;
	g_assert_cmpint(bfcp_frame(bytes, len), ==, -EMSGSIZE);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *path = g_strdup_printf("/bfcp/msg/%s", rows[i].name);

		g_test_add_data_func(path, GSIZE_TO_POINTER(i), row);
	}
	g_test_add_func("/bfcp/msg/attributes-are-counted", attributes_are_counted);
	g_test_add_func("/bfcp/msg/reads-what-it-writes", reads_what_it_writes);
	g_test_add_func("/bfcp/msg/long-texts-are-cut-at-a-character", long_texts_are_cut_at_a_character);
	g_test_add_func("/bfcp/msg/streams-are-cut-into-messages", streams_are_cut_into_messages);
	return g_test_run();
}
