/* RTP headers and extensions: bytes in, fields out, and back. */
#include <errno.h>
#include <string.h>

#include "mcu/rtp/rtp.h"
#include "tests/unit/mcu/rtp/hex_priv.h"

static const struct {
	const char *name, *hex;
	int want;
	unsigned header_len, payload_len, padding_len;
} parse_rows[] = {
	{ "empty", "", -EBADMSG, 0, 0, 0 },
	{ "short-header", "8000", -EBADMSG, 0, 0, 0 },
	{ "version-one", "400000010000000000000000", -EBADMSG, 0, 0, 0 },
	{ "bare-header", "800000010000000000000000", 0, 12, 0, 0 },
	{ "payload", "800000010000000000000000 aabb", 0, 12, 2, 0 },
	{ "csrc", "810000010000000000000000 11223344 aa", 0, 16, 1, 0 },
	{ "csrc-cut", "820000010000000000000000 11223344", -EBADMSG, 0, 0, 0 },
	{ "extension", "900000010000000000000000 bede0001 10610000 aa", 0, 20, 1, 0 },
	{ "extension-empty", "900000010000000000000000 bede0000 aa", 0, 16, 1, 0 },
	{ "extension-head-cut", "900000010000000000000000 bede00", -EBADMSG, 0, 0, 0 },
	{ "extension-body-cut", "900000010000000000000000 bede0002 10610000", -EBADMSG, 0, 0, 0 },
	{ "padding", "a00000010000000000000000 aabb 0002", 0, 12, 2, 2 },
	{ "padding-only", "a00000010000000000000000 000003", 0, 12, 0, 3 },
	{ "padding-zero", "a00000010000000000000000 aa00", -EBADMSG, 0, 0, 0 },
	{ "padding-too-long", "a00000010000000000000000 aa03", -EBADMSG, 0, 0, 0 },
	{ "padding-without-body", "a00000010000000000000000", -EBADMSG, 0, 0, 0 },
};

static void parse_row(gconstpointer data)
{
	size_t i = GPOINTER_TO_SIZE(data), len;
	uint8_t bytes[64];
	struct mcu_rtp r;

	len = hex_bytes(parse_rows[i].hex, bytes, sizeof(bytes));
	g_assert_cmpint(mcu_rtp_parse(bytes, len, &r), ==, parse_rows[i].want);
	if (!parse_rows[i].want) {
		g_assert_cmpuint(r.header_len, ==, parse_rows[i].header_len);
		g_assert_cmpuint(r.payload_len, ==, parse_rows[i].payload_len);
		g_assert_cmpuint(r.padding_len, ==, parse_rows[i].padding_len);
	}
}

static const struct {
	const char *name, *hex;
	unsigned id;
	const char *want;	/* hex, NULL = absent */
} ext_rows[] = {
	{ "one-byte", "bede0001 10610000", 1, "61" },
	{ "one-byte-second", "bede0002 10612261 62630000", 2, "616263" },
	{ "one-byte-padded", "bede0002 00001061 00000000", 1, "61" },
	{ "one-byte-absent", "bede0001 10610000", 3, NULL },
	{ "one-byte-cut", "bede0001 13616161", 1, NULL },
	{ "one-byte-id15-ends", "bede0002 f0001061 00000000", 1, NULL },
	{ "two-byte", "10000001 01016100", 1, "61" },
	{ "two-byte-empty", "10000001 01000000", 1, "" },
	{ "two-byte-large-id", "100f0002 00c80361 62630000", 200, "616263" },
	{ "two-byte-cut", "10000001 01056162", 1, NULL },
	{ "unknown-profile", "abcd0001 10610000", 1, NULL },
	{ "id-zero", "bede0001 10610000", 0, NULL },
};

static void ext_row(gconstpointer data)
{
	size_t i = GPOINTER_TO_SIZE(data), len = 12;
	uint8_t bytes[64] = { 0x90, 0 }, got_len = 0;
	struct mcu_rtp r;

	len += hex_bytes(ext_rows[i].hex, bytes + 12, sizeof(bytes) - 12);
	g_assert_cmpint(mcu_rtp_parse(bytes, len, &r), ==, 0);
	const uint8_t *got = mcu_rtp_ext_find(&r, (uint8_t)ext_rows[i].id, &got_len);
	if (!ext_rows[i].want) {
		g_assert_null(got);
		return;
	}
	g_assert_nonnull(got);
	g_autofree char *text = hex_text(got, got_len);
	g_assert_cmpstr(text, ==, ext_rows[i].want);
}

static void written_header_sorts_extensions(void)
{
	static const struct mcu_ext_value exts[] = { { 5, 2, (const uint8_t *)"\x01\x02" }, { 3, 1, (const uint8_t *)"a" } };
	struct mcu_rtp f = { .pt = 96, .marker = true, .seq = 0x1234, .ts = 0x01020304, .ssrc = 0xa0b0c0d0 };
	uint8_t out[64];

	int n = mcu_rtp_write_header(out, sizeof(out), &f, exts, 2);
	g_assert_cmpint(n, ==, 24);
	g_autofree char *text = hex_text(out, (size_t)n);
	g_assert_cmpstr(text, ==, "90e0123401020304a0b0c0d0bede0002306151010200"
				  "0000");
}

static void written_header_takes_long_form(void)
{
	static const struct mcu_ext_value exts[] = { { 20, 1, (const uint8_t *)"a" } };
	struct mcu_rtp f = { .pt = 0 }, r;
	uint8_t out[64], len = 0;

	int n = mcu_rtp_write_header(out, sizeof(out), &f, exts, 1);
	g_assert_cmpint(n, ==, 20);
	g_assert_cmpint(mcu_rtp_parse(out, (size_t)n, &r), ==, 0);
	g_assert_cmpuint(r.ext_profile, ==, 0x1000);
	const uint8_t *v = mcu_rtp_ext_find(&r, 20, &len);
	g_assert_nonnull(v);
	g_assert_cmpuint(*v, ==, 'a');
}

static void written_header_needs_room(void)
{
	static const struct mcu_ext_value exts[] = { { 1, 1, (const uint8_t *)"a" } };
	struct mcu_rtp f = { 0 };
	uint8_t out[20];

	g_assert_cmpint(mcu_rtp_write_header(out, 11, &f, NULL, 0), ==, -ENOSPC);
	g_assert_cmpint(mcu_rtp_write_header(out, 12, &f, NULL, 0), ==, 12);
	g_assert_cmpint(mcu_rtp_write_header(out, 19, &f, exts, 1), ==, -ENOSPC);
	g_assert_cmpint(mcu_rtp_write_header(out, 20, &f, exts, 1), ==, 20);
}

static void rtcp_is_told_apart(void)
{
	g_assert_true(mcu_rtp_is_rtcp((const uint8_t *)"\x80\xc8", 2));
	g_assert_true(mcu_rtp_is_rtcp((const uint8_t *)"\x81\xce", 2));
	g_assert_false(mcu_rtp_is_rtcp((const uint8_t *)"\x80\x60", 2));
	g_assert_false(mcu_rtp_is_rtcp((const uint8_t *)"\x80\xe0", 2));
	g_assert_false(mcu_rtp_is_rtcp((const uint8_t *)"\x80", 1));
}

static void uris_and_back(void)
{
	for (int i = 0; i < MCU_EXT_N; i++) {
		g_assert_cmpint(mcu_ext_by_uri(mcu_ext_uri((enum mcu_ext)i)), ==, i);
	}
	g_assert_cmpint(mcu_ext_by_uri("urn:unknown"), ==, -1);
	g_assert_cmpint(mcu_ext_by_uri(NULL), ==, -1);
}

static void pool_has_a_limit(void)
{
	mcu_pool *pool = mcu_pool_new(3);
	struct mcu_packet *p[3];

	for (unsigned i = 0; i < 3; i++) {
		p[i] = mcu_packet_new(pool);
		g_assert_nonnull(p[i]);
	}
	g_assert_null(mcu_packet_new(pool));
	mcu_packet_ref(p[0]);
	mcu_packet_unref(p[0]);
	g_assert_cmpuint(mcu_pool_in_use(pool), ==, 3);
	mcu_packet_unref(p[0]);
	g_assert_cmpuint(mcu_pool_in_use(pool), ==, 2);
	g_assert_nonnull(mcu_packet_new(pool));
	mcu_packet_unref(NULL);
	mcu_pool_free(pool);
}

static void store_keeps_the_newest(void)
{
	mcu_pool *pool = mcu_pool_new(8);
	mcu_store *s = mcu_store_new(4);
	struct mcu_packet *a = mcu_packet_new(pool), *b = mcu_packet_new(pool);

	mcu_store_put(s, 7, a);
	g_assert_true(mcu_store_get(s, 7) == a);
	g_assert_null(mcu_store_get(s, 3));
	mcu_store_put(s, 3, b);
	g_assert_true(mcu_store_get(s, 7) == a);
	mcu_store_put(s, 11, b);
	g_assert_null(mcu_store_get(s, 7));
	mcu_packet_unref(a);
	mcu_packet_unref(b);
	g_assert_cmpuint(mcu_pool_in_use(pool), ==, 1);
	mcu_store_free(s);
	g_assert_cmpuint(mcu_pool_in_use(pool), ==, 0);
	mcu_pool_free(pool);
	g_assert_null(mcu_store_new(3));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	for (size_t i = 0; i < G_N_ELEMENTS(parse_rows); i++) {
		g_autofree char *path = g_strconcat("/rtp/parse/", parse_rows[i].name, NULL);
		g_test_add_data_func(path, GSIZE_TO_POINTER(i), parse_row);
	}
	for (size_t i = 0; i < G_N_ELEMENTS(ext_rows); i++) {
		g_autofree char *path = g_strconcat("/rtp/ext/", ext_rows[i].name, NULL);
		g_test_add_data_func(path, GSIZE_TO_POINTER(i), ext_row);
	}
	g_test_add_func("/rtp/write/sorts_extensions", written_header_sorts_extensions);
	g_test_add_func("/rtp/write/long_form", written_header_takes_long_form);
	g_test_add_func("/rtp/write/needs_room", written_header_needs_room);
	g_test_add_func("/rtp/rtcp_is_told_apart", rtcp_is_told_apart);
	g_test_add_func("/rtp/uris_and_back", uris_and_back);
	g_test_add_func("/rtp/pool_has_a_limit", pool_has_a_limit);
	g_test_add_func("/rtp/store_keeps_the_newest", store_keeps_the_newest);
	return g_test_run();
}
