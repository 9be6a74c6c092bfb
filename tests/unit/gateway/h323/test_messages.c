/* TPKT, Q.931 and capabilities: the streams of real stacks in every cut, and what must be refused. */
#include <string.h>

#include "gateway/h323/caps.h"
#include "gateway/h323/h245.h"
#include "gateway/h323/per_priv.h"
#include "gateway/h323/q931.h"
#include "gateway/h323/tpkt.h"

static GByteArray *from_hex(const char *hex)
{
	GByteArray *bytes = g_byte_array_new();
	for (; hex[0] != '\0'; hex += 2) {
		uint8_t octet = (uint8_t)(g_ascii_xdigit_value(hex[0]) << 4 | g_ascii_xdigit_value(hex[1]));
		g_byte_array_append(bytes, &octet, 1);
	}
	return bytes;
}

/* ---- TPKT ---- */
static void counts_messages(struct tpkt *t, unsigned *n, size_t *octets)
{
	const uint8_t *data;
	size_t len;
	int r;
	while ((r = tpkt_next(t, &data, &len)) == 1) {
		(*n)++;
		*octets += len;
	}
	g_assert_cmpint(r, ==, 0);
}

static void cuts_anywhere(void)
{
	g_autoptr(GByteArray) stream = from_hex("0300000701020303000004"	/* a message, a keep-alive */
						"000300040305000aaabbccddeeff"); /* the swapped one, an odd reserved octet */
	for (guint cut = 0; cut <= stream->len; cut++) {
		struct tpkt t;
		unsigned n = 0;
		size_t octets = 0;
		tpkt_init(&t);
		tpkt_push(&t, stream->data, cut);
		counts_messages(&t, &n, &octets);
		tpkt_push(&t, stream->data + cut, stream->len - cut);
		counts_messages(&t, &n, &octets);
		g_assert_cmpuint(n, ==, 2);
		g_assert_cmpuint(octets, ==, 9);
		g_assert_cmpuint(t.keep_alives, ==, 2);
		tpkt_clear(&t);
	}
}

static void is_not_tpkt(gconstpointer hex)
{
	g_autoptr(GByteArray) stream = from_hex(hex);
	struct tpkt t;
	const uint8_t *data;
	size_t len;
	tpkt_init(&t);
	tpkt_push(&t, stream->data, stream->len);
	g_assert_cmpint(tpkt_next(&t, &data, &len), ==, -EBADMSG);
	tpkt_clear(&t);
}

static void wraps(void)
{
	static uint8_t big[TPKT_MAX];
	g_assert_null(tpkt_wrap(big, sizeof(big) - 3));
	g_autoptr(GByteArray) full = tpkt_wrap(big, sizeof(big) - 4);
	g_assert_cmpuint(full->len, ==, 65535);
	g_assert_cmpmem(full->data, 4, "\x03\x00\xff\xff", 4);
}

/* ---- real streams ---- */
typedef void (*message_fn)(const uint8_t *data, size_t len);

static void reads_q931(const uint8_t *data, size_t len)
{
	struct q931 m, again;
	g_autofree char *why = NULL;
	if (!q931_read(&m, data, len, &why)) {
		g_error("%s", why);
	}
	g_autoptr(GByteArray) wire = q931_write(&m, &why);
	g_assert_cmpstr(why, ==, NULL);
	g_assert_true(q931_read(&again, wire->data, wire->len, &why));
	g_assert_cmpint(m.type, ==, again.type);
	g_assert_cmpint(m.crv, ==, again.crv);
	g_assert_cmpint(m.cause, ==, again.cause);
	g_assert_cmpint(m.answers, ==, again.answers);
	g_assert_cmpint(m.rate, ==, again.rate);
	g_assert_cmpstr(m.called, ==, again.called);
	g_assert_cmpstr(m.display, ==, again.display);
	g_assert_true(json_equal(m.user, again.user));
	g_assert_cmpstr(q931_type_name(m.type), !=, "message");
	q931_clear(&m);
	q931_clear(&again);
}

static void reads_h245(const uint8_t *data, size_t len)
{
	g_autofree char *why = NULL;
	g_autoptr(json_t) pdu = per_read(per_find("245:MultimediaSystemControlMessage"), data, len, &why);
	g_assert_cmpstr(why, ==, NULL);
	g_assert_cmpuint(json_object_size(pdu), ==, 1);
}

static unsigned replay(const json_t *stream, message_fn fn)
{
	struct tpkt t;
	unsigned n = 0;
	size_t i, len;
	json_t *segment;
	const uint8_t *data;
	tpkt_init(&t);
	json_array_foreach(json_object_get(stream, "segments"), i, segment)
	{
		g_autoptr(GByteArray) bytes = from_hex(json_string_value(segment));
		tpkt_push(&t, bytes->data, bytes->len);
		while (tpkt_next(&t, &data, &len) == 1) {
			fn(data, len);
			n++;
		}
	}
	tpkt_clear(&t);
	return n;
}

static void replays_real_streams(void)
{
	g_autofree char *path = g_build_filename(g_getenv("ORTOO_TEST_DATA"), "streams.jsonl", NULL), *text = NULL;
	g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	unsigned n = 0;
	for (unsigned i = 0; lines[i] != NULL && lines[i][0] != '\0'; i++) {
		g_autoptr(json_t) stream = json_loads(lines[i], 0, NULL);
		bool q931 = g_str_equal(json_string_value(json_object_get(stream, "kind")), "q931");
		n += replay(stream, q931 ? reads_q931 : reads_h245);
	}
	g_assert_cmpuint(n, >, 180);
}

/* ---- Q.931 ---- */
static const struct bad { const char *name, *hex; } bad[] = {
	{ "empty", "" }, { "no-header", "0802" }, { "other-discriminator", "0902000105" }, { "long-reference", "0803000001055a" },
	{ "element-cut", "08020001057004" }, { "user-cut", "08020001057e00ff05" }, { "user-not-per", "08020001057e000305ffff" },
};

static void is_bad_q931(gconstpointer data)
{
	const struct bad *b = data;
	g_autoptr(GByteArray) wire = from_hex(b->hex);
	g_autofree char *why = NULL;
	struct q931 m;
	g_assert_false(q931_read(&m, wire->data, wire->len, &why));
	g_assert_nonnull(why);
}

/* Single octet elements, unknown ones, octet 3a, a display with NULs and odd octets: none is a reason to hang up. */
static void reads_odd_elements(void)
{
	g_autoptr(GByteArray) wire = from_hex("0802800162" "1c00" "a1" "3403010203" "2805" "486900ff41" "6c05008033342a" "7003813132" "0803028090");
	g_autofree char *why = NULL;
	struct q931 m;
	g_assert_true(q931_read(&m, wire->data, wire->len, &why));
	g_assert_true(m.answers);
	g_assert_cmpstr(m.display, ==, "Hi");
	g_assert_cmpstr(m.calling, ==, "34*");
	g_assert_cmpstr(m.called, ==, "12");
	g_assert_cmpint(m.cause, ==, 16);
	q931_clear(&m);
}

static void causes_are_words(void)
{
	g_assert_cmpstr(q931_by_cause(17)->why, ==, "busy");
	g_assert_cmpstr(q931_by_reason("calledPartyNotRegistered")->why, ==, "not_registered");
	g_assert_cmpint(q931_by_reason("noBandwidth")->cause, ==, 34);
	g_assert_cmpstr(q931_by_cause(99)->why, ==, "unspecified");
	const struct per_type *t = per_find("225:ReleaseCompleteReason");
	for (unsigned c = 0; c < 128; c++) {	/* every reason of the table is one that PER can write */
		const struct q931_cause *row = q931_by_cause((uint8_t)c);
		g_autoptr(json_t) v = row->reason != NULL ? json_pack("{sn}", row->reason) : NULL;
		g_autoptr(GByteArray) wire = v != NULL && !g_str_equal(row->reason, "invalidCID") ? per_write(t, v, NULL) : NULL;
		g_assert_true(v == NULL || wire != NULL);
	}
}

/* A full bitmap of additions, as older and larger stacks send it. */
static void reads_full_bitmaps(void)
{
	g_autoptr(json_t) v = json_loads("{\"guid\":\"0x00112233445566778899aabbccddeeff\",\"_extCount\":27}", 0, NULL);
	g_autofree char *why = NULL;
	g_autoptr(GByteArray) wire = per_write(per_find("225:CallIdentifier"), v, &why);
	g_assert_cmpstr(why, ==, NULL);
	g_autoptr(json_t) back = per_read(per_find("225:CallIdentifier"), wire->data, wire->len, &why);
	g_assert_true(json_equal(v, back));
}

/* ---- capabilities ---- */
static json_t *wired(const char *type, json_t *value)	/* value taken over: over the wire and back */
{
	g_autofree char *why = NULL;
	g_autoptr(GByteArray) wire = per_write(per_find(type), value, &why);
	g_assert_cmpstr(why, ==, NULL);
	json_t *back = per_read(per_find(type), wire->data, wire->len, &why);
	g_assert_cmpstr(why, ==, NULL);
	json_decref(value);
	return back;
}

static json_t *own_set(bool slides, int64_t bps)
{
	json_t *set = h323_caps_print(&(struct h323_caps_conf){ .video = true, .slides = slides, .max_bps = bps });
	json_object_set_new(set, "sequenceNumber", json_integer(1));
	json_object_set_new(set, "protocolIdentifier", json_string("0.0.8.245.0.7"));
	return wired("245:TerminalCapabilitySet", set);
}

static void chooses_from_own_set(void)
{
	static const struct { enum h323_kind media; enum mcu_codec_id id; } rows[] = {
		{ H323_AUDIO, MCU_CODEC_G722 }, { H323_VIDEO, MCU_CODEC_H264 }, { H323_SLIDES, MCU_CODEC_H264 } };
	g_autoptr(json_t) set = own_set(true, 0);
	for (unsigned n = 0; n < G_N_ELEMENTS(rows); n++) {
		struct h323_codec c, read;
		enum h323_kind media;
		json_t *type;
		g_assert_true(h323_caps_choose(set, rows[n].media, 1000000, &c, &type));
		g_assert_cmpint(c.id, ==, rows[n].id);
		g_autoptr(json_t) rtcp = h245_print_address(&(struct h245_address){ "192.0.2.1", 5001 });
		json_t *open = h323_caps_open(rows[n].media, &c, type, 2, json_incref(rtcp));
		json_object_set_new(open, "forwardLogicalChannelNumber", json_integer(7));
		g_autoptr(json_t) back = wired("245:OpenLogicalChannel", open);
		json_t *data = json_object_get(json_object_get(back, "forwardLogicalChannelParameters"), "dataType");
		g_assert_true(h323_caps_read(data, "0.0.8.241.0.0.0.1", &media, &read));
		g_assert_cmpint(media, ==, rows[n].media);
		g_assert_cmpint(read.id, ==, c.id);
		g_assert_true(media == H323_AUDIO || (read.mode == 1 && read.max_bps == 1000000 && read.max_fs == 8192));
	}
	g_assert_true(h323_caps_has_h239(set));
	g_autoptr(json_t) plain = own_set(false, 0);
	g_assert_false(h323_caps_has_h239(plain));
	g_assert_false(h323_caps_choose(plain, H323_SLIDES, 0, &(struct h323_codec){ 0 }, &(json_t *){ NULL }));
}

static const struct size { const char *name; struct h323_codec c; int64_t width, height, fps; } sizes[] = {
	{ "1080p", { .max_fs = 8192, .max_mbps = 245760, .max_bps = 4000000 }, 1920, 1080, 30 },
	{ "720p-level-3.1", { .max_fs = 3600, .max_mbps = 108000, .max_bps = 2000000 }, 1280, 720, 30 },
	{ "rate-decides", { .max_fs = 8192, .max_mbps = 245760, .max_bps = 384000 }, 640, 360, 30 },
	{ "cif", { .max_fs = 396, .max_mbps = 11880, .max_bps = 384000 }, 352, 288, 30 },
	{ "qcif", { .max_fs = 99, .max_mbps = 1485, .max_bps = 64000 }, 176, 144, 15 },
};

static void is_size(gconstpointer data)
{
	const struct size *s = data;
	int64_t width, height, fps;
	h323_caps_size(&s->c, &width, &height, &fps);
	g_assert_cmpint(width, ==, s->width);
	g_assert_cmpint(height, ==, s->height);
	g_assert_cmpint(fps, ==, s->fps);
}

static void prints_addresses(void)
{
	static const char *const hosts[] = { "192.0.2.7", "2001:db8::1" };
	for (unsigned n = 0; n < G_N_ELEMENTS(hosts); n++) {
		struct h245_address a = { .port = 50000 }, b = { 0 };
		g_strlcpy(a.host, hosts[n], sizeof(a.host));
		g_autoptr(json_t) j = wired("245:TransportAddress", h245_print_address(&a));
		g_assert_true(h245_read_address(j, &b));
		g_assert_cmpstr(b.host, ==, hosts[n]);
		g_assert_cmpint(b.port, ==, 50000);
	}
	g_assert_null(h245_print_address(&(struct h245_address){ "room.example", 1 }));
}

int main(int argc, char **argv)
{
	static const char *const not_tpkt[] = { "04000007010203", "16030100", "03000003", "00030005aa", "47455420" };
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/tpkt/cuts-anywhere", cuts_anywhere);
	g_test_add_func("/tpkt/wraps", wraps);
	for (unsigned n = 0; n < G_N_ELEMENTS(not_tpkt); n++) {
		g_autofree char *path = g_strdup_printf("/tpkt/not/%s", not_tpkt[n]);
		g_test_add_data_func(path, not_tpkt[n], is_not_tpkt);
	}
	g_test_add_func("/streams/replay", replays_real_streams);
	for (unsigned n = 0; n < G_N_ELEMENTS(bad); n++) {
		g_autofree char *path = g_strdup_printf("/q931/bad/%s", bad[n].name);
		g_test_add_data_func(path, &bad[n], is_bad_q931);
	}
	g_test_add_func("/q931/odd-elements", reads_odd_elements);
	g_test_add_func("/q931/causes", causes_are_words);
	g_test_add_func("/per/full-bitmaps", reads_full_bitmaps);
	g_test_add_func("/caps/choose", chooses_from_own_set);
	for (unsigned n = 0; n < G_N_ELEMENTS(sizes); n++) {
		g_autofree char *path = g_strdup_printf("/caps/size/%s", sizes[n].name);
		g_test_add_data_func(path, &sizes[n], is_size);
	}
	g_test_add_func("/caps/addresses", prints_addresses);
	return g_test_run();
}
