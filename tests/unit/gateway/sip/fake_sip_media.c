/* The media half without media. */
#include "tests/unit/gateway/sip/fake_sip_media.h"

#include <errno.h>
#include <string.h>

struct fake_media_conf fake_media = { .auto_up = true };

struct sip_media {
	struct sip_media_ops ops;
	void *user_data;
	char *party, *id;
	GString *peer, *digits;
	bool hold, up, published;
	unsigned version, done, cancelled;
	GSource *timer;
	sip_media_fn fn;
	char *sdp;
	unsigned status;
};

struct sip_media *sip_media_new(const struct sip_media_conf *conf, const struct sip_media_ops *ops, void *user_data)
{
	struct sip_media *m = g_new0(struct sip_media, 1);
	m->ops = *ops;
	m->user_data = user_data;
	m->party = g_strdup(conf->party);
	m->id = g_strdup(conf->id);
	m->peer = g_string_new(NULL);
	m->digits = g_string_new(NULL);
	return m;
}

static void stop(struct sip_media *m)
{
	if (m->timer != NULL) {
		g_source_destroy(m->timer);
		g_source_unref(m->timer);
		m->timer = NULL;
	}
}

void sip_media_free(struct sip_media *m)
{
	if (m == NULL) {
		return;
	}
	stop(m);
	g_string_free(m->peer, TRUE);
	g_string_free(m->digits, TRUE);
	g_free(m->party);
	g_free(m->id);
	g_free(m->sdp);
	g_free(m);
}

void fake_media_up(struct sip_media *m)
{
	g_autofree char *stream = g_strconcat(m->party, ".audio", NULL);
	if (!m->published) {
		m->published = true;
		m->ops.on_stream(m, stream, MCU_AUDIO, MCU_CONTENT_MAIN, true, m->user_data);
	}
	if (!m->up) {
		m->up = true;
		m->ops.on_up(m, m->user_data);
	}
}

void fake_media_fail(struct sip_media *m, const char *why)
{
	m->ops.on_failed(m, why, m->user_data);
}

static gboolean on_done(gpointer data)
{
	struct sip_media *m = data;
	stop(m);
	g_autofree char *sdp = g_steal_pointer(&m->sdp);
	bool agreed = sdp != NULL && m->peer->len > 0;
	m->done += agreed;
	if (agreed && fake_media.auto_up) {
		/* from the loop's next turn on: m may be gone after fn */
		g_autofree char *stream = g_strconcat(m->party, ".audio", NULL);
		m->up = true;
		m->ops.on_stream(m, stream, MCU_AUDIO, MCU_CONTENT_MAIN, true, m->user_data);
		m->ops.on_up(m, m->user_data);
	}
	m->fn(m, sdp, m->status, m->status != 0 ? "refused by the test" : NULL, m->user_data);
	return G_SOURCE_REMOVE;
}

static void later(struct sip_media *m, char *sdp, unsigned status, sip_media_fn fn)
{
	g_assert_null(m->timer);	/* one exchange at a time */
	m->fn = fn;
	m->sdp = status != 0 ? (g_free(sdp), NULL) : sdp;
	m->status = status;
	m->timer = g_timeout_source_new(fake_media.slow_ms);
	g_source_set_callback(m->timer, on_done, m, NULL);
	g_source_attach(m->timer, NULL);
}

static char *text(struct sip_media *m)
{
	return g_strdup_printf("v=0\r\no=- 1 %u IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\na=%s\r\n",
			       ++m->version, m->hold ? "sendonly" : "sendrecv");
}

void sip_media_offer(struct sip_media *m, sip_media_fn fn)
{
	g_string_truncate(m->peer, 0);
	later(m, text(m), 0, fn);
}

static void take(struct sip_media *m, const char *sdp, size_t len)
{
	g_string_truncate(m->peer, 0);
	g_string_append_len(m->peer, sdp, (gssize)len);
}

void sip_media_take_answer(struct sip_media *m, const char *sdp, size_t len, sip_media_fn fn)
{
	take(m, sdp, len);
	later(m, g_strdup(""), fake_media.refuse_answer ? 488 : 0, fn);
}

void sip_media_take_offer(struct sip_media *m, const char *sdp, size_t len, sip_media_fn fn)
{
	take(m, sdp, len);
	bool held = strstr(m->peer->str, "a=sendonly") != NULL || strstr(m->peer->str, "a=inactive") != NULL;
	if (m->up) {
		m->ops.on_hold(m, held, m->user_data);
	}
	later(m, text(m), fake_media.refuse_offer, fn);
}

void sip_media_cancel(struct sip_media *m)
{
	stop(m);
	m->cancelled++;
}

int sip_media_feed(struct sip_media *m, const char *slot, const char *source)
{
	return strcmp(slot, "audio") == 0 || strcmp(slot, "main") == 0 ? 0 : -ENOENT;
}

void sip_media_hold(struct sip_media *m, bool on)
{
	m->hold = on;
}

int sip_media_dtmf(struct sip_media *m, const char *digits)
{
	g_string_append(m->digits, digits);
	return 0;
}

int sip_media_floor(struct sip_media *m, enum gw_sip_floor what)
{
	return -ENOTSUP;
}

bool sip_media_takes(const struct sip_media *m, const char *slot, struct gw_leg_takes *ret)
{
	return strcmp(slot, "audio") == 0;
}

void sip_media_transport_lost(struct sip_media *m, const char *transport)
{
}

bool sip_media_retry(struct sip_media *m)
{
	return false;
}

bool sip_media_has_feedback(const struct sip_media *m, const char *stream)
{
	return false;
}

struct sip_quirks *sip_quirks_load(const char *folder, GError **err)
{
	return (struct sip_quirks *)(void *)&fake_media;
}

void sip_quirks_free(struct sip_quirks *q)
{
}

unsigned sip_quirks_find(const struct sip_quirks *q, const char *agent)
{
	return agent != NULL && strstr(agent, "baresip") != NULL ? 1u << SIP_QUIRK_MD5_ALONE : 0;
}

void sip_media_transport_state(struct sip_media *m, const struct mcu_transport_state *state)
{
}

bool sip_media_owns(const struct sip_media *m, const char *transport)
{
	return g_str_has_prefix(transport, m->id);
}

json_t *sip_media_print(const struct sip_media *m)
{
	return json_array();
}

const char *fake_media_peer(const struct sip_media *m)
{
	return m->peer->str;
}

bool fake_media_held(const struct sip_media *m)
{
	return m->hold;
}

unsigned fake_media_exchanges(const struct sip_media *m)
{
	return m->done;
}

unsigned fake_media_cancelled(const struct sip_media *m)
{
	return m->cancelled;
}

const char *fake_media_digits(const struct sip_media *m)
{
	return m->digits->str;
}

/* ---- no floor control ---- */
static int no_bfcp;

gw_bfcp *gw_bfcp_new(GMainContext *context, const struct gw_bfcp_conf *conf, GError **err)
{
	return (gw_bfcp *)(void *)&no_bfcp;
}

void gw_bfcp_free(gw_bfcp *b)
{
}
