/* Token buckets per source, asked before any transaction exists (security.md class 5). Pure: time is an argument. Memory is
 * bounded: when the table is full the fullest buckets (who was quiet longest) give way. A source is an IPv4 address or the
 * /64 of an IPv6 address. */
#pragma once
#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

enum sip_rate { SIP_RATE_REGISTER, SIP_RATE_INVITE, SIP_RATE_MESSAGE, SIP_RATE_OTHER, SIP_RATE_REFUSAL, SIP_RATE_TLS, SIP_RATE_TLS_ALL,
		SIP_RATE_N };
struct sip_limit;
struct sip_limit *sip_limit_new(unsigned max_sources);
void sip_limit_free(struct sip_limit *l);	/* NULL allowed */
/* Takes a token; false = none left. REFUSAL: whether a refusal may be said aloud, else silence. TLS: handshakes; TLS_ALL: of all
 * sources together. */
bool sip_limit_take(struct sip_limit *l, const char *source, enum sip_rate what, int64_t now_us);
void sip_limit_forget(struct sip_limit *l);	/* all buckets are full again */
unsigned sip_limit_sources(const struct sip_limit *l);
