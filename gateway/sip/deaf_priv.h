/* Accounts whose phones hear our challenge and do not answer it: Debian's baresip 1.0 knows MD5 only and simply gives up at a
 * challenge by SHA-256. Pure: no SIP library, time is an argument. Bounded; loop thread. */
#pragma once
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct sip_deaf;
struct sip_deaf_ask {		/* borrowed */
	const char *user, *source, *zone, *agent;
	bool account_md5, zone_md5;	/* what the account and the zone allow */
};
/* words: for people, without the account's name */
typedef void (*sip_deaf_fn)(const struct sip_deaf_ask *ask, const char *why, void *user_data);
struct sip_deaf *sip_deaf_new(sip_deaf_fn fn, void *user_data);
void sip_deaf_free(struct sip_deaf *d);	/* NULL allowed */
void sip_deaf_asked(struct sip_deaf *d, const struct sip_deaf_ask *ask, int64_t now_us);	/* a request without credentials */
void sip_deaf_md5(struct sip_deaf *d, const struct sip_deaf_ask *ask, int64_t now_us);	/* it answers by MD5, that is not allowed */
void sip_deaf_answered(struct sip_deaf *d, const char *source, const char *user);
void sip_deaf_tick(struct sip_deaf *d, int64_t now_us);
json_t *sip_deaf_print(const struct sip_deaf *d);
