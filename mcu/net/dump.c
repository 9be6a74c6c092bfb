/* A transport as JSON, for logs, dump methods and tests. */
#include "mcu/net/net_priv.h"

static void dump_pair(GString *s, const mcu_transport *t, const struct net_pair *p)
{
	char remote[46], local[46];

	net_addr_text(&p->path.remote, remote);
	net_addr_text(&p->path.local, local);
	g_string_append_printf(s, "{\"protocol\":\"%s\",\"local\":\"%s\",\"remote\":\"%s\",\"port\":%u,",
			       p->path.tcp ? "tcp" : p->path.agent ? "agent" : "udp", local, remote, net_addr_port(&p->path.remote));
	g_string_append_printf(s, "\"selected\":%s,\"nominated\":%s,\"gso\":%s,\"check_us\":%" G_GINT64_FORMAT "}",
			       p == t->selected ? "true" : "false", p->nominated ? "true" : "false",
			       p->no_gso || !p->path.sock ? "false" : "true", p->last_check_us);
}

char *mcu_transport_dump(const mcu_transport *t)
{
	GString *s = g_string_new("{");
	const char *comma = "";

	g_string_append_printf(s, "\"state\":\"%s\",\"why\":\"%s\",\"ufrag\":\"%s\",\"generation\":%u,",
			       mcu_transport_state(t), t->why, t->local.ufrag, t->local.generation);
	g_string_append_printf(s, "\"connected\":%s,\"dtls\":\"%s\",\"suite\":\"%s\",\"backend\":\"%s\",",
			       t->connected ? "true" : "false", t->dtls_client ? "client" : "server",
			       t->out ? mcu_srtp_suites[mcu_srtp_suite_of(t->out)].name : "",
			       t->out ? mcu_srtp_backend_name(t->out) : "");
	g_string_append_printf(s, "\"ssrc_in\":%u,\"ssrc_out\":%u,\"rtt_us\":%" G_GINT64_FORMAT ",",
			       t->in ? mcu_srtp_streams(t->in) : 0, t->out ? mcu_srtp_streams(t->out) : 0, t->rtt_us);
	g_string_append_printf(s, "\"packets_in\":%" G_GUINT64_FORMAT ",\"packets_out\":%" G_GUINT64_FORMAT
				  ",\"bytes_in\":%" G_GUINT64_FORMAT ",\"bytes_out\":%" G_GUINT64_FORMAT ",\"pairs\":[",
			       t->packets_in, t->packets_out, t->bytes_in, t->bytes_out);
	for (unsigned i = 0; i < NET_PAIRS; i++) {
		if (t->pairs[i] != NULL) {
			g_string_append(s, comma);
			dump_pair(s, t, t->pairs[i]);
			comma = ",";
		}
	}
	if (t->plain != NULL && t->selected != NULL) {
		dump_pair(s, t, t->selected);
	}
	g_string_append(s, "]");
	if (t->plain != NULL) {
		net_plain_dump(t->plain, s);
	}
	g_string_append(s, "}");
	return g_string_free(s, FALSE);
}
