/* What is known of packets: hand rows, encoder output, a recorded VP8 stream. */
#include <errno.h>
#include <string.h>

#include "mcu/codec/codec.h"
#include "mcu/rtp/rtp.h"
#include "tests/unit/mcu/rtp/hex_priv.h"

#define SPS_720 "6742c01f8c8d402802dd00f08846a0"	/* openh264 */
#define SPS_265 "4201010408000003009e0800000300005d9000501005a2cb2b349265780b702020004000000300400000030142"	/* x265 */
#define PPS "68ce3c80"

static const struct {
	const char *name;
	enum mcu_codec_id codec;
	const char *hex;
	int want;
	struct mcu_frame_info info;
} rows[] = {
	{ "vp8-empty", MCU_CODEC_VP8, "", -EBADMSG, { 0 } },
	{ "vp8-x-cut", MCU_CODEC_VP8, "90", -EBADMSG, { 0 } },
	{ "vp8-picture-cut", MCU_CODEC_VP8, "908080", -EBADMSG, { 0 } },
	{ "vp8-tl0-cut", MCU_CODEC_VP8, "90c001", -EBADMSG, { 0 } },
	{ "vp8-key", MCU_CODEC_VP8, "9080ffe6b064009d012a8002e001", 0, { true, true, false, -1, 640, 480 } },
	{ "vp8-delta", MCU_CODEC_VP8, "9080ffe7b12800e4", 0, { true, false, false, -1, 0, 0 } },
	{ "vp8-bare-key-without-size", MCU_CODEC_VP8, "10b06400", 0, { true, true, false, -1, 0, 0 } },
	{ "vp8-continuation", MCU_CODEC_VP8, "8080ffe6b064", 0, { false, false, false, -1, 0, 0 } },
	{ "vp8-second-partition", MCU_CODEC_VP8, "11b06400", 0, { false, false, false, -1, 0, 0 } },
	{ "vp8-droppable-layer-2", MCU_CODEC_VP8, "b0f0800105a331aa", 0, { true, false, true, 2, 0, 0 } },
	{ "h264-empty", MCU_CODEC_H264, "", -EBADMSG, { 0 } },
	{ "h264-type-zero", MCU_CODEC_H264, "6000", -EBADMSG, { 0 } },
	{ "h264-idr", MCU_CODEC_H264, "65b800040000053ffffe", 0, { true, true, false, -1, 0, 0 } },
	{ "h264-idr-later-slice", MCU_CODEC_H264, "65003988884042ff", 0, { false, true, false, -1, 0, 0 } },
	{ "h264-slice", MCU_CODEC_H264, "419a2402", 0, { true, false, false, -1, 0, 0 } },
	{ "h264-slice-not-referred-to", MCU_CODEC_H264, "019a2402", 0, { true, false, true, -1, 0, 0 } },
	{ "h264-sps-720", MCU_CODEC_H264, SPS_720, 0, { true, true, false, -1, 1280, 720 } },
	{ "h264-sps-1080-cropped", MCU_CODEC_H264, "6742c0288c8d403c0113f2c03c2211a8", 0,
	  { true, true, false, -1, 1920, 1080 } },
	{ "h264-sps-180-cropped", MCU_CODEC_H264, "6742c00d8c8d40a0cbcf00f08846a0", 0,
	  { true, true, false, -1, 320, 180 } },
	{ "h264-sps-444", MCU_CODEC_H264, "67f4002890d96401e0089f89c05a808080a0000003002000000791e30649", 0,
	  { true, true, false, -1, 1920, 1080 } },
	{ "h264-sps-cut", MCU_CODEC_H264, "6742c01f", 0, { true, true, false, -1, 0, 0 } },
	{ "h264-stap", MCU_CODEC_H264, "78 000f" SPS_720 "0004" PPS, 0, { true, true, false, -1, 1280, 720 } },
	{ "h264-stap-size-beyond-end", MCU_CODEC_H264, "78 0010" SPS_720, -EBADMSG, { 0 } },
	{ "h264-stap-size-zero", MCU_CODEC_H264, "78 0000 00", -EBADMSG, { 0 } },
	{ "h264-stap-empty", MCU_CODEC_H264, "78", -EBADMSG, { 0 } },
	{ "h264-fu-idr-first", MCU_CODEC_H264, "7c85 b80004", 0, { true, true, false, -1, 0, 0 } },
	{ "h264-fu-idr-middle", MCU_CODEC_H264, "7c05 b80004", 0, { false, true, false, -1, 0, 0 } },
	{ "h264-fu-slice-first", MCU_CODEC_H264, "5c81 9a2402", 0, { true, false, false, -1, 0, 0 } },
	{ "h264-fu-cut", MCU_CODEC_H264, "7c85", -EBADMSG, { 0 } },
	{ "h265-empty", MCU_CODEC_H265, "", -EBADMSG, { 0 } },
	{ "h265-forbidden-bit", MCU_CODEC_H265, "c001ff", -EBADMSG, { 0 } },
	{ "h265-no-temporal-id", MCU_CODEC_H265, "4000ff", -EBADMSG, { 0 } },
	{ "h265-vps", MCU_CODEC_H265, "40010c01ffff0408000003009e08", 0, { true, true, false, 0, 0, 0 } },
	{ "h265-sps-720", MCU_CODEC_H265, SPS_265, 0, { true, true, false, 0, 1280, 720 } },
	{ "h265-sps-1080", MCU_CODEC_H265,
	  "4201010408000003009e0800000300007890007810021cb2cacd24995e02dc080800100000030010000003005080", 0,
	  { true, true, false, 0, 1920, 1080 } },
	{ "h265-sps-180", MCU_CODEC_H265,
	  "4201010408000003009e0800000300003c9001410173e5cb2b349265780b702020004000000300400000030142", 0,
	  { true, true, false, 0, 320, 180 } },
	{ "h265-sps-cut", MCU_CODEC_H265, "42010104080000", 0, { true, true, false, 0, 0, 0 } },
	{ "h265-idr", MCU_CODEC_H265, "2801af2460b608df", 0, { true, true, false, 0, 0, 0 } },
	{ "h265-idr-later-slice", MCU_CODEC_H265, "28012f2460b608df", 0, { false, true, false, 0, 0, 0 } },
	{ "h265-slice-layer-1", MCU_CODEC_H265, "0202d0098f", 0, { true, false, false, 1, 0, 0 } },
	{ "h265-ap", MCU_CODEC_H265, "6001 0004 40010c01 002d" SPS_265, 0, { true, true, false, 0, 1280, 720 } },
	{ "h265-ap-size-beyond-end", MCU_CODEC_H265, "6001 002e" SPS_265, -EBADMSG, { 0 } },
	{ "h265-ap-empty", MCU_CODEC_H265, "6001", -EBADMSG, { 0 } },
	{ "h265-fu-idr-first", MCU_CODEC_H265, "6201 94 af2460", 0, { true, true, false, 0, 0, 0 } },
	{ "h265-fu-idr-middle", MCU_CODEC_H265, "6201 14 af2460", 0, { false, true, false, 0, 0, 0 } },
	{ "h265-fu-slice-first", MCU_CODEC_H265, "6201 81 d0098f", 0, { true, false, false, 0, 0, 0 } },
	{ "h265-fu-cut", MCU_CODEC_H265, "620194", -EBADMSG, { 0 } },
	{ "opus-code-0", MCU_CODEC_OPUS, "780102", 0, { true, true, false, -1, 0, 0 } },
	{ "opus-code-3-cut", MCU_CODEC_OPUS, "7b", -EBADMSG, { 0 } },
	{ "opus-code-3-no-frame", MCU_CODEC_OPUS, "7b00", -EBADMSG, { 0 } },
	{ "pcma", MCU_CODEC_PCMA, "d5d5", 0, { true, true, false, -1, 0, 0 } },
	{ "g722-empty", MCU_CODEC_G722, "", -EBADMSG, { 0 } },
	{ "rtx-unknown", MCU_CODEC_RTX, "0001", 0, { false, false, false, -1, 0, 0 } },
};

static void row(gconstpointer data)
{
	size_t i = GPOINTER_TO_SIZE(data);
	struct mcu_frame_info got = { 0 };
	uint8_t bytes[128];

	size_t len = hex_bytes(rows[i].hex, bytes, sizeof(bytes));
	g_assert_cmpint(mcu_codec_get(rows[i].codec)->inspect(bytes, len, &got), ==, rows[i].want);
	if (rows[i].want) {
		return;
	}
	g_assert_cmpint(got.start, ==, rows[i].info.start);
	g_assert_cmpint(got.keyframe, ==, rows[i].info.keyframe);
	g_assert_cmpint(got.discardable, ==, rows[i].info.discardable);
	g_assert_cmpint(got.temporal, ==, rows[i].info.temporal);
	g_assert_cmpuint(got.width, ==, rows[i].info.width);
	g_assert_cmpuint(got.height, ==, rows[i].info.height);
}

/* One sink: "S" before the hex = first packet of a new source */
static const struct { const char *name; const char *steps[8]; } rewrite_rows[] = {
	{ "picture-runs-on", { "9080ffe6>9080ffe6", "9080ffe7>9080ffe7", "S90808005>9080ffe8", "90808006>9080ffe9" } },
	{ "picture-wraps", { "9080fffe>9080fffe", "S90808005>9080ffff", "90808006>90808000" } },
	{ "late-packet-keeps-its-number", { "90808005>90808005", "S90808100>90808006", "90808102>90808008",
					    "90808101>90808007", "90808103>90808009" } },
	{ "seven-bit-becomes-fifteen", { "90807e>9080807e", "90807f>9080807f", "908000>90808080", "908001>90808081" } },
	{ "tl0-and-keyidx-run-on", { "90f08001 05 23>90f08001 05 23", "S90f08100 40 21>90f08002 06 24",
				     "90f08101 41 21>90f08003 07 24" } },
	{ "no-descriptor-stays", { "10b0>", "S10b0>", "00b0>" } },
	{ "source-without-pictures-between", { "90808005>90808005", "S10b0>", "S90808700>90808006" } },
};

static void rewrite_row(gconstpointer data)
{
	size_t i = GPOINTER_TO_SIZE(data);
	struct mcu_codec_state st = { 0 };

	for (unsigned k = 0; k < 8 && rewrite_rows[i].steps[k]; k++) {
		const char *step = rewrite_rows[i].steps[k];
		bool switched = *step == 'S';
		g_auto(GStrv) pair = g_strsplit(step + switched, ">", 2);
		uint8_t in[32], want[32], out[16];
		unsigned n;
		size_t len = hex_bytes(pair[0], in, sizeof(in)), want_len = hex_bytes(pair[1], want, sizeof(want));
		unsigned took = mcu_codec_get(MCU_CODEC_VP8)->rewrite(&st, in, len, switched, out, &n);
		g_assert_cmpuint(took, ==, want_len ? len : 0);
		g_assert_cmpmem(out, n, want, want_len);
	}
}

static uint32_t get(const uint8_t *p, unsigned n)
{
	uint32_t v = 0;

	while (n--) {
		v = v << 8 | *p++;
	}
	return v;
}

/* rtpdump: a text line, 16 bytes, then records of length, packet length, offset (16, 16, 32 bits). */
static void recorded_stream_keeps_its_picture_ids(void)
{
	g_autofree char *path = g_build_filename(g_getenv("ORT_TEST_DATA"), "rtp", "vp8.rtpdump", NULL);
	const struct mcu_codec *vp8 = mcu_codec_get(MCU_CODEC_VP8);
	struct mcu_codec_state st = { 0 };
	unsigned frames = 0, keys = 0, media = 0, n;
	g_autofree char *text = NULL;
	size_t len, at;

	g_assert_true(g_file_get_contents(path, &text, &len, NULL));
	const uint8_t *d = (const uint8_t *)text;
	for (at = (size_t)(strchr(text, '\n') - text) + 17; at + 8 < len; at += get(d + at, 2)) {
		struct mcu_frame_info info;
		struct mcu_rtp rtp;
		uint8_t out[16];
		g_assert_cmpint(mcu_rtp_parse(d + at + 8, get(d + at, 2) - 8, &rtp), ==, 0);
		if (rtp.pt != 125) {
			continue;
		}
		const uint8_t *p = d + at + 8 + rtp.header_len;
		g_assert_cmpint(vp8->inspect(p, rtp.payload_len, &info), ==, 0);
		g_assert_cmpuint(vp8->rewrite(&st, p, rtp.payload_len, false, out, &n), ==, 4);
		g_assert_cmpmem(out, n, p, 4);
		media++;
		frames += info.start;
		keys += info.keyframe;
	}
	g_assert_cmpuint(media, >, 90);
	g_assert_cmpuint(frames, >, 70);
	g_assert_cmpuint(keys, ==, 1);
}

static const struct { const char *name, *a, *b; bool same; unsigned mode_a; } fmtp_rows[] = {
	{ "equal", "profile-level-id=42e01f;packetization-mode=1", "packetization-mode=1; profile-level-id=42e01f", true, 1 },
	{ "level-ignored", "profile-level-id=42e01f", "profile-level-id=42E034", true, 0 },
	{ "constrained-by-main", "profile-level-id=42e01f", "profile-level-id=4d801f", true, 0 },
	{ "baseline-is-not-constrained", "profile-level-id=42001f", "profile-level-id=42e01f", false, 0 },
	{ "high-is-not-constrained-high", "profile-level-id=64001f", "profile-level-id=640c1f", false, 0 },
	{ "absent-is-baseline", NULL, "profile-level-id=42001f", true, 0 },
	{ "unknown-equal", "profile-level-id=f4001f", "profile-level-id=f40028", true, 0 },
	{ "unknown-different", "profile-level-id=f4001f", "profile-level-id=f4101f", false, 0 },
	{ "mode-garbage", "packetization-mode=x", NULL, true, 0 },
};

static void fmtp_row(gconstpointer data)
{
	size_t i = GPOINTER_TO_SIZE(data);

	g_assert_cmpint(mcu_h264_same_profile(fmtp_rows[i].a, fmtp_rows[i].b), ==, fmtp_rows[i].same);
	g_assert_cmpuint(mcu_h264_packetization_mode(fmtp_rows[i].a), ==, fmtp_rows[i].mode_a);
}

static void every_codec_has_a_row(void)
{
	for (int i = 0; i < MCU_CODEC_N; i++) {
		g_assert_cmpint(mcu_codec_get((enum mcu_codec_id)i)->id, ==, i);
		g_assert_nonnull(mcu_codec_get((enum mcu_codec_id)i)->inspect);
	}
}

#define ADD(prefix, table, fn)                                                                                         \
	for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {                                                             \
		g_autofree char *path = g_strconcat(prefix, table[i].name, NULL);                                      \
		g_test_add_data_func(path, GSIZE_TO_POINTER(i), fn);                                                   \
	}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	ADD("/codec/inspect/", rows, row)
	ADD("/codec/vp8/rewrite/", rewrite_rows, rewrite_row)
	ADD("/codec/h264/fmtp/", fmtp_rows, fmtp_row)
	g_test_add_func("/codec/vp8/recorded_stream_keeps_its_picture_ids", recorded_stream_keeps_its_picture_ids);
	g_test_add_func("/codec/every_codec_has_a_row", every_codec_has_a_row);
	return g_test_run();
}
