/* Q.931 messages as H.225.0 clause 7.2 uses them: header, the information elements that matter here, and the User-user
 * element with its PER content as JSON (per_priv.h). Unknown elements are skipped; a repeated one counts once. Pure. */
#pragma once
#include <glib.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

enum q931_type { Q931_ALERTING = 0x01, Q931_CALL_PROCEEDING = 0x02, Q931_PROGRESS = 0x03, Q931_SETUP = 0x05, Q931_CONNECT = 0x07,
		 Q931_SETUP_ACK = 0x0d, Q931_RELEASE_COMPLETE = 0x5a, Q931_FACILITY = 0x62, Q931_NOTIFY = 0x6e,
		 Q931_STATUS_INQUIRY = 0x75, Q931_INFORMATION = 0x7b, Q931_STATUS = 0x7d };
#define Q931_NUMBER_MAX 64

struct q931 {
	uint8_t type;			/* enum q931_type; others are read too */
	uint16_t crv;			/* call reference, 1 .. 32767; 0 = the global one */
	bool answers;			/* sent by the side that did not choose the reference */
	uint8_t cause;			/* Q.850 value, 0 = no Cause element */
	uint8_t rate;			/* Setup: units of 64 kbit/s in the Bearer capability, 0 = none */
	char display[128];		/* NUL-terminated, UTF-8 made valid */
	char calling[Q931_NUMBER_MAX], called[Q931_NUMBER_MAX];
	json_t *user;			/* 225:H323-UserInformation, NULL = none */
};

/* false: *ret_why (transfer full) tells; nothing to clear then. */
bool q931_read(struct q931 *m, const uint8_t *data, size_t len, char **ret_why);
GByteArray *q931_write(const struct q931 *m, char **ret_why);	/* (transfer full), NULL + why */
void q931_clear(struct q931 *m);
const char *q931_type_name(uint8_t type);	/* "Setup"; "message" when unknown */

/* Causes (Q.850) and ReleaseCompleteReason (H.225.0 table 5) say the same: one table for both ways and for people. */
struct q931_cause { uint8_t cause; const char *reason; /* alternative of ReleaseCompleteReason, NULL = none */
		    const char *why; /* word for logs and pages */ };
const struct q931_cause *q931_by_cause(uint8_t cause);		/* never NULL: "unknown" */
const struct q931_cause *q931_by_reason(const char *reason);	/* likewise */
