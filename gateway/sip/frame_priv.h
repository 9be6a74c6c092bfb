/* SIP messages in a stream of bytes (RFC 3261 18.3), and the topmost Via of each: between a peer in TLS and the stack, which
 * sees TCP on loopback. Pure functions, any thread, no SIP library. Foreign bytes: sizes are capped, nothing is believed. */
#pragma once
#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

enum { SIP_FRAME_MAX_HEAD = 32 * 1024, SIP_FRAME_MAX_BODY = 64 * 1024 };

enum sip_frame { SIP_FRAME_MORE, SIP_FRAME_PING, SIP_FRAME_MESSAGE, SIP_FRAME_BAD };
/* What stands at the start: *ret_skip bytes of empty lines, then *ret_len bytes of the message. PING: a keep-alive of two empty
 * lines was skipped (RFC 5626 4.4.1), answer CR LF. BAD: too long, or lengths that contradict each other. */
enum sip_frame sip_frame_next(const char *data, size_t len, size_t *ret_skip, size_t *ret_len);

/* The two sides of a connection. `near_by` is what the stack writes and reads ("SIP/2.0/TCP 127.0.0.1:5099"), `far_away` what
 * the peer sees ("SIP/2.0/TLS sip.example:5061"). */
struct sip_hop {
	const char *near_by, *far_away;
	const char *loop;		/* what the stack thinks that the peer's address is */
	unsigned loop_port;
	const char *source;		/* what it is */
	unsigned port;
};
/* One message, as the other side wants it, added to `out`. false: its topmost Via is missing or not of this hop. */
bool sip_frame_inward(const struct sip_hop *hop, const char *msg, size_t len, GByteArray *out);
bool sip_frame_outward(const struct sip_hop *hop, const char *msg, size_t len, GByteArray *out);
