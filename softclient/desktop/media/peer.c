/* One connection: webrtcbin makes the offer, the gateway answers (ICE-lite, all candidates in it), the far certificate is
 * compared with the answer's fingerprint, then pictures and sound flow. webrtcbin of GStreamer 1.22 does not compare: any
 * certificate would do for it.
 *
 * webrtcbin's threads touch only their element and post to the bus; on_bus() runs on the main thread. */
#define GST_USE_UNSTABLE_API
#include <gst/sdp/sdp.h>
#include <gst/webrtc/webrtc.h>
#include <math.h>

#include "softclient/desktop/media/peer_priv.h"

enum { STATS_MS = 1000 };

const char *const sc_peer_state_names[] = { "connecting", "up", "wavering", "failed", NULL };

/* ---- threads of webrtcbin ---- */
static void post(GstElement *rtc, GstStructure *news)
{
	gst_element_post_message(rtc, gst_message_new_application(GST_OBJECT(rtc), news));
}

static void on_offer_made(GstPromise *promise, gpointer user_data)
{
	GstElement *rtc = user_data;
	const GstStructure *reply = gst_promise_get_reply(promise);
	g_autoptr(GstWebRTCSessionDescription) offer = NULL;
	if (reply == NULL || !gst_structure_get(reply, "offer", GST_TYPE_WEBRTC_SESSION_DESCRIPTION, &offer, NULL)) {
		post(rtc, gst_structure_new("sc-failed", "why", G_TYPE_STRING, "no offer could be made", NULL));
	} else {
		g_autofree char *sdp = gst_sdp_message_as_text(offer->sdp);
		g_signal_emit_by_name(rtc, "set-local-description", offer, NULL);
		post(rtc, gst_structure_new("sc-offer", "sdp", G_TYPE_STRING, sdp, NULL));
	}
	gst_promise_unref(promise);
}

static void on_stats_made(GstPromise *promise, gpointer user_data)
{
	const GstStructure *reply = gst_promise_get_reply(promise);
	if (reply != NULL) {
		GstStructure *news = gst_structure_copy(reply);
		gst_structure_set_name(news, "sc-stats");
		post(user_data, news);
	}
	gst_promise_unref(promise);
}

static void on_connection(GstElement *rtc, GParamSpec *spec, gpointer user_data)
{
	GstWebRTCPeerConnectionState state;
	g_object_get(rtc, "connection-state", &state, NULL);
	post(rtc, gst_structure_new("sc-connection", "state", G_TYPE_INT, (int)state, NULL));
}

static GstPadProbeReturn drop_unverified(GstPad *pad, GstPadProbeInfo *info, gpointer verified)
{
	return g_atomic_int_get((int *)verified) ? GST_PAD_PROBE_REMOVE : GST_PAD_PROBE_DROP;
}

/* Only sound is wanted from the far side. */
static void on_pad(GstElement *rtc, GstPad *pad, gpointer user_data)
{
	sc_peer *p = user_data;
	g_autoptr(GstCaps) caps = gst_pad_get_current_caps(pad);
	const char *media = caps != NULL ? gst_structure_get_string(gst_caps_get_structure(caps, 0), "media") : NULL;
	if (GST_PAD_DIRECTION(pad) != GST_PAD_SRC || g_strcmp0(media, "audio") != 0) {
		return;
	}
	GstElement *ear = pipeline_ear();
	if (ear == NULL) {
		return;
	}
	gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST, drop_unverified, &p->verified, NULL);
	gst_bin_add(GST_BIN(p->pipeline), ear);
	g_autoptr(GstPad) sink = gst_element_get_static_pad(ear, "sink");
	gst_element_sync_state_with_parent(ear);
	gst_pad_link(pad, sink);
}

/* ---- main thread: what the bus brings ---- */
static void tell(sc_peer *p, enum sc_peer_state state, const char *why)
{
	p->listener.on_state(p, state, why, p->user_data);
}

static char *mid_of(const GstSDPMessage *sdp, const char *kind)
{
	for (unsigned n = 0; n < gst_sdp_message_medias_len(sdp); n++) {
		const GstSDPMedia *m = gst_sdp_message_get_media(sdp, n);
		if (g_strcmp0(gst_sdp_media_get_media(m), kind) == 0) {
			return g_strdup(gst_sdp_media_get_attribute_val(m, "mid"));
		}
	}
	return NULL;
}

static void offer_made(sc_peer *p, const GstStructure *news)
{
	GstSDPMessage *parsed = NULL;
	g_autofree char *sdp = sc_sdp_name_h264_profile(gst_structure_get_string(news, "sdp"));
	if (gst_sdp_message_new_from_text(sdp, &parsed) != GST_SDP_OK) {
		tell(p, SC_PEER_FAILED, "our own offer cannot be read");
		return;
	}
	g_autofree char *audio = mid_of(parsed, "audio"), *video = mid_of(parsed, "video");
	gst_sdp_message_free(parsed);
	p->listener.on_offer(p, &(struct sc_peer_offer){ sdp, audio, video }, p->user_data);
}

/* Every transport that is there (BUNDLE: one) shows the signalled certificate, and one is there. */
static bool verify(const sc_peer *p)
{
	g_autoptr(GArray) transceivers = NULL;
	unsigned good = 0, bad = 0;
	g_signal_emit_by_name(p->rtc, "get-transceivers", &transceivers);
	for (unsigned n = 0; transceivers != NULL && n < transceivers->len; n++) {
		g_autoptr(GstWebRTCRTPSender) sender = NULL;
		g_autoptr(GstWebRTCDTLSTransport) transport = NULL;
		g_autofree char *pem = NULL;
		g_object_get(g_array_index(transceivers, GstWebRTCRTPTransceiver *, n), "sender", &sender, NULL);
		if (sender != NULL) {
			g_object_get(sender, "transport", &transport, NULL);
		}
		if (transport != NULL) {
			g_object_get(transport, "remote-certificate", &pem, NULL);
		}
		if (sc_fingerprint_matches(p->answer, pem)) {
			good++;
		} else {
			bad++;
		}
	}
	return good > 0 && bad == 0;
}

static void connected(sc_peer *p)
{
	if (g_atomic_int_get(&p->verified)) {
		tell(p, SC_PEER_UP, "again");
		return;
	}
	if (!verify(p)) {
		tell(p, SC_PEER_FAILED, "the far certificate is not the signalled one");
		return;
	}
	g_atomic_int_set(&p->verified, 1);
	feed_start(&p->feed);
	tell(p, SC_PEER_UP, NULL);
}

static void connection_moved(sc_peer *p, const GstStructure *news)
{
	int state = GST_WEBRTC_PEER_CONNECTION_STATE_NEW;
	gst_structure_get_int(news, "state", &state);
	if (state == GST_WEBRTC_PEER_CONNECTION_STATE_CONNECTED) {
		connected(p);
	} else if (state == GST_WEBRTC_PEER_CONNECTION_STATE_DISCONNECTED) {
		tell(p, SC_PEER_WAVERING, "no answer on the path");
	} else if (state == GST_WEBRTC_PEER_CONNECTION_STATE_FAILED || state == GST_WEBRTC_PEER_CONNECTION_STATE_CLOSED) {
		tell(p, SC_PEER_FAILED, "ICE or DTLS failed");
	}
}

static gboolean add_row(GQuark key, const GValue *value, gpointer user_data)
{
	struct sc_peer_stats *st = user_data;
	const GstStructure *row = GST_VALUE_HOLDS_STRUCTURE(value) ? gst_value_get_structure(value) : NULL;
	uint64_t bytes = 0;
	int lost = 0;
	double rtt = 0;
	if (row != NULL && gst_structure_get_uint64(row, "bytes-sent", &bytes) && gst_structure_has_field(row, "packets-sent")) {
		st->bytes_sent += bytes;
	}
	if (row != NULL && gst_structure_get_double(row, "round-trip-time", &rtt)) {
		st->rtt_ms = MAX(st->rtt_ms, rtt * 1000);
		st->packets_lost += gst_structure_get_int(row, "packets-lost", &lost) && lost > 0 ? (uint64_t)lost : 0;
	}
	return TRUE;
}

static void stats_made(sc_peer *p, const GstStructure *news)
{
	struct sc_peer_stats st = { .heard_db = p->stats.heard_db };
	gst_structure_foreach(news, add_row, &st);
	p->stats = st;
}

static void failed(sc_peer *p, const GstStructure *news)
{
	tell(p, SC_PEER_FAILED, gst_structure_get_string(news, "why"));
}

static void sound_heard(sc_peer *p, const GstStructure *news)
{
	const GValue *rms = gst_structure_get_value(news, "rms");
	G_GNUC_BEGIN_IGNORE_DEPRECATIONS
	const GValueArray *channels = rms != NULL ? g_value_get_boxed(rms) : NULL;
	p->stats.heard_db = channels != NULL && channels->n_values > 0 ? g_value_get_double(&channels->values[0]) : -INFINITY;
	G_GNUC_END_IGNORE_DEPRECATIONS
	p->listener.on_sound(p, p->stats.heard_db, p->user_data);
}

static void error_told(sc_peer *p, GstMessage *message)
{
	g_autoptr(GError) err = NULL;
	gst_message_parse_error(message, &err, NULL);
	tell(p, SC_PEER_FAILED, err->message);
}

/* One listener call at most, and last: it may free the peer. */
static gboolean on_bus(GstBus *bus, GstMessage *message, gpointer user_data)
{
	static const struct { const char *name; void (*fn)(sc_peer *, const GstStructure *); } rows[] = {
		{ "sc-offer", offer_made }, { "sc-connection", connection_moved }, { "sc-stats", stats_made },
		{ "sc-failed", failed },    { "level", sound_heard },
	};
	const GstStructure *news = gst_message_get_structure(message);
	if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR) {
		error_told(user_data, message);
		return G_SOURCE_CONTINUE;
	}
	if (GST_MESSAGE_TYPE(message) != GST_MESSAGE_APPLICATION && GST_MESSAGE_TYPE(message) != GST_MESSAGE_ELEMENT) {
		return G_SOURCE_CONTINUE;
	}
	for (unsigned n = 0; news != NULL && n < G_N_ELEMENTS(rows); n++) {
		if (gst_structure_has_name(news, rows[n].name)) {
			rows[n].fn(user_data, news);
			return G_SOURCE_CONTINUE;
		}
	}
	return G_SOURCE_CONTINUE;
}

/* ---- life ---- */
static gboolean ask_stats(gpointer user_data)
{
	sc_peer *p = user_data;
	GstPromise *promise = gst_promise_new_with_change_func(on_stats_made, gst_object_ref(p->rtc), gst_object_unref);
	g_signal_emit_by_name(p->rtc, "get-stats", NULL, promise);
	return G_SOURCE_CONTINUE;
}

/* Sound both ways, picture only from us; retransmission for the picture. Binding requests instead of indications while it
 * lasts (RFC 7675): an ICE-lite server lives on them. libnice leaves out the loopback interface and ties each socket to its
 * own (IP_UNICAST_IF): a server on 127.0.0.1 is reached only from there. */
static void set_up_rtc(sc_peer *p, bool loopback)
{
	static const GstWebRTCRTPTransceiverDirection directions[] = { GST_WEBRTC_RTP_TRANSCEIVER_DIRECTION_SENDRECV,
								       GST_WEBRTC_RTP_TRANSCEIVER_DIRECTION_SENDONLY };
	g_autoptr(GstObject) ice = NULL;
	g_autoptr(GObject) agent = NULL;
	for (int n = 0; n < 2; n++) {
		g_autoptr(GstWebRTCRTPTransceiver) t = NULL;
		g_signal_emit_by_name(p->rtc, "get-transceiver", n, &t);
		if (t != NULL) {
			g_object_set(t, "direction", directions[n], "do-nack", n == 1, NULL);
		}
	}
	g_object_get(p->rtc, "ice-agent", &ice, NULL);
	if (ice != NULL && g_object_class_find_property(G_OBJECT_GET_CLASS(ice), "agent") != NULL) {
		g_object_get(ice, "agent", &agent, NULL);
	}
	if (ice != NULL && loopback) {
		gboolean added;
		g_signal_emit_by_name(ice, "add-local-ip-address", "127.0.0.1", &added);
	}
	if (agent != NULL) {
		g_object_set(agent, "keepalive-conncheck", TRUE, "upnp", FALSE, NULL);
	}
	g_signal_connect(p->rtc, "notify::connection-state", G_CALLBACK(on_connection), NULL);
	g_signal_connect(p->rtc, "pad-added", G_CALLBACK(on_pad), p);
}

sc_peer *sc_peer_new(const struct sc_peer_conf *conf, const struct sc_peer_listener *listener, void *user_data, char **ret_why)
{
	sc_picture *picture = sc_picture_new(conf->width, conf->height, conf->drill, conf->name);
	GstElement *pipeline = picture != NULL ? pipeline_new(conf, ret_why) : NULL;
	if (pipeline == NULL) {
		*ret_why = picture == NULL ? g_strdup("this picture size is not possible") : *ret_why;
		sc_picture_free(picture);
		return NULL;
	}
	sc_peer *p = g_new0(sc_peer, 1);
	*p = (sc_peer){ *listener, user_data, pipeline, gst_bin_get_by_name(GST_BIN(pipeline), "rtc"), .stats.heard_db = -INFINITY };
	p->feed = (struct feed){ .video = gst_bin_get_by_name(GST_BIN(pipeline), "video"),
				 .audio = gst_bin_get_by_name(GST_BIN(pipeline), "audio"), .picture = picture,
				 .epoch_us = conf->epoch_us, .fps = conf->fps, .muted = conf->muted };
	sc_speech_init(&p->feed.speech, conf->name);
	set_up_rtc(p, conf->loopback);
	g_autoptr(GstBus) bus = gst_element_get_bus(pipeline);
	p->bus_watch = gst_bus_add_watch(bus, on_bus, p);
	p->stats_timer = g_timeout_add(STATS_MS, ask_stats, p);
	gst_element_set_state(pipeline, GST_STATE_PLAYING);
	g_signal_emit_by_name(p->rtc, "create-offer", NULL,
			      gst_promise_new_with_change_func(on_offer_made, gst_object_ref(p->rtc), gst_object_unref));
	return p;
}

bool sc_peer_answer(sc_peer *p, const char *sdp, char **ret_why)
{
	GstSDPMessage *parsed = NULL;
	if (gst_sdp_message_new_from_text(sdp, &parsed) != GST_SDP_OK) {
		*ret_why = g_strdup("the answer cannot be read");
		return false;
	}
	g_free(p->answer);
	p->answer = g_strdup(sdp);
	g_autoptr(GstWebRTCSessionDescription) answer = gst_webrtc_session_description_new(GST_WEBRTC_SDP_TYPE_ANSWER, parsed);
	g_signal_emit_by_name(p->rtc, "set-remote-description", answer, NULL);
	return true;
}

void sc_peer_mute(sc_peer *p, bool on)
{
	p->feed.muted = on;
}

void sc_peer_get_stats(sc_peer *p, struct sc_peer_stats *ret)
{
	*ret = p->stats;
	ret->frames = p->feed.frames;
}

void sc_peer_free(sc_peer *p)
{
	if (p == NULL) {
		return;
	}
	g_clear_handle_id(&p->bus_watch, g_source_remove);
	g_clear_handle_id(&p->stats_timer, g_source_remove);
	g_signal_handlers_disconnect_by_data(p->rtc, p);
	gst_element_set_state(p->pipeline, GST_STATE_NULL);
	feed_clear(&p->feed);
	gst_object_unref(p->rtc);
	gst_object_unref(p->pipeline);
	g_free(p->answer);
	g_free(p);
}
