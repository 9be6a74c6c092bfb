/* An m-line as the engine sees it: where its transport sends, what is published and what is sent in it. */
#include <string.h>

#include "gateway/sip/media_state_priv.h"

const struct slot_row media_slots[SLOT_N] = {
	[SLOT_AUDIO] = { "audio", "audio", MCU_AUDIO, MCU_CONTENT_MAIN },
	[SLOT_MAIN] = { "main", "video", MCU_VIDEO, MCU_CONTENT_MAIN },
	[SLOT_CONTENT] = { "content", "slides", MCU_VIDEO, MCU_CONTENT_SLIDES },
};

struct line *line_new(struct sip_media *m, enum gw_sdp_type type, enum slot slot)
{
	struct line *l = g_new0(struct line, 1);

	l->type = type;
	l->slot = slot;
	g_ptr_array_add(m->lines, l);
	return l;
}

static void clear_agreed(struct line *l)
{
	gw_sdp_array_clear(&mcu_table_codec_use, &l->recv);
	gw_sdp_array_clear(&mcu_table_codec_use, &l->send);
	gw_sdp_array_clear(&mcu_table_ext_use, &l->exts);
}

void line_free(gpointer p)
{
	struct line *l = p;

	tp_drop(&l->next);
	tp_drop(&l->tp);
	floor_close(l);
	clear_agreed(l);
	gw_sdp_array_clear(&mcu_table_codec_use, &l->offered);
	g_free(l->proto);
	g_free(l->mid);
	g_free(l->content);
	g_free(l->source);
	g_free(l->sink);
	g_free(l->why);
	g_free(l);
}

struct line *line_of_slot(const struct sip_media *m, enum slot slot)
{
	for (guint i = 0; i < m->lines->len; i++) {
		struct line *l = m->lines->pdata[i];

		if (l->on && l->slot == slot && slot != SLOT_NONE) {
			return l;
		}
	}
	return NULL;
}

char *line_stream(const struct sip_media *m, const struct line *l)
{
	return g_strconcat(m->party, ".", media_slots[l->slot].stream, NULL);
}

char *line_sink(const struct sip_media *m, const struct line *l)
{
	return g_strconcat(m->id, ".", media_slots[l->slot].slot, ".out", NULL);
}

/* Of what we send: the same as long as sink and transport are. */
static uint32_t sink_ssrc(const char *sink, const char *transport)
{
	GChecksum *sum = g_checksum_new(G_CHECKSUM_SHA256);
	uint8_t digest[32];
	gsize len = sizeof(digest);

	g_checksum_update(sum, (const guchar *)sink, -1);
	g_checksum_update(sum, (const guchar *)transport, -1);
	g_checksum_get_digest(sum, digest, &len);
	g_checksum_free(sum);
	uint32_t ssrc = (uint32_t)digest[0] << 24 | (uint32_t)digest[1] << 16 | (uint32_t)digest[2] << 8 | digest[3];
	return ssrc ? ssrc : 1;
}

void uses_copy(const struct ort_json_table *row, const struct ort_json_array *from, struct ort_json_array *to)
{
	gw_sdp_array_clear(row, to);
	to->n = from->n;
	to->items = g_malloc0((from->n + 1) * row->size);
	for (size_t i = 0; i < from->n; i++) {
		g_autoptr(json_t) o = ort_json_print(row, (const char *)from->items + i * row->size);

		(void)ort_json_read(row, o, (char *)to->items + i * row->size, NULL);
	}
}

/* ---- streams ---- */

static char *text_of(const struct ort_json_table *table, const void *request)
{
	g_autoptr(json_t) o = ort_json_print(table, request);

	return json_dumps(o, JSON_COMPACT | JSON_SORT_KEYS);
}

static void tell_stream(struct sip_media *m, const struct line *l, const char *stream, bool on)
{
	if (m->ops.on_stream) {
		m->ops.on_stream(m, stream, media_slots[l->slot].kind, media_slots[l->slot].content, on, m->user_data);
	}
}

static void remove_source(struct sip_media *m, struct line *l, bool in_engine)
{
	g_autofree char *stream = line_stream(m, l);

	if (!l->source) {
		return;
	}
	free(g_steal_pointer(&l->source));
	if (in_engine) {
		m->ops.media(MCU_METHOD_SOURCE_REMOVE, &(struct mcu_stream_ref){ m->room, stream }, NULL, NULL, m->user_data);
	}
	tell_stream(m, l, stream, false);
}

static void remove_sink(struct sip_media *m, struct line *l, bool in_engine)
{
	g_autofree char *sink = line_sink(m, l);

	if (!l->sink) {
		return;
	}
	free(g_steal_pointer(&l->sink));
	if (in_engine) {
		m->ops.media(MCU_METHOD_SINK_REMOVE, &(struct mcu_stream_ref){ m->room, sink }, NULL, NULL, m->user_data);
	}
}

void line_forget_streams(struct sip_media *m, struct line *l)
{
	if (l->slot != SLOT_NONE) {
		remove_source(m, l, false);
		remove_sink(m, l, false);
	}
}

static void forwardable(const struct line *l, struct ort_json_array *ret)
{
	struct mcu_codec_use *use;

	uses_copy(&mcu_table_codec_use, &l->recv, ret);
	use = ret->items;
	for (size_t i = 0; i < ret->n; i++) {
		if (mcu_codec_by_name(use[i].name) == MCU_CODEC_H264) {
			char *fmtp = gw_sdp_h264_constrained(use[i].fmtp);

			g_free(use[i].fmtp);
			use[i].fmtp = fmtp;
		}
	}
}

static void apply_source(struct exchange *x, struct line *l)
{
	struct sip_media *m = x->m;
	g_autofree char *stream = line_stream(m, l);
	struct ort_json_array codecs = { 0 };
	struct mcu_encoding first = { 0 };	/* SSRC: the first that comes; peers change it with every hold */
	struct mcu_source_add req = { m->room, l->tp->id, stream, (int)media_slots[l->slot].kind,
				      (int)media_slots[l->slot].content, l->tp->lite ? l->mid : NULL, { 0 }, { &first, 1 } };
	char *text;

	forwardable(l, &codecs);
	req.codecs = codecs;
	text = text_of(&mcu_table_source_add, &req);
	if (g_strcmp0(text, l->source) == 0) {
		free(text);
	} else {
		remove_source(m, l, true);
		l->source = text;
		xchg_step(x, MCU_METHOD_SOURCE_ADD, &req);
		tell_stream(m, l, stream, true);
	}
	gw_sdp_array_clear(&mcu_table_codec_use, &codecs);
}

/* What nobody can feed fails alone: the sink is made silent first. */
void line_route(struct sip_media *m, struct line *l)
{
	g_autofree char *sink = line_sink(m, l);
	struct mcu_sink_route req = { m->room, sink, m->feeds[l->slot] };

	if (l->sink) {
		m->ops.media(MCU_METHOD_SINK_ROUTE, &req, NULL, NULL, m->user_data);
	}
}

static void apply_sink(struct exchange *x, struct line *l)
{
	struct sip_media *m = x->m;
	g_autofree char *sink = line_sink(m, l);
	struct mcu_sink_add req = { m->room, l->tp->id, sink, NULL, (int)media_slots[l->slot].kind,
				    l->tp->lite ? l->mid : NULL, sink_ssrc(sink, l->tp->id), 0, l->send };
	char *text = text_of(&mcu_table_sink_add, &req);

	if (g_strcmp0(text, l->sink) == 0) {
		free(text);
		return;
	}
	remove_sink(m, l, true);
	l->sink = text;
	xchg_step(x, MCU_METHOD_SINK_ADD, &req);
	if (m->feeds[l->slot]) {
		line_route(m, l);
	}
}

void line_apply(struct exchange *x, struct line *l)
{
	if (l->dir & GW_SDP_RECV) {
		apply_source(x, l);
	} else {
		remove_source(x->m, l, true);
	}
	if (l->dir & GW_SDP_SEND) {
		apply_sink(x, l);
	} else {
		remove_sink(x->m, l, true);
	}
}

void line_swap(struct line *l)
{
	struct tp *old = l->tp;

	if (l->next) {
		l->tp = l->next;
		l->next = NULL;
		tp_unref(old);
	}
}

void line_off(struct sip_media *m, struct line *l, const char *why)
{
	if (l->slot != SLOT_NONE) {
		remove_source(m, l, true);
		remove_sink(m, l, true);
	}
	floor_close(l);
	tp_drop(&l->next);
	tp_drop(&l->tp);
	clear_agreed(l);
	l->on = false;
	l->dir = GW_SDP_INACTIVE;
	g_free(l->why);
	l->why = g_strdup(why);
}

/* ---- the peer's address and keys ---- */

static void all_exts(const struct sip_media *m, const struct tp *tp, struct ort_json_array *ret)
{
	struct gw_sdp_agreed *agreed = g_new0(struct gw_sdp_agreed, m->lines->len);

	for (guint i = 0; i < m->lines->len; i++) {
		struct line *l = m->lines->pdata[i];

		agreed[i].exts = l->tp == tp ? l->exts : (struct ort_json_array){ 0 };	/* lent */
	}
	gw_sdp_agreed_exts(agreed, m->lines->len, ret);
	g_free(agreed);
}

static char *str(const char *borrowed)
{
	return (char *)(uintptr_t)borrowed;	/* request structs have owned strings; a call only reads them */
}

static bool fill_dtls(struct tp *tp, const struct gw_sdp_peer *peer, struct mcu_transport_connect *req)
{
	bool same = g_strcmp0(tp->fingerprint, peer->fingerprint) == 0;

	tp->dtls_client = same ? tp->dtls_client : peer->setup == GW_SDP_PASSIVE;
	g_free(tp->fingerprint);
	tp->fingerprint = g_strdup(peer->fingerprint);
	req->fingerprint = tp->fingerprint;
	req->dtls_client = tp->dtls_client;
	return tp->fingerprint != NULL;
}

static bool fill_sdes(struct tp *tp, const struct gw_sdp_peer *peer, struct mcu_transport_connect *req)
{
	for (size_t i = 0; i < peer->n_cryptos; i++) {
		const struct gw_sdp_crypto *ours = tp_key(tp, peer->cryptos[i].suite);

		if (ours && strcmp(ours->key, peer->cryptos[i].key) != 0) {	/* our own key back: two time pad */
			req->srtp_suite = str(ours->suite);
			req->srtp_send = str(ours->key);
			req->srtp_recv = str(peer->cryptos[i].key);
			return true;
		}
	}
	return false;
}

bool line_connect(struct exchange *x, struct line *l, const struct gw_sdp_peer *peer)
{
	struct sip_media *m = x->m;
	struct tp *tp = l->tp;
	struct mcu_transport_connect req = { .room = m->room, .transport = tp->id,
					     .silent = !(l->dir & GW_SDP_RECV) || l->slot == SLOT_CONTENT };
	bool usable = true;

	if (tp->security == GW_SDP_DTLS) {
		usable = fill_dtls(tp, peer, &req);
	} else if (tp->security == GW_SDP_SDES) {
		usable = fill_sdes(tp, peer, &req);
	}
	if (tp->lite) {
		g_free(tp->ufrag);
		tp->ufrag = g_strdup(peer->ufrag);
		req.ice_ufrag = tp->ufrag;
		req.ice_pwd = str(peer->pwd);
		usable = usable && peer->ice;
	} else if (peer->ip[0]) {
		req.ip = str(peer->ip);
		req.port = peer->port;
		req.rtcp_port = peer->rtcp_mux ? peer->port : peer->rtcp_port;
	}
	if (!usable) {
		return false;
	}
	all_exts(m, tp, &req.extensions);
	xchg_step(x, MCU_METHOD_TRANSPORT_CONNECT, &req);
	gw_sdp_array_clear(&mcu_table_ext_use, &req.extensions);
	return true;
}
