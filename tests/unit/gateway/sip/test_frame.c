/* SIP messages in a stream, and their topmost Via. */
#include <string.h>

#include "gateway/sip/frame_priv.h"

static const struct { const char *text; enum sip_frame what; size_t skip, len; } streams[] = {
	{ "", SIP_FRAME_MORE, 0, 0 },
	{ "\r\n", SIP_FRAME_MORE, 0, 0 },
	{ "\r\n\r\n", SIP_FRAME_PING, 4, 0 },
	{ "\r\nA sip:b SIP/2.0\r\n\r\n", SIP_FRAME_MESSAGE, 2, 19 },
	{ "A sip:b SIP/2.0\r\nl: 2\r\n\r\nab", SIP_FRAME_MESSAGE, 0, 27 },
	{ "A sip:b SIP/2.0\r\nl: 2\r\n\r\na", SIP_FRAME_MORE, 0, 27 },
	{ "A sip:b SIP/2.0\nContent-Length :\r\n 2 \n\nabA", SIP_FRAME_MESSAGE, 0, 41 },
	{ "A sip:b SIP/2.0\r\nl: 2\r\nContent-Length: 2\r\n\r\nab", SIP_FRAME_MESSAGE, 0, 46 },
	{ "A sip:b SIP/2.0\r\nl: 2\r\nContent-Length: 3\r\n\r\nabc", SIP_FRAME_BAD, 0, 0 },
	{ "A sip:b SIP/2.0\r\nl: -1\r\n\r\n", SIP_FRAME_BAD, 0, 0 },
	{ "A sip:b SIP/2.0\r\nl: 99999999999999999999\r\n\r\n", SIP_FRAME_BAD, 0, 0 },
	{ "A sip:b SIP/2.0\r\nl: 2 2\r\n\r\nab", SIP_FRAME_BAD, 0, 0 },
	{ "A sip:b SIP/2.0\r\nl:\r\n\r\n", SIP_FRAME_BAD, 0, 0 },
	{ "Content-Length: 7 SIP/2.0\r\n\r\n", SIP_FRAME_MESSAGE, 0, 29 },	/* a first line is no header */
};

static void a_stream(gconstpointer data)
{
	unsigned n = GPOINTER_TO_UINT(data);
	size_t skip = 9, len = 9;
	g_assert_cmpint(sip_frame_next(streams[n].text, strlen(streams[n].text), &skip, &len), ==, streams[n].what);
	if (streams[n].what != SIP_FRAME_BAD) {
		g_assert_cmpuint(skip, ==, streams[n].skip);
	}
	if (streams[n].what == SIP_FRAME_MESSAGE) {
		g_assert_cmpuint(len, ==, streams[n].len);
	}
}

static void a_head_without_end(void)
{
	g_autofree char *text = g_strnfill(SIP_FRAME_MAX_HEAD + 5, 'x');
	size_t skip, len;
	g_assert_cmpint(sip_frame_next(text, SIP_FRAME_MAX_HEAD - 1, &skip, &len), ==, SIP_FRAME_MORE);
	g_assert_cmpint(sip_frame_next(text, SIP_FRAME_MAX_HEAD + 5, &skip, &len), ==, SIP_FRAME_BAD);
}

static const struct sip_hop hop = { "SIP/2.0/TCP 127.0.0.1:5099", "SIP/2.0/TLS sip.example:5061", "127.64.0.9", 4000, "192.0.2.7", 50001 };
static const struct { bool inward; const char *from, *to; } vias[] = {	/* to NULL: refused */
	{ true, "A b SIP/2.0\r\nVia: SIP/2.0/TLS x;rport\r\n\r\n", "A b SIP/2.0\r\nVia: SIP/2.0/TCP x;rport\r\n\r\n" },
	{ true, "A b SIP/2.0\r\nT: via: 1\r\nv:SIP / 2.0 / tls x, SIP/2.0/TLS y\r\n\r\n",
	  "A b SIP/2.0\r\nT: via: 1\r\nv:SIP / 2.0 / TCP x, SIP/2.0/TLS y\r\n\r\n" },
	{ true, "A b SIP/2.0\r\nVia: SIP/2.0/TCP x\r\n\r\n", NULL },
	{ true, "A b SIP/2.0\r\nVia: SIP/2.0/TLS-SCTP x\r\n\r\n", NULL },
	{ true, "A b SIP/2.0\r\nTo: x\r\n\r\n", NULL },
	{ true, "A b SIP/2.0\r\nVia:\r\n\r\n", NULL },
	{ true, "SIP/2.0 200 OK\r\nVia: SIP/2.0/TLS sip.example:5061;branch=1;received=1.2.3.4\r\n\r\nVia: x",
	  "SIP/2.0 200 OK\r\nVia: SIP/2.0/TCP 127.0.0.1:5099;branch=1;received=1.2.3.4\r\n\r\nVia: x" },
	{ true, "SIP/2.0 200 OK\r\nVia: SIP/2.0/TLS sip.example:50610;branch=1\r\n\r\n", NULL },
	{ false, "A b SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1:5099;branch=1\r\n\r\nxx",
	  "A b SIP/2.0\r\nVia: SIP/2.0/TLS sip.example:5061;branch=1\r\n\r\nxx" },
	{ false, "A b SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1:5098;branch=1\r\n\r\n", NULL },
	{ false, "SIP/2.0 401 No\r\nVia: SIP/2.0/TCP x;rport=4000;received=127.64.0.9;a=\"b,;c\", SIP/2.0/UDP y\r\n\r\n",
	  "SIP/2.0 401 No\r\nVia: SIP/2.0/TLS x;rport=50001;received=192.0.2.7;a=\"b,;c\", SIP/2.0/UDP y\r\n\r\n" },
	{ false, "SIP/2.0 401 No\r\nVia: SIP/2.0/TCP x;rport=40000;received=127.64.0.99\r\n\r\n",
	  "SIP/2.0 401 No\r\nVia: SIP/2.0/TLS x;rport=40000;received=127.64.0.99\r\n\r\n" },
};

static void a_via(gconstpointer data)
{
	unsigned n = GPOINTER_TO_UINT(data);
	g_autoptr(GByteArray) out = g_byte_array_new();
	size_t len = strlen(vias[n].from);
	bool good = vias[n].inward ? sip_frame_inward(&hop, vias[n].from, len, out) : sip_frame_outward(&hop, vias[n].from, len, out);
	g_byte_array_append(out, (const guint8 *)"", 1);
	g_assert_cmpint(good, ==, vias[n].to != NULL);
	g_assert_cmpstr((const char *)out->data, ==, vias[n].to != NULL ? vias[n].to : "");
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	for (unsigned n = 0; n < G_N_ELEMENTS(streams); n++) {
		g_autofree char *name = g_strdup_printf("/sip/frame/stream/%u", n);
		g_test_add_data_func(name, GUINT_TO_POINTER(n), a_stream);
	}
	for (unsigned n = 0; n < G_N_ELEMENTS(vias); n++) {
		g_autofree char *name = g_strdup_printf("/sip/frame/via/%u", n);
		g_test_add_data_func(name, GUINT_TO_POINTER(n), a_via);
	}
	g_test_add_func("/sip/frame/a_head_without_end", a_head_without_end);
	return g_test_run();
}
