/* Q.931 messages of H.225.0: elements are rows, the User-user element is PER. */
#include "gateway/h323/q931.h"

#include <string.h>

#include "gateway/h323/per_priv.h"

enum { DISCRIMINATOR = 8, IE_BEARER = 0x04, IE_CAUSE = 0x08, IE_FACILITY = 0x1c, IE_DISPLAY = 0x28, IE_CALLING = 0x6c,
       IE_CALLED = 0x70, IE_USER = 0x7e, USER_DISCRIMINATOR = 5 };

static const struct q931_cause causes[] = {
#define X(cause_, reason_, why_) { cause_, reason_, why_ },
#include "gateway/h323/causes.def"
#undef X
};
static const struct q931_cause unknown_cause = { 31, "undefinedReason", "unspecified" };
static const struct { uint8_t type; const char *name; } types[] = {
	{ Q931_ALERTING, "Alerting" },		    { Q931_CALL_PROCEEDING, "CallProceeding" },
	{ Q931_PROGRESS, "Progress" },		    { Q931_SETUP, "Setup" },
	{ Q931_CONNECT, "Connect" },		    { Q931_SETUP_ACK, "SetupAcknowledge" },
	{ Q931_RELEASE_COMPLETE, "ReleaseComplete" }, { Q931_FACILITY, "Facility" },
	{ Q931_NOTIFY, "Notify" },		    { Q931_STATUS_INQUIRY, "StatusInquiry" },
	{ Q931_INFORMATION, "Information" },	    { Q931_STATUS, "Status" },
};

const char *q931_type_name(uint8_t type)
{
	for (size_t n = 0; n < G_N_ELEMENTS(types); n++) {
		if (types[n].type == type) {
			return types[n].name;
		}
	}
	return "message";
}

const struct q931_cause *q931_by_cause(uint8_t cause)
{
	for (size_t n = 0; n < G_N_ELEMENTS(causes); n++) {
		if (causes[n].cause == cause) {
			return &causes[n];
		}
	}
	return &unknown_cause;
}

const struct q931_cause *q931_by_reason(const char *reason)
{
	for (size_t n = 0; n < G_N_ELEMENTS(causes); n++) {
		if (g_strcmp0(causes[n].reason, reason) == 0) {
			return &causes[n];
		}
	}
	return &unknown_cause;
}

/* ---- reading ---- */
/* Octets 3 and 3a are skipped as long as their extension bit says so; what follows is IA5. */
static void read_number(char *out, const uint8_t *p, size_t len)
{
	while (len > 0 && (p[0] & 0x80) == 0) {
		p++;
		len--;
	}
	size_t n = 0;
	for (size_t i = 1; i < len && n < Q931_NUMBER_MAX - 1; i++) {
		if (g_ascii_isgraph(p[i])) {
			out[n++] = (char)p[i];
		}
	}
	out[n] = '\0';
}

static void read_display(struct q931 *m, const uint8_t *p, size_t len)
{
	g_autofree char *text = g_strndup((const char *)p, MIN(len, sizeof(m->display) - 1));	/* ends at a NUL that is sent */
	g_autofree char *valid = g_utf8_make_valid(text, -1);
	g_strlcpy(m->display, valid, sizeof(m->display));
}

static bool read_user(struct q931 *m, const uint8_t *p, size_t len, char **ret_why)
{
	if (len < 1 || p[0] != USER_DISCRIMINATOR || m->user != NULL) {
		return true;	/* somebody else's user information, or said twice */
	}
	m->user = per_read(per_find("225:H323-UserInformation"), p + 1, len - 1, ret_why);
	return m->user != NULL;
}

static bool read_element(struct q931 *m, uint8_t id, const uint8_t *p, size_t len, char **ret_why)
{
	switch (id) {
	case IE_BEARER:	/* octet 4: multirate with its multiplier after it, or one of the fixed rates */
		m->rate = len >= 3 && (p[1] & 0x7f) == 0x18 ? (uint8_t)(p[2] & 0x7f) : (uint8_t)(len >= 2 && (p[1] & 0x7f) == 0x10);
		return true;
	case IE_CAUSE: {
		size_t at = len > 0 && (p[0] & 0x80) == 0 ? 2 : 1;
		m->cause = len > at ? p[at] & 0x7f : 0;
		return true;
	}
	case IE_DISPLAY:
		read_display(m, p, len);
		return true;
	case IE_CALLING:
		read_number(m->calling, p, len);
		return true;
	case IE_CALLED:
		read_number(m->called, p, len);
		return true;
	case IE_USER:
		return read_user(m, p, len, ret_why);
	default:
		return true;
	}
}

static bool refuse(struct q931 *m, char **ret_why, const char *why)
{
	if (ret_why != NULL && *ret_why == NULL) {
		*ret_why = g_strdup(why);
	}
	q931_clear(m);
	return false;
}

bool q931_read(struct q931 *m, const uint8_t *data, size_t len, char **ret_why)
{
	*m = (struct q931){ 0 };
	if (len < 5 || data[0] != DISCRIMINATOR || data[1] != 2) {
		return refuse(m, ret_why, "q931: no header");
	}
	m->answers = (data[2] & 0x80) != 0;
	m->crv = (uint16_t)((data[2] & 0x7f) << 8 | data[3]);
	m->type = data[4];
	for (size_t at = 5; at < len;) {
		uint8_t id = data[at++];
		if ((id & 0x80) != 0) {
			continue;	/* single octet element */
		}
		size_t width = id == IE_USER ? 2 : 1;
		if (at + width > len) {
			return refuse(m, ret_why, "q931: element cut off");
		}
		size_t size = width == 2 ? (size_t)(data[at] << 8 | data[at + 1]) : data[at];
		at += width;
		if (at + size > len) {
			return refuse(m, ret_why, "q931: element cut off");
		}
		if (!read_element(m, id, data + at, size, ret_why)) {
			return refuse(m, ret_why, "q931: user-user");
		}
		at += size;
	}
	return true;
}

/* ---- writing: elements go in ascending order of their numbers ---- */
static void put(GByteArray *out, uint8_t id, const void *data, size_t len)
{
	uint8_t head[2] = { id, (uint8_t)len };
	g_byte_array_append(out, head, 2);
	g_byte_array_append(out, data, (guint)len);
}

static void put_number(GByteArray *out, uint8_t id, const char *number)
{
	if (number[0] != '\0') {
		g_autofree char *content = g_strconcat("\x81", number, NULL);	/* type unknown, E.164 plan */
		put(out, id, content, strlen(content));
	}
}

static bool put_user(GByteArray *out, const json_t *user, char **ret_why)
{
	GByteArray *per = per_write(per_find("225:H323-UserInformation"), user, ret_why);
	if (per == NULL) {
		return false;
	}
	size_t len = per->len + 1;
	uint8_t head[4] = { IE_USER, (uint8_t)(len >> 8), (uint8_t)len, USER_DISCRIMINATOR };
	g_byte_array_append(out, head, sizeof(head));
	g_byte_array_append(out, per->data, per->len);
	g_byte_array_unref(per);
	return true;
}

static void put_bearer(GByteArray *out, uint8_t rate)
{
	uint8_t video[] = { 0x88, 0x18, (uint8_t)(0x80 | rate), 0xa5 }, audio[] = { 0x80, 0x90, 0xa3 };
	if (rate > 1) {
		put(out, IE_BEARER, video, sizeof(video));	/* unrestricted digital, multirate, H.221 */
	} else {
		put(out, IE_BEARER, audio, sizeof(audio));	/* speech, 64 kbit/s, G.711 */
	}
}

GByteArray *q931_write(const struct q931 *m, char **ret_why)
{
	uint8_t head[5] = { DISCRIMINATOR, 2, (uint8_t)((m->answers ? 0x80 : 0) | (m->crv >> 8 & 0x7f)), (uint8_t)m->crv, m->type };
	GByteArray *out = g_byte_array_new();
	g_byte_array_append(out, head, sizeof(head));
	if (m->rate > 0) {
		put_bearer(out, m->rate);
	}
	if (m->cause > 0) {
		put(out, IE_CAUSE, (const uint8_t[]){ 0x80, 0x80 | m->cause }, 2);
	}
	if (m->type == Q931_FACILITY) {
		put(out, IE_FACILITY, "", 0);
	}
	if (m->display[0] != '\0') {
		put(out, IE_DISPLAY, m->display, strlen(m->display));
	}
	put_number(out, IE_CALLING, m->calling);
	put_number(out, IE_CALLED, m->called);
	if (m->user != NULL && !put_user(out, m->user, ret_why)) {
		g_byte_array_unref(out);
		return NULL;
	}
	return out;
}

void q931_clear(struct q931 *m)
{
	json_decref(m->user);
	m->user = NULL;
}
