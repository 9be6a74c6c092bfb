/* Pure parts of mixed pictures: geometry, order of packets, frames from RTP and to it, load, receiver's limits. */
#include <errno.h>
#include <glib.h>
#include <string.h>

#include "mcu/mix/fmtp_priv.h"
#include "mcu/mix/frames_priv.h"
#include "mcu/mix/geometry_priv.h"
#include "mcu/mix/load_priv.h"

/* ---- geometry ---- */
static bool overlap(struct mix_rect a, struct mix_rect b)
{
	return a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;
}

static void check_canvas(const struct mix_layout *l, int w, int h)
{
	for (unsigned i = 0; i < l->n_cells; i++) {
		struct mix_rect a = mix_layout_cell(l, i, w, h);
		g_assert_true(!((a.x | a.y | a.w | a.h) & 1));
		g_assert_true(a.x >= 0 && a.y >= 0 && a.w >= 16 && a.h >= 16 && a.x + a.w <= w && a.y + a.h <= h);
		for (unsigned k = 0; k < i && !l->over; k++) {
			g_assert_false(overlap(a, mix_layout_cell(l, k, w, h)));
		}
		/* order: the large ones first, then left to right, top down */
		for (unsigned k = 1; k < i && !l->over; k++) {
			struct mix_rect b = mix_layout_cell(l, k, w, h);
			g_assert_true(b.w * b.h > a.w * a.h + 64 || b.y < a.y || (b.y == a.y && b.x < a.x) || ABS(b.w - a.w) <= 2);
		}
	}
}

static void cells_are_even_inside_and_apart(void)
{
	static const int sizes[][2] = { { 1920, 1080 }, { 1280, 720 }, { 640, 360 }, { 352, 288 }, { 854, 480 }, { 1024, 768 } };
	static const char *const names[] = { "1", "2", "3", "4", "5+1", "7+1", "8+2", "9", "12+1", "16", "25", "pip" };
	static const unsigned cells[] = { 1, 2, 3, 4, 6, 8, 10, 9, 13, 16, 25, 2 };

	for (unsigned i = 0; i < G_N_ELEMENTS(names); i++) {
		const struct mix_layout *l = mix_layout_by_name(names[i]);
		g_assert_nonnull(l);
		g_assert_cmpuint(l->n_cells, ==, cells[i]);
		for (unsigned k = 0; k < G_N_ELEMENTS(sizes); k++) {
			check_canvas(l, sizes[k][0], sizes[k][1]);
		}
	}
	g_assert_null(mix_layout_at(G_N_ELEMENTS(names)));
	struct mix_rect nine = mix_layout_cell(mix_layout_by_name("9"), 4, 1920, 1080);
	g_assert_cmpint(nine.w, ==, 640);
	g_assert_cmpint(nine.h, ==, 360);
}

static const struct { const char *name; int w, h; struct mix_rect src, dst; } fits[] = {
	{ "same", 640, 360, { 0, 0, 640, 360 }, { 0, 0, 640, 360 } },
	{ "4to3-gets-bars", 640, 480, { 0, 0, 640, 480 }, { 80, 0, 480, 360 } },
	{ "wide-gets-bars", 1280, 360, { 0, 0, 1280, 360 }, { 0, 90, 640, 180 } },
	{ "a-little-is-cut", 640, 352, { 8, 0, 624, 352 }, { 0, 0, 640, 360 } },
};

static void picture_fits_cell(gconstpointer data)
{
	unsigned i = GPOINTER_TO_UINT(data);
	struct mix_fit f = mix_fit((struct mix_rect){ 0, 0, 640, 360 }, fits[i].w, fits[i].h);

	g_assert_cmpmem(&f.src, sizeof(f.src), &fits[i].src, sizeof(f.src));
	g_assert_cmpmem(&f.dst, sizeof(f.dst), &fits[i].dst, sizeof(f.dst));
}

/* ---- order ---- */
struct order { GString *text; };

static void note_packet(const uint8_t *packet, size_t len, bool gap, void *ud)
{
	g_string_append_printf(((struct order *)ud)->text, "%s%u ", gap ? "!" : "", packet[0]);
}

/* numbers at 10 ms from each other; "!" marks a gap before a packet */
static const struct { const char *name; uint8_t seq[8]; unsigned n; const char *want; } orders[] = {
	{ "straight", { 1, 2, 3, 4 }, 4, "1 2 3 4 " },
	{ "swapped", { 1, 3, 2, 4 }, 4, "1 2 3 4 " },
	{ "twice", { 1, 2, 2, 3, 3 }, 5, "1 2 3 " },
	{ "lost-is-given-up", { 1, 3, 4, 5, 6, 7, 8, 9 }, 8, "1 !3 4 5 6 7 8 9 " },
	{ "late-after-that", { 1, 3, 4, 5, 6, 7, 8, 2 }, 8, "1 2 3 4 5 6 7 8 " },
};

static void packets_in_order(gconstpointer data)
{
	unsigned i = GPOINTER_TO_UINT(data);
	struct mix_reorder r = { 0 };
	struct order o = { g_string_new(NULL) };

	for (unsigned k = 0; k < orders[i].n; k++) {
		mix_reorder_put(&r, &orders[i].seq[k], 1, (uint16_t)(65530 + orders[i].seq[k]), 10000 * k, note_packet, &o);
	}
	g_assert_cmpstr(o.text->str, ==, orders[i].want);
	mix_reorder_clear(&r);
	g_string_free(o.text, TRUE);
}

/* ---- frames ---- */
struct frames { GString *text; };

static void note_frame(const struct mix_frame *f, void *ud)
{
	g_string_append_printf(((struct frames *)ud)->text, "%u:%s%zu ", f->ts, f->key ? "key" : "", f->len);
}

/* packets: ts, marker, hex */
static const struct { const char *name; enum mcu_codec_id codec; const char *packets; const char *want; } joins[] = {
	{ "h264-single", MCU_CODEC_H264, "1 1 6588aabb", "1:key8 " },
	{ "h264-stap", MCU_CODEC_H264, "1 1 78 0003 0988aa 0002 6588", "1:key13 " },
	{ "h264-fu", MCU_CODEC_H264, "1 0 7c85aabb;1 0 7c05cc;1 1 7c45dd", "1:key9 " },
	{ "h264-fu-lost-start", MCU_CODEC_H264, "1 0 7c05cc;1 1 7c45dd;2 1 418a", "2:6 " },
	{ "h264-fu-lost-end", MCU_CODEC_H264, "1 0 7c85aabb;2 1 418a", "2:6 " },
	{ "h264-no-marker", MCU_CODEC_H264, "1 0 418a;2 1 418abb", "1:6 2:7 " },
	{ "h264-stap-lies", MCU_CODEC_H264, "1 1 78 00ff 65", "" },
	{ "h264-stap-empty", MCU_CODEC_H264, "1 1 78 0000 65", "" },
	{ "h264-fu-short", MCU_CODEC_H264, "1 1 7c", "" },
	{ "h265-single", MCU_CODEC_H265, "1 1 2601aabb", "1:key8 " },
	{ "h265-ap", MCU_CODEC_H265, "1 1 6001 0003 4001aa 0003 0201bb", "1:key14 " },
	{ "h265-fu", MCU_CODEC_H265, "1 0 620193aabb;1 1 620153cc", "1:key9 " },
	{ "h265-short", MCU_CODEC_H265, "1 1 6201", "" },
	{ "vp8", MCU_CODEC_VP8, "1 0 10 000000 9d012a 4001f000;1 1 00aabb", "1:key12 " },
	{ "vp8-descriptor", MCU_CODEC_VP8, "1 1 90 80 8123 01aabb", "1:3 " },
	{ "vp8-no-head", MCU_CODEC_VP8, "1 1 00aabb;2 1 1001aa", "2:2 " },
	{ "vp8-descriptor-cut", MCU_CODEC_VP8, "1 1 9080", "" },
};

static size_t unhex(const char *hex, uint8_t *out)
{
	size_t n = 0;

	for (; *hex; hex++) {
		if (*hex != ' ') {
			out[n++] = (uint8_t)(g_ascii_xdigit_value(hex[0]) << 4 | g_ascii_xdigit_value(hex[1]));
			hex++;
		}
	}
	return n;
}

static void packets_join_to_frames(gconstpointer data)
{
	unsigned i = GPOINTER_TO_UINT(data);
	struct frames f = { g_string_new(NULL) };
	struct mix_depay *d = mix_depay_new(joins[i].codec, note_frame, &f);
	g_auto(GStrv) packets = g_strsplit(joins[i].packets, ";", 16);

	for (unsigned k = 0; packets[k]; k++) {
		uint8_t bytes[64];
		size_t n = unhex(packets[k] + 4, bytes);
		(void)mix_depay_put(d, bytes, n, (uint32_t)(packets[k][0] - '0'), packets[k][2] == '1');
	}
	g_assert_cmpstr(f.text->str, ==, joins[i].want);
	mix_depay_free(d);
	g_string_free(f.text, TRUE);
}

static void endless_unit_is_refused(void)
{
	struct frames f = { g_string_new(NULL) };
	struct mix_depay *d = mix_depay_new(MCU_CODEC_H264, note_frame, &f);
	uint8_t packet[1200] = { 0x7c, 0x85 };
	int rc = 0;

	for (unsigned i = 0; i < 5000 && rc == 0; i++, packet[1] = 5) {
		rc = mix_depay_put(d, packet, sizeof(packet), 1, false);
	}
	g_assert_cmpint(rc, ==, -EMSGSIZE);
	(void)mix_depay_put(d, (const uint8_t[]){ 0x7c, 0x45, 1 }, 3, 1, true);
	g_assert_cmpstr(f.text->str, ==, "");
	mix_depay_free(d);
	g_string_free(f.text, TRUE);
}

/* ---- cutting and joining again ---- */
struct pipe { struct mix_depay *depay; unsigned packets; size_t longest; uint32_t ts; GByteArray *got; unsigned fu; };

static void keep_frame(const struct mix_frame *f, void *ud)
{
	g_byte_array_append(((struct pipe *)ud)->got, f->data, (guint)f->len);
}

static void pass_on(const uint8_t *head, size_t head_len, const uint8_t *body, size_t len, bool marker, void *ud)
{
	struct pipe *p = ud;
	uint8_t packet[2000];

	if (head_len) {
		memcpy(packet, head, head_len);
	}
	memcpy(packet + head_len, body, len);
	p->packets++;
	p->fu += (packet[0] & 0x1f) == 28;
	p->longest = MAX(p->longest, head_len + len);
	g_assert_cmpint(mix_depay_put(p->depay, packet, head_len + len, p->ts, marker), ==, 0);
}

static const struct { const char *name; size_t units[5]; bool single; unsigned packets, fu; } cuts[] = {
	{ "one-small", { 100 }, false, 1, 0 },
	{ "parameter-sets-and-slice", { 20, 6, 900 }, false, 1, 0 },
	{ "large", { 20, 6, 5000 }, false, 6, 5 },
	{ "mode-0", { 20, 6, 900, 900 }, true, 4, 0 },
	{ "mode-0-too-large", { 1500 }, true, 2, 2 },
	{ "exactly-full", { 1188 }, false, 1, 0 },
	{ "one-over", { 1189 }, false, 2, 2 },
};

static void frames_cut_and_joined(gconstpointer data)
{
	unsigned i = GPOINTER_TO_UINT(data);
	struct pipe p = { .got = g_byte_array_new(), .ts = 9 };
	g_autoptr(GByteArray) frame = g_byte_array_new();

	for (unsigned k = 0; k < 5 && cuts[i].units[k]; k++) {
		static const uint8_t code[5] = { 0, 0, 0, 1, 0x65 };
		guint at = frame->len;
		g_byte_array_set_size(frame, at + 4 + (guint)cuts[i].units[k]);
		memset(frame->data + at, (int)(k + 3), frame->len - at);
		memcpy(frame->data + at, code, sizeof(code));
	}
	p.depay = mix_depay_new(MCU_CODEC_H264, keep_frame, &p);
	g_assert_true(mix_pack_h264(frame->data, frame->len, 1188, cuts[i].single, pass_on, &p));
	g_assert_cmpuint(p.packets, ==, cuts[i].packets);
	g_assert_cmpuint(p.fu, ==, cuts[i].fu);
	g_assert_cmpuint(p.longest, <=, 1188);
	g_assert_cmpmem(p.got->data, p.got->len, frame->data, frame->len);
	mix_depay_free(p.depay);
	g_byte_array_unref(p.got);
}

static void vp8_cut_and_joined(void)
{
	struct pipe p = { .got = g_byte_array_new() };
	g_autofree uint8_t *frame = g_malloc0(5000);

	frame[0] = 1;
	p.depay = mix_depay_new(MCU_CODEC_VP8, keep_frame, &p);
	g_assert_true(mix_pack_vp8(frame, 5000, 1188, 0x7fff, pass_on, &p));
	g_assert_cmpuint(p.packets, ==, 5);
	g_assert_cmpmem(p.got->data, p.got->len, frame, 5000);
	mix_depay_free(p.depay);
	g_byte_array_unref(p.got);
}

/* ---- load ---- */
static void load_steps_down_and_back(void)
{
	struct mix_load load = { 0 };
	int64_t now = 1;

	for (unsigned i = 0; i < 60; i++, now += 33333) {
		(void)mix_load_note(&load, 32000, 33333, false, now);
	}
	g_assert_cmpint(load.level, ==, MIX_LOAD_HALF_RATE);
	for (unsigned i = 0; i < 300; i++, now += 33333) {
		(void)mix_load_note(&load, 32000, 33333, false, now);
	}
	g_assert_cmpint(load.level, ==, MIX_LOAD_PASSIVE);
	for (unsigned i = 0; i < 900; i++, now += 33333) {
		(void)mix_load_note(&load, 3000, 33333, false, now);
	}
	g_assert_cmpint(load.level, ==, MIX_LOAD_FULL);
	for (unsigned i = 0; i < 300; i++, now += 33333) {
		g_assert_false(mix_load_note(&load, 15000, 33333, i % 10 == 0, now));
	}
}

/* ---- receiver's limits ---- */
static const struct { const char *name; enum mcu_codec_id codec; const char *fmtp; int w, h, fps; bool single; } limits[] = {
	{ "nothing-said", MCU_CODEC_H264, NULL, 1920, 1080, 30, false },
	{ "level-3.1", MCU_CODEC_H264, "profile-level-id=42e01f;packetization-mode=1", 1280, 720, 30, false },
	{ "level-4", MCU_CODEC_H264, "profile-level-id=42e028;packetization-mode=1", 1920, 1080, 30, false },
	{ "level-3", MCU_CODEC_H264, "profile-level-id=42e01e;packetization-mode=1", 640, 360, 30, false },
	{ "max-fs-widens", MCU_CODEC_H264, "profile-level-id=42e01f;max-fs=8160;max-mbps=244800;packetization-mode=1", 1920, 1080, 30, false },
	{ "max-mbps-slow", MCU_CODEC_H264, "profile-level-id=42e01f;max-fs=8160;packetization-mode=1", 1920, 1080, 13, false },
	{ "mode-0", MCU_CODEC_H264, "profile-level-id=42e028", 1920, 1080, 30, true },
	{ "vp8", MCU_CODEC_VP8, "max-fs=3600;max-fr=15", 1280, 720, 15, false },
};

static void receiver_limits(gconstpointer data)
{
	unsigned i = GPOINTER_TO_UINT(data);
	int w = 1920, h = 1080, fps = 30;
	bool single;

	mix_fmtp_limit(limits[i].codec, limits[i].fmtp, &w, &h, &fps, &single);
	g_assert_cmpint(w, ==, limits[i].w);
	g_assert_cmpint(h, ==, limits[i].h);
	g_assert_cmpint(fps, ==, limits[i].fps);
	g_assert_cmpint(single, ==, limits[i].single);
}

#define ROWS(table, fn)                                                                            \
	for (unsigned i = 0; i < G_N_ELEMENTS(table); i++) {                                       \
		g_autofree char *path = g_strdup_printf("/mix/" #fn "/%s", (table)[i].name);       \
		g_test_add_data_func(path, GUINT_TO_POINTER(i), fn);                               \
	}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/mix/cells_are_even_inside_and_apart", cells_are_even_inside_and_apart);
	ROWS(fits, picture_fits_cell)
	ROWS(orders, packets_in_order)
	ROWS(joins, packets_join_to_frames)
	g_test_add_func("/mix/endless_unit_is_refused", endless_unit_is_refused);
	ROWS(cuts, frames_cut_and_joined)
	g_test_add_func("/mix/vp8_cut_and_joined", vp8_cut_and_joined);
	g_test_add_func("/mix/load_steps_down_and_back", load_steps_down_and_back);
	ROWS(limits, receiver_limits)
	return g_test_run();
}
