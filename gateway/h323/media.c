/* H.323 media in the engine: transports, what is published, what is sent. */
#include "gateway/h323/media.h"

#include <errno.h>
#include <string.h>

struct slot {
	char *transport;
	bool open, connected, recv, send, up;
	struct h245_address rtp, rtcp;		/* ours */
	struct h245_address to, to_rtcp;	/* the peer's, as the engine was told */
	struct h323_codec in, out;
	char *feed;
};
struct h323_media {
	char *id, *room, *party, *zone;
	bool ip6;
	int64_t max_bps;
	const struct h323_media_ops *ops;
	void *user_data;
	struct slot slot[H323_MEDIA_N];
	unsigned pending;
	char *why;
	struct waiting *waiting;	/* shared by replies under way; its m is NULL when we are gone */
};
struct waiting { struct h323_media *m; unsigned refs; };
struct reply { struct waiting *w; enum h323_kind which; };

const char *const h323_slots[H323_MEDIA_N + 1] = { "audio", "main", "content", NULL };
static const struct { const char *stream; enum mcu_kind kind; enum mcu_content content; } rows[H323_MEDIA_N] = {
	{ "audio", MCU_AUDIO, MCU_CONTENT_MAIN }, { "video", MCU_VIDEO, MCU_CONTENT_MAIN }, { "slides", MCU_VIDEO, MCU_CONTENT_SLIDES } };

static void waiting_unref(struct waiting *w)
{
	if (--w->refs == 0) {
		g_free(w);
	}
}

static void tell(struct h323_media *m, enum mcu_method method, const void *request)
{
	m->ops->media(method, request, NULL, NULL, m->user_data);
}

/* ---- opening ---- */
static void take_addresses(struct slot *s, const struct mcu_transport_reply *r)
{
	const struct mcu_candidate_use *c = r->candidates.n > 0 ? r->candidates.items : NULL;
	if (c != NULL) {
		g_strlcpy(s->rtp.host, c->ip, sizeof(s->rtp.host));
		g_strlcpy(s->rtcp.host, c->ip, sizeof(s->rtcp.host));
		s->rtp.port = (uint16_t)c->port;
		s->rtcp.port = (uint16_t)(r->rtcp_port != 0 ? r->rtcp_port : c->port + 1);
		s->open = true;
	}
}

static void on_transport(const void *body, const GError *err, void *user_data)
{
	struct reply *r = user_data;
	struct h323_media *m = r->w->m;
	if (m != NULL) {
		if (err == NULL) {
			take_addresses(&m->slot[r->which], body);
		} else if (m->why == NULL) {
			m->why = g_strdup(err->message);
		}
		if (--m->pending == 0) {
			m->ops->on_open(m, m->why, m->user_data);
		}
	}
	waiting_unref(r->w);
	g_free(r);
}

static void open_transport(struct h323_media *m, enum h323_kind which)
{
	struct slot *s = &m->slot[which];
	struct reply *r = g_new(struct reply, 1);
	s->transport = g_strdup_printf("%s.%s", m->id, h323_slots[which]);
	struct mcu_transport_open req = { .room = m->room, .transport = s->transport, .kind = (char *)(uintptr_t)"plain", .zone = m->zone,
					  .max_bps = m->max_bps, .security = (char *)(uintptr_t)"none",
					  .family = (char *)(uintptr_t)(m->ip6 ? "ip6" : "ip4") };
	*r = (struct reply){ m->waiting, which };
	m->waiting->refs++;
	m->pending++;
	m->ops->media(MCU_METHOD_TRANSPORT_OPEN, &req, on_transport, r, m->user_data);
}

struct h323_media *h323_media_new(const char *id, const char *room, const char *party, const char *zone, bool ip6, int64_t max_bps,
				  const struct h323_media_ops *ops, void *user_data)
{
	struct h323_media *m = g_new0(struct h323_media, 1);
	*m = (struct h323_media){ .id = g_strdup(id), .room = g_strdup(room), .party = g_strdup(party), .zone = g_strdup(zone), .ip6 = ip6,
				  .max_bps = max_bps, .ops = ops, .user_data = user_data };
	m->waiting = g_new(struct waiting, 1);
	*m->waiting = (struct waiting){ m, 1 };
	for (int n = 0; n < H323_MEDIA_N; n++) {
		open_transport(m, (enum h323_kind)n);
	}
	return m;
}

void h323_media_free(struct h323_media *m)
{
	if (m == NULL) {
		return;
	}
	for (int n = 0; n < H323_MEDIA_N; n++) {
		tell(m, MCU_METHOD_TRANSPORT_CLOSE, &(struct mcu_transport_ref){ m->room, m->slot[n].transport });
		g_free(m->slot[n].transport);
		g_free(m->slot[n].feed);
	}
	m->waiting->m = NULL;
	waiting_unref(m->waiting);
	g_free(m->id);
	g_free(m->room);
	g_free(m->party);
	g_free(m->zone);
	g_free(m->why);
	g_free(m);
}

bool h323_media_local(const struct h323_media *m, enum h323_kind which, struct h245_address *ret_rtp, struct h245_address *ret_rtcp)
{
	*ret_rtp = m->slot[which].rtp;
	*ret_rtcp = m->slot[which].rtcp;
	return m->slot[which].open;
}

/* ---- the peer's address ---- */
static bool same(const struct h245_address *a, const struct h245_address *b)
{
	return a->port == b->port && strcmp(a->host, b->host) == 0;
}

static void connect_to(struct h323_media *m, enum h323_kind which, const struct h245_address *rtp, const struct h245_address *rtcp)
{
	struct slot *s = &m->slot[which];
	if (rtp->port == 0 || (s->connected && same(&s->to, rtp) && same(&s->to_rtcp, rtcp))) {
		return;
	}
	s->to = *rtp;
	s->to_rtcp = *rtcp;
	struct mcu_transport_connect req = { .room = m->room, .transport = s->transport, .silent = which == H323_SLIDES || !s->recv,
					     .ip = s->to.host, .port = s->to.port,
					     .rtcp_port = rtcp->port != 0 ? rtcp->port : rtp->port + 1 };
	s->connected = true;
	tell(m, MCU_METHOD_TRANSPORT_CONNECT, &req);
}

/* ---- codecs as the engine calls them ---- */
/* Key frames are asked of the peer by H.245, which all understand, and of us by RTCP too. */
static struct mcu_codec_use use_of(const struct h323_codec *c, bool out)
{
	const struct mcu_codec_row *row = &mcu_codecs[c->id];
	bool feedback = row->kind == 'V' && out;
	struct mcu_codec_use use = { .name = g_strdup(row->name), .pt = c->pt, .clock_hz = row->clock_hz, .channels = row->channels,
				     .pli = feedback, .fir = feedback };
	if (c->id == MCU_CODEC_H264) {
		use.fmtp = g_strdup_printf("profile-level-id=42e0%02x;packetization-mode=%u;level-asymmetry-allowed=1",
					   c->max_fs >= 8192 ? 0x28 : c->max_fs >= 3600 ? 0x1f : 0x0d, c->mode);
	}
	return use;
}

static void use_clear(struct mcu_codec_use *use)
{
	g_free(use->name);
	g_free(use->fmtp);
}

static char *stream_of(const struct h323_media *m, enum h323_kind which)
{
	return g_strdup_printf("%s.%s", m->party, rows[which].stream);
}

static char *sink_of(const struct h323_media *m, enum h323_kind which)
{
	return g_strdup_printf("%s.%s.out", m->id, h323_slots[which]);
}

static void remove_source(struct h323_media *m, enum h323_kind which)
{
	g_autofree char *stream = stream_of(m, which);
	if (m->slot[which].recv) {
		m->slot[which].recv = false;
		tell(m, MCU_METHOD_SOURCE_REMOVE, &(struct mcu_stream_ref){ m->room, stream });
		m->ops->on_stream(m, stream, rows[which].kind, rows[which].content, false, m->user_data);
	}
}

void h323_media_recv(struct h323_media *m, enum h323_kind which, const struct h323_codec *codec, const struct h245_address *from)
{
	struct slot *s = &m->slot[which];
	remove_source(m, which);
	if (codec == NULL || !s->open) {
		return;
	}
	g_autofree char *stream = stream_of(m, which);
	struct mcu_codec_use use = use_of(codec, false);
	struct mcu_encoding first = { 0 };	/* the SSRC that comes */
	struct mcu_source_add req = { m->room, s->transport, stream, (int)rows[which].kind, (int)rows[which].content, NULL, { &use, 1 }, { &first, 1 } };
	s->in = *codec;
	s->recv = true;
	if (from != NULL && !s->connected) {
		struct h245_address rtcp = *from;
		rtcp.port++;
		connect_to(m, which, from, &rtcp);
	}
	tell(m, MCU_METHOD_SOURCE_ADD, &req);
	use_clear(&use);
	m->ops->on_stream(m, stream, rows[which].kind, rows[which].content, true, m->user_data);
}

static void route(struct h323_media *m, enum h323_kind which)
{
	g_autofree char *sink = sink_of(m, which);
	if (m->slot[which].send) {
		tell(m, MCU_METHOD_SINK_ROUTE, &(struct mcu_sink_route){ m->room, sink, m->slot[which].feed });
	}
}

void h323_media_send(struct h323_media *m, enum h323_kind which, const struct h323_codec *codec, const struct h245_address *rtp,
		     const struct h245_address *rtcp)
{
	struct slot *s = &m->slot[which];
	g_autofree char *sink = sink_of(m, which);
	if (s->send) {
		s->send = false;
		tell(m, MCU_METHOD_SINK_REMOVE, &(struct mcu_stream_ref){ m->room, sink });
	}
	if (codec == NULL || !s->open) {
		return;
	}
	struct mcu_codec_use use = use_of(codec, true);
	struct mcu_sink_add req = { m->room, s->transport, sink, NULL, (int)rows[which].kind, NULL, g_str_hash(sink) | 1, 0, { &use, 1 } };
	s->out = *codec;
	s->send = true;
	connect_to(m, which, rtp, rtcp);
	tell(m, MCU_METHOD_SINK_ADD, &req);
	use_clear(&use);
	route(m, which);
}

int h323_media_feed(struct h323_media *m, enum h323_kind which, const char *source)
{
	g_free(m->slot[which].feed);
	m->slot[which].feed = g_strdup(source);
	route(m, which);
	return 0;
}

void h323_media_want_keyframe(struct h323_media *m, enum h323_kind which)
{
	if (m->slot[which].feed != NULL) {
		tell(m, MCU_METHOD_KEYFRAME_REQUEST, &(struct mcu_stream_ref){ m->room, m->slot[which].feed });
	}
}

bool h323_media_sends(const struct h323_media *m, enum h323_kind which, struct h323_codec *ret)
{
	*ret = m->slot[which].out;
	return m->slot[which].send;
}

enum h323_kind h323_media_of_stream(const struct h323_media *m, const char *stream)
{
	for (int n = 0; n < H323_MEDIA_N; n++) {
		g_autofree char *own = stream_of(m, (enum h323_kind)n);
		if (strcmp(own, stream) == 0) {
			return (enum h323_kind)n;
		}
	}
	return H323_MEDIA_N;
}

bool h323_media_owns(const struct h323_media *m, const char *transport)
{
	for (int n = 0; n < H323_MEDIA_N; n++) {
		if (g_strcmp0(m->slot[n].transport, transport) == 0) {
			return true;
		}
	}
	return false;
}

void h323_media_transport_state(struct h323_media *m, const struct mcu_transport_state *state)
{
	for (int n = 0; n < H323_MEDIA_N; n++) {
		struct slot *s = &m->slot[n];
		if (g_strcmp0(s->transport, state->transport) != 0) {
			continue;
		}
		s->up = strcmp(state->state, "up") == 0;
		if (strcmp(state->state, "failed") == 0 && n == H323_AUDIO) {
			m->ops->on_failed(m, state->why != NULL ? state->why : "media failed", m->user_data);
		}
		return;
	}
}

json_t *h323_media_print(const struct h323_media *m)
{
	json_t *list = json_array();
	for (int n = 0; n < H323_MEDIA_N; n++) {
		const struct slot *s = &m->slot[n];
		if (s->send || s->recv) {
			json_array_append_new(list, json_pack("{sssbsbsssssI}", "slot", h323_slots[n], "sends", s->send, "receives", s->recv,
				"codec", mcu_codecs[s->recv ? s->in.id : s->out.id].name, "security", "none", "port", (json_int_t)s->rtp.port));
		}
	}
	return list;
}
