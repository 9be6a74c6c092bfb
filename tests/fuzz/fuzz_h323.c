/* An H.323 peer's octets: the TPKT stream of a call's signalling, Q.931 in it, and its H.245 PDUs into a started entity. */
#include "gateway/h323/caps.h"
#include "gateway/h323/h245.h"
#include "gateway/h323/per_priv.h"
#include "gateway/h323/q931.h"
#include "gateway/h323/tpkt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void send(struct h245 *h, const json_t *pdu, void *ud)
{
	(void)h;
	(void)ud;
	g_autoptr(GByteArray) wire = per_write(per_find("245:MultimediaSystemControlMessage"), pdu, NULL);
	g_assert_nonnull(wire);	/* whatever the peer says, what we answer can be sent */
}
static void on_caps(struct h245 *h, const json_t *tcs, void *ud)
{
	(void)h;
	(void)ud;
	for (int m = 0; tcs != NULL && m < H323_MEDIA_N; m++) {
		struct h323_codec c;
		json_t *type;
		(void)h323_caps_choose(tcs, (enum h323_kind)m, 0, &c, &type);
		json_decref(type);
	}
}
static void on_open(struct h245 *h, struct h245_channel *c, void *ud)
{
	(void)ud;
	enum h323_kind media;
	struct h323_codec codec;
	struct h245_address a = { "192.0.2.1", 5000 };
	h323_caps_read(c->data_type, c->packetization, &media, &codec) ? h245_accept(h, c, &a, &a) : h245_reject(h, c, "dataTypeNotSupported");
}
static void on_ready(struct h245 *h, bool m, void *ud) { (void)h; (void)m; (void)ud; }
static void on_opened(struct h245 *h, struct h245_channel *c, void *ud) { (void)h; (void)c; (void)ud; }
static void on_closed(struct h245 *h, struct h245_channel *c, const char *w, void *ud) { (void)h; (void)c; (void)w; (void)ud; }
static void on_command(struct h245 *h, enum h245_command w, struct h245_channel *c, int64_t b, void *ud) { (void)h; (void)w; (void)c; (void)b; (void)ud; }
static void on_digits(struct h245 *h, const char *d, void *ud) { (void)h; (void)d; (void)ud; }
static bool on_generic(struct h245 *h, const char *k, const json_t *m, void *ud) { (void)h; (void)k; (void)m; (void)ud; return false; }
static void on_end(struct h245 *h, const char *w, void *ud) { (void)h; (void)w; (void)ud; }

static void tunnelled(struct h245 *h, const uint8_t *data, size_t len)
{
	struct q931 m;
	if (q931_read(&m, data, len, NULL)) {
		g_autoptr(GByteArray) wire = q931_write(&m, NULL);
		g_assert_true(wire == NULL || wire->len >= 5);
		q931_clear(&m);
	}
	g_autoptr(json_t) pdu = per_read(per_find("245:MultimediaSystemControlMessage"), data, len, NULL);
	if (pdu != NULL) {
		h245_receive(h, pdu, 1);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct h245_ops ops = { send, on_caps, on_ready, on_open, on_opened, on_closed, on_command, on_digits, on_generic, on_end };
	g_autoptr(json_t) caps = h323_caps_print(&(struct h323_caps_conf){ .video = true, .slides = true });
	struct h245 *h = h245_new(&(struct h245_conf){ .terminal_type = 190, .capabilities = caps }, &ops, NULL);
	struct tpkt t;
	const uint8_t *message;
	size_t len;
	tpkt_init(&t);
	h245_start(h, 0);
	tpkt_push(&t, data, size);
	while (tpkt_next(&t, &message, &len) == 1) {
		tunnelled(h, message, len);
	}
	h245_tick(h, h245_deadline(h));
	tpkt_clear(&t);
	h245_free(h);
	return 0;
}
