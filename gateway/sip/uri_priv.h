/* What our own code reads of peers' texts: addresses to dial, numbers, names, INFO bodies. Pure functions, any thread; no
 * SIP library. Foreign bytes: lengths are capped, control characters never survive. */
#pragma once
#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

enum sip_dial_kind { SIP_DIAL_URI, SIP_DIAL_TRUNK, SIP_DIAL_DEVICE };
struct sip_dial {
	enum sip_dial_kind kind;
	char *uri;		/* URI: as dialled */
	char *name, *number;	/* trunk and number ("" = the trunk's own), or device */
};
/* "sip:..", "sips:..", "trunk:NAME[/number]", "device:USER"; a bare "user@host" is sip, a bare
 * number is one of the first trunk (name ""). 0 or -EINVAL. */
int sip_dial_parse(const char *text, struct sip_dial *ret);
void sip_dial_clear(struct sip_dial *d);

/* User part of a request as a number or name: escapes resolved, parameters and visual separators of phone numbers gone.
 * NULL: empty, over 64 bytes, or with characters that are in no number or name. (transfer full) */
char *sip_number(const char *user);
char *sip_name(const char *display);	/* quotes gone, UTF-8 made valid, no controls, at most 128 bytes; NULL = none */
char *sip_name_quoted(const char *name);	/* for a From header */
/* Literal IP of a URI's host ("[2001:db8::1]", "192.0.2.1"), IPv4-mapped ones folded to IPv4, canonical; NULL = a name. */
char *sip_literal(const char *host);
/* Key of a source for buckets and locks: the IPv4 address or the IPv6 /64. */
char *sip_source_key(const char *literal);
bool sip_is_private(const char *literal);	/* RFC 1918, RFC 6598, link-local, ULA, loopback */

/* INFO bodies. application/dtmf-relay ("Signal=5\r\nDuration=160") and application/dtmf ("5"): the digit, or 0. */
char sip_info_dtmf(const char *type, const char *body, size_t len);
bool sip_info_fast_update(const char *type, const char *body, size_t len);	/* RFC 5168 */
