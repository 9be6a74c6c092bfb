/* See rig.h. */
#include "tests/unit/mcu/room/rig.h"

#include <string.h>

#include "mcu/base/clock.h"

/* ---- events as lines ---- */
static char *event_line(enum mcu_event event, const void *body)
{
	g_autoptr(json_t) j = ort_json_print(mcu_events[event].body, body);
	const char *id = json_string_value(json_object_get(j, "id"));
	const char *transport = json_string_value(json_object_get(j, "transport"));
	GString *s = g_string_new(mcu_events[event].name);
	static const char *const more[] = { "source", "rid", "state", "why", "digit" };

	g_assert_cmpint(json_integer_value(json_object_get(j, "at_ms")), >, 0);
	g_assert_cmpint(json_integer_value(json_object_get(j, "at_us")), >, 0);
	g_string_append_printf(s, " %s", id ? id : transport ? transport : "");
	for (unsigned i = 0; i < G_N_ELEMENTS(more); i++) {
		const char *v = json_string_value(json_object_get(j, more[i]));
		if (v) {
			g_string_append_printf(s, " %s", v);
		}
	}
	if (event == MCU_EVENT_SOURCE_LEVEL) {
		g_string_append(s, json_is_true(json_object_get(j, "speaking")) ? " on" : " off");
	}
	return g_string_free(s, FALSE);
}

static void on_event(enum mcu_event event, const void *body, void *user_data)
{
	struct rig *r = user_data;

	g_ptr_array_add(r->events, event_line(event, body));
}

unsigned rig_events(const struct rig *r, const char *prefix)
{
	unsigned n = 0;

	for (unsigned i = 0; i < r->events->len; i++) {
		n += g_str_has_prefix(g_ptr_array_index(r->events, i), prefix);
	}
	return n;
}

const char *rig_event(const struct rig *r, const char *prefix)
{
	for (unsigned i = r->events->len; i-- > 0;) {
		if (g_str_has_prefix(g_ptr_array_index(r->events, i), prefix)) {
			return g_ptr_array_index(r->events, i);
		}
	}
	return NULL;
}

/* ---- life ---- */
void rig_init(struct rig *r, const struct mcu_room_limits *limits)
{
	struct mcu_port_conf conf = { .seed = 1 };
	struct mcu_room_open open = { .room = (char *)"r" };

	*r = (struct rig){ .now = 5000000, .events = g_ptr_array_new_with_free_func(g_free) };
	ort_clock_hold(r->now, INT64_C(1700000000000));
	r->rooms = mcu_rooms_new(&conf, limits, on_event, r, NULL);
	r->port = mcu_rooms_port(r->rooms);
	g_assert_cmpint(rig_call(r, MCU_METHOD_ROOM_OPEN, &open), ==, 0);
}

void rig_finish(struct rig *r)
{
	mcu_rooms_free(r->rooms);
	g_ptr_array_unref(r->events);
	ort_clock_release();
}

int rig_call(struct rig *r, enum mcu_method method, const void *request)
{
	const struct ort_json_table *table = mcu_methods[method].reply;
	g_autofree void *reply = g_malloc0(MAX(table->size, 1));
	g_autoptr(GError) err = NULL;

	bool ok = mcu_rooms_call(r->rooms, method, request, reply, r->now, &err);
	g_assert_true(ok == (err == NULL));
	ort_json_clear(table, reply);
	return ok ? 0 : 1 + err->code;
}

void rig_turn(struct rig *r, int64_t ms)
{
	do {
		int64_t step = MIN(ms, 5);
		ort_clock_advance(step * 1000);
		r->now += step * 1000;
		ms -= step;
		mcu_rooms_turn(r->rooms, r->now);
		g_assert_cmpint(mcu_rooms_deadline(r->rooms), >, 0);
	} while (ms > 0);
}

/* ---- peers ---- */
static mcu_transport *open_peer(struct rig *r, const char *id, const struct mcu_ext_use *ext, size_t n)
{
	struct mcu_transport_open open = { .room = (char *)"r", .transport = (char *)id };
	struct mcu_transport_connect connect = {
		.room = (char *)"r", .transport = (char *)id, .ice_ufrag = (char *)"u", .ice_pwd = (char *)"p",
		.fingerprint = (char *)"AA", .extensions = { (void *)ext, n },
	};

	g_assert_cmpint(rig_call(r, MCU_METHOD_TRANSPORT_OPEN, &open), ==, 0);
	g_assert_cmpint(rig_call(r, MCU_METHOD_TRANSPORT_CONNECT, &connect), ==, 0);
	mcu_transport *t = fake_net_last(r->port);
	fake_net_state(t, "up", r->now);
	return t;
}

#define EXT(meaning, number) { .uri = (char *)mcu_ext_uri(meaning), .id = (number) }

mcu_transport *rig_publisher(struct rig *r, const char *id)
{
	const struct mcu_ext_use ext[] = {
		EXT(MCU_EXT_AUDIO_LEVEL, PUB_LEVEL), EXT(MCU_EXT_ABS_SEND_TIME, PUB_ABS), EXT(MCU_EXT_TWCC, PUB_TWCC),
		EXT(MCU_EXT_MID, PUB_MID), EXT(MCU_EXT_RID, PUB_RID), EXT(MCU_EXT_REPAIRED_RID, PUB_RRID),
		EXT(MCU_EXT_ORIENTATION, PUB_ORIENTATION),
	};

	return open_peer(r, id, ext, G_N_ELEMENTS(ext));
}

mcu_transport *rig_receiver(struct rig *r, const char *id)
{
	const struct mcu_ext_use ext[] = {
		EXT(MCU_EXT_MID, SUB_MID), EXT(MCU_EXT_ORIENTATION, SUB_ORIENTATION), EXT(MCU_EXT_AUDIO_LEVEL, SUB_LEVEL),
		EXT(MCU_EXT_ABS_SEND_TIME, SUB_ABS), EXT(MCU_EXT_TWCC, SUB_TWCC),
	};

	return open_peer(r, id, ext, G_N_ELEMENTS(ext));
}

mcu_transport *rig_plain_receiver(struct rig *r, const char *id)
{
	const struct mcu_ext_use ext[] = { EXT(MCU_EXT_MID, SUB_MID) };

	return open_peer(r, id, ext, G_N_ELEMENTS(ext));
}

static struct mcu_codec_use vp8(int64_t pt, int64_t rtx)
{
	return (struct mcu_codec_use){ .name = (char *)"VP8", .pt = pt, .rtx_pt = rtx, .nack = true, .pli = true, .twcc = true };
}

int rig_video(struct rig *r, const char *transport, const char *id, uint32_t ssrc, uint32_t rtx_ssrc, const char *rids)
{
	g_auto(GStrv) names = g_strsplit(rids ? rids : "", ",", -1);
	struct mcu_codec_use codec = vp8(96, 97);
	struct mcu_encoding e[8] = { { .ssrc = ssrc, .rtx_ssrc = rtx_ssrc } };
	struct mcu_source_add add = {
		.room = (char *)"r", .transport = (char *)transport, .id = (char *)id, .kind = MCU_VIDEO, .mid = (char *)id,
		.codecs = { &codec, 1 }, .encodings = { e, rids ? g_strv_length(names) : 1 },
	};

	for (unsigned i = 0; rids && names[i] && i < 8; i++) {
		e[i] = (struct mcu_encoding){ .rid = names[i], .ssrc = ssrc ? ssrc + i : 0 };
	}
	return rig_call(r, MCU_METHOD_SOURCE_ADD, &add);
}

int rig_audio(struct rig *r, const char *transport, const char *id, uint32_t ssrc)
{
	struct mcu_codec_use codec = { .name = (char *)"opus", .pt = 111 };
	struct mcu_encoding e = { .ssrc = ssrc };
	struct mcu_source_add add = {
		.room = (char *)"r", .transport = (char *)transport, .id = (char *)id, .kind = MCU_AUDIO, .mid = (char *)id,
		.codecs = { &codec, 1 }, .encodings = { &e, 1 },
	};

	return rig_call(r, MCU_METHOD_SOURCE_ADD, &add);
}

int rig_sink(struct rig *r, const char *transport, const char *id, const char *source, int kind, uint32_t ssrc,
	     uint32_t rtx_ssrc)
{
	struct mcu_codec_use video = vp8(120, rtx_ssrc ? 121 : 0), audio = { .name = (char *)"opus", .pt = 63 };
	struct mcu_sink_add add = {
		.room = (char *)"r", .transport = (char *)transport, .id = (char *)id, .source = (char *)source, .kind = kind,
		.mid = (char *)id, .ssrc = ssrc, .rtx_ssrc = rtx_ssrc, .codecs = { kind == MCU_VIDEO ? &video : &audio, 1 },
	};

	return rig_call(r, MCU_METHOD_SINK_ADD, &add);
}

int rig_route(struct rig *r, const char *sink, const char *source)
{
	struct mcu_sink_route route = { .room = (char *)"r", .id = (char *)sink, .source = (char *)source };

	return rig_call(r, MCU_METHOD_SINK_ROUTE, &route);
}

int rig_prefer(struct rig *r, const char *sink, int64_t w, int64_t h, int64_t bps, bool paused)
{
	struct mcu_sink_prefer p = {
		.room = (char *)"r", .id = (char *)sink, .width = w, .height = h, .max_bps = bps, .paused = paused,
	};

	return rig_call(r, MCU_METHOD_SINK_PREFER, &p);
}

mcu_transport *rig_mix(struct rig *r, const char *id)
{
	const struct mcu_mix_open open = { .room = (char *)"r", .mix = (char *)id };
	int err = 0;

	g_assert_true(mcu_rooms_bridge(r->rooms, &open, mcu_channel_new(2, &err), r->now, NULL));
	return fake_net_last(r->port);
}

/* ---- what publishers send ---- */
struct rig_feed rig_vp8(mcu_transport *t, uint32_t ssrc)
{
	return (struct rig_feed){ .t = t, .ssrc = ssrc, .ts = ssrc * 977, .step = 3000, .pt = 96, .rtx_pt = 97,
				  .seq = (uint16_t)(ssrc * 31), .pic = (uint16_t)(ssrc & 0x7fff), .width = 1280, .height = 720 };
}

struct rig_feed rig_opus(mcu_transport *t, uint32_t ssrc)
{
	return (struct rig_feed){ .t = t, .ssrc = ssrc, .ts = ssrc * 977, .step = 960, .pt = 111, .seq = (uint16_t)(ssrc * 31) };
}

static unsigned add_ext(struct mcu_ext_value *e, unsigned n, uint8_t id, const void *data, size_t len)
{
	e[n] = (struct mcu_ext_value){ id, (uint8_t)len, data };
	return n + 1;
}

static unsigned put_feed_header(const struct rig_feed *f, uint8_t *out, const struct mcu_rtp *h, bool rtx, int level)
{
	static uint8_t twcc[2];
	struct mcu_ext_value e[4];
	uint8_t v = (uint8_t)level;
	unsigned n = 0;

	twcc[1]++;
	twcc[0] = (uint8_t)(twcc[0] + !twcc[1]);
	n = add_ext(e, n, PUB_TWCC, twcc, 2);
	if (f->mid) {
		n = add_ext(e, n, PUB_MID, f->mid, strlen(f->mid));
	}
	if (f->rid) {
		n = add_ext(e, n, rtx ? PUB_RRID : PUB_RID, f->rid, strlen(f->rid));
	}
	if (level >= 0) {
		n = add_ext(e, n, PUB_LEVEL, &v, 1);
	}
	int len = mcu_rtp_write_header(out, 200, h, e, n);
	g_assert_cmpint(len, >, 0);
	return (unsigned)len;
}

/* Descriptor with a 15-bit picture id, frame header, then bytes that name the packet. */
static unsigned put_vp8(const struct rig_feed *f, uint8_t *p, bool key, bool start, uint16_t seq)
{
	const uint8_t head[] = { (uint8_t)(start ? 0x90 : 0x80), 0x80, (uint8_t)(0x80 | f->pic >> 8), (uint8_t)f->pic,
				 (uint8_t)(key ? 0x10 : 0x11), 2, 0, 0x9d, 0x01, 0x2a,
				 (uint8_t)f->width, (uint8_t)(f->width >> 8), (uint8_t)f->height, (uint8_t)(f->height >> 8) };
	unsigned size = f->size ? f->size : 100;

	memset(p, seq & 0xff, size);
	memcpy(p, head, sizeof(head));
	memcpy(p + 14, &f->ssrc, 4);
	memcpy(p + 18, &seq, 2);
	return size;
}

void rig_packet(struct rig *r, struct rig_feed *f, bool key, bool start, bool marker, bool lost)
{
	struct mcu_rtp h = { .pt = f->pt, .marker = marker, .seq = f->seq++, .ts = f->ts, .ssrc = f->ssrc };
	uint8_t out[1600];

	if (lost) {
		return;
	}
	unsigned n = put_feed_header(f, out, &h, false, -1);
	n += put_vp8(f, out + n, key, start, h.seq);
	fake_net_rtp(f->t, out, n, r->now);
}

void rig_rtx(struct rig *r, struct rig_feed *f, uint16_t seq, uint32_t ts, bool key, bool start, bool marker)
{
	struct mcu_rtp h = { .pt = f->rtx_pt, .marker = marker, .seq = f->rtx_seq++, .ts = ts, .ssrc = f->rtx_ssrc };
	uint8_t out[1600];

	unsigned n = put_feed_header(f, out, &h, true, -1);
	out[n++] = (uint8_t)(seq >> 8);
	out[n++] = (uint8_t)seq;
	n += put_vp8(f, out + n, key, start, seq);
	fake_net_rtp(f->t, out, n, r->now);
	fake_net_batch(r->port, r->now);
}

void rig_frame(struct rig *r, struct rig_feed *f, int key, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		rig_packet(r, f, key == RIG_KEY, i == 0, i + 1 == n, false);
	}
	f->ts += f->step;
	f->pic = (f->pic + 1) & 0x7fff;
	fake_net_batch(r->port, r->now);
}

void rig_sound(struct rig *r, struct rig_feed *f, unsigned level)
{
	struct mcu_rtp h = { .pt = f->pt, .seq = f->seq++, .ts = f->ts, .ssrc = f->ssrc };
	uint8_t out[300];

	unsigned n = put_feed_header(f, out, &h, false, (int)level);
	memset(out + n, 0x78, 60);
	fake_net_rtp(f->t, out, n + 60, r->now);
	fake_net_batch(r->port, r->now);
	f->ts += f->step;
}

/* ---- what receivers say ---- */
void rig_nack(struct rig *r, mcu_transport *t, uint32_t media, uint16_t seq)
{
	uint8_t out[64];
	size_t pos = 0;

	g_assert_cmpint(mcu_rtcp_write_nack(out, sizeof(out), &pos, 1, media, &seq, 1), ==, 0);
	fake_net_rtcp(t, out, pos, r->now);
}

void rig_pli(struct rig *r, mcu_transport *t, uint32_t media)
{
	uint8_t out[64];
	size_t pos = 0;

	g_assert_cmpint(mcu_rtcp_write_pli(out, sizeof(out), &pos, 1, media), ==, 0);
	fake_net_rtcp(t, out, pos, r->now);
}

void rig_remb(struct rig *r, mcu_transport *t, uint64_t bps)
{
	uint8_t out[64];
	size_t pos = 0;

	g_assert_cmpint(mcu_rtcp_write_remb(out, sizeof(out), &pos, 1, bps, NULL, 0), ==, 0);
	fake_net_rtcp(t, out, pos, r->now);
}

/* ---- what was sent ---- */
const struct fake_sent *rig_sent(const struct rig *r, const mcu_transport *t, uint32_t ssrc, unsigned i)
{
	for (unsigned k = 0; k < fake_net_sent(r->port); k++) {
		const struct fake_sent *s = fake_net_get(r->port, k);
		if (s->to == t && !s->rtcp && s->rtp.ssrc == ssrc && !i--) {
			return s;
		}
	}
	return NULL;
}

unsigned rig_count(const struct rig *r, const mcu_transport *t, uint32_t ssrc)
{
	unsigned n = 0;

	while (rig_sent(r, t, ssrc, n)) {
		n++;
	}
	return n;
}

unsigned rig_rtcp(const struct rig *r, const mcu_transport *t, enum mcu_rtcp_kind kind, uint32_t media, struct mcu_rtcp *ret)
{
	struct mcu_rtcp got;
	unsigned n = 0;

	for (unsigned k = 0; k < fake_net_sent(r->port); k++) {
		const struct fake_sent *s = fake_net_get(r->port, k);
		for (size_t pos = 0; s->to == t && s->rtcp && mcu_rtcp_next(s->data, s->len, &pos, &got) == 1;) {
			if (got.kind == kind && (!media || got.media == media || got.sender == media)) {
				n++;
				*(ret ? ret : &got) = got;
			}
		}
	}
	return n;
}

int64_t rig_counter(struct rig *r, const char *name)
{
	struct mcu_room_ref all = { 0 };
	struct mcu_stats_reply reply = { 0 };

	g_assert_true(mcu_rooms_call(r->rooms, MCU_METHOD_STATS_GET, &all, &reply, r->now, NULL));
	json_t *v = json_object_get(reply.counters, name);
	g_assert_nonnull(v);
	int64_t n = json_integer_value(v);
	ort_json_clear(&mcu_table_stats_reply, &reply);
	return n;
}

struct rig_feed rig_one_to_one(struct rig *r, uint32_t rtx_ssrc, mcu_transport **ret_pub, mcu_transport **ret_sub)
{
	*ret_pub = rig_publisher(r, "p");
	*ret_sub = rig_receiver(r, "s");
	g_assert_cmpint(rig_video(r, "p", "v", 100, rtx_ssrc, NULL), ==, 0);
	g_assert_cmpint(rig_sink(r, "s", "k", "v", MCU_VIDEO, 500, 501), ==, 0);
	return rig_vp8(*ret_pub, 100);
}
