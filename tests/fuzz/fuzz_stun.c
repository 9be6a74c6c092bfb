/* Datagrams as a port's sockets would hand them in: STUN, DTLS and RTP from strangers and from validated addresses.
 * First the whole input as one datagram, then as records: one octet 0-3 (source port), one octet length / 4, the rest.
 * The seed is fixed, so a corpus file can hold a valid check: ufrag and password are always the same. */
#include <stdlib.h>

#include "mcu/net/net_priv.h"

static mcu_transport *make(void)
{
	static const char *const listen[] = { "127.0.0.1", NULL };
	static const struct mcu_port_conf conf = { .listen = listen, .seed = 1 };
	static const struct mcu_port_ops ops;
	static mcu_port *port;
	g_autofree char *print = g_strnfill(95, 'A');
	mcu_transport *t;

	for (unsigned i = 2; i < 95; i += 3) {
		print[i] = ':';
	}
	port = port ? port : mcu_port_new(&conf, &ops, NULL, NULL);
	port->random = 1;
	t = mcu_transport_open(port, NULL, NULL);
	if (t == NULL || mcu_transport_connect(t, "peer", "0123456789012345678901", print, false, NULL) < 0) {
		abort();
	}
	port->now_us += ORT_US_PER_S;	/* tokens for all */
	return t;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	mcu_transport *t = make();
	mcu_port *port = t->port;
	struct net_path path = { .sock = &port->socks[0] };

	net_addr_parse("127.0.0.1", 0, &path.local);
	net_addr_parse("127.0.0.1", 9, &path.remote);
	net_port_enter(port);
	net_port_datagram(port, &(struct net_datagram){ data, size, path });
	for (size_t at = 0; at + 2 <= size;) {
		size_t len = MIN((size_t)data[at + 1] * 4, size - at - 2);

		net_addr_set_port(&path.remote, (uint16_t)(1 + (data[at] & 3)));
		net_port_datagram(port, &(struct net_datagram){ data + at + 2, len, path });
		at += 2 + len;
	}
	mcu_transport_close(t);
	net_port_leave(port);
	return 0;
}
