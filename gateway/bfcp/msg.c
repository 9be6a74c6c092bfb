/* Reader and writer of BFCP messages. What is known of attributes and primitives is in the tables. */
#include "gateway/bfcp/msg_priv.h"

#include <errno.h>
#include <glib.h>
#include <string.h>

enum kind { NO_KIND, U16, PAIR, OCTETS, TEXT, GROUP };
enum { MOST_TYPES = 19, ATTR_HEADER = 2, LONGEST_VALUE = 253, F_BIT = 0x08, R_BIT = 0x10 };

static const struct { const char *name; enum kind kind; } attrs[MOST_TYPES] = {
#define X(id, number, name, kind) [number] = { name, kind },
#include "gateway/bfcp/attrs.def"
#undef X
};
static const struct { const char *name; uint8_t answer; } prims[BFCP_P_N] = {
#define X(id, number, name, answer) [number] = { name, answer },
#include "gateway/bfcp/prims.def"
#undef X
};

const char *bfcp_attr_name(unsigned type)
{
	return type < MOST_TYPES ? attrs[type].name : NULL;
}

const char *bfcp_prim_name(unsigned prim)
{
	return prim < BFCP_P_N ? prims[prim].name : NULL;
}

uint8_t bfcp_answer_of(unsigned prim)
{
	return prim < BFCP_P_N ? prims[prim].answer : 0;
}

static uint16_t get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static void put16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

/* ---- reading ---- */
static int parse_attrs(struct bfcp_msg *m, const uint8_t *p, size_t len, unsigned depth);

static void note_unknown(struct bfcp_msg *m, uint8_t type)
{
	if (m->n_unknown < BFCP_MOST_UNKNOWN) {
		m->unknown[m->n_unknown++] = type;
	}
}

/* `p` behind the two octets of header. */
static int parse_value(struct bfcp_msg *m, const uint8_t *p, struct bfcp_attr *a)
{
	enum kind kind = a->type < MOST_TYPES ? attrs[a->type].kind : NO_KIND;

	a->value = p;
	switch (kind) {
	case NO_KIND:
		if (a->mandatory) {
			note_unknown(m, a->type);
		}
		return 0;
	case U16:
	case PAIR:
		if (a->len != 2) {
			return -EBADMSG;
		}
		a->number = get16(p);
		return 0;
	case GROUP:
		if (a->len < 2) {
			return -EBADMSG;
		}
		a->number = get16(p);
		a->value = p + 2;
		a->len -= 2;
		return parse_attrs(m, a->value, a->len, a->depth + 1u);
	default:
		return a->type != BFCP_A_ERROR_CODE || a->len > 0 ? 0 : -EBADMSG;
	}
}

static int parse_attrs(struct bfcp_msg *m, const uint8_t *p, size_t len, unsigned depth)
{
	size_t at = 0;

	if (depth >= BFCP_DEPTH) {
		return len > 0 ? -EBADMSG : 0;
	}
	while (at < len) {
		struct bfcp_attr *a = &m->attrs[m->n_attrs];
		unsigned whole;
		int r;

		if (len - at < ATTR_HEADER || m->n_attrs == BFCP_MOST_ATTRS) {
			return -EBADMSG;
		}
		whole = p[at + 1];
		if (whole < ATTR_HEADER || whole > len - at) {
			return -EBADMSG;
		}
		*a = (struct bfcp_attr){ .type = p[at] >> 1, .mandatory = p[at] & 1, .depth = (uint8_t)depth,
					 .len = (uint8_t)(whole - ATTR_HEADER) };
		m->n_attrs++;
		r = parse_value(m, p + at + ATTR_HEADER, a);
		if (r < 0) {
			return r;
		}
		at += (whole + 3) & ~3u;	/* the padding of the last one may be missing in a group */
	}
	return 0;
}

static void parse_header(const uint8_t *p, struct bfcp_msg *m)
{
	*m = (struct bfcp_msg){ .version = p[0] >> 5, .response = (p[0] & R_BIT) != 0, .fragment = (p[0] & F_BIT) != 0,
				.prim = p[1], .words = get16(p + 2), .tid = get16(p + 8), .user = get16(p + 10) };
	m->conference = (uint32_t)get16(p + 4) << 16 | get16(p + 6);
}

int bfcp_parse(const uint8_t *data, size_t len, struct bfcp_msg *ret)
{
	memset(ret, 0, sizeof(*ret));
	if (len < BFCP_HEADER) {
		return -EBADMSG;
	}
	parse_header(data, ret);
	if (ret->version != 1 && ret->version != 2) {
		return -EPROTONOSUPPORT;
	}
	if (len > BFCP_LONGEST || 4u * ret->words > BFCP_LONGEST - BFCP_HEADER) {
		return -EMSGSIZE;
	}
	if (ret->fragment) {	/* RFC 8855 5.1: two more fields, and words of the whole */
		if (ret->version != 2 || len < BFCP_HEADER + 4) {
			return -EBADMSG;
		}
		ret->offset = get16(data + 12);
		ret->piece = get16(data + 14);
		return len == BFCP_HEADER + 4 + 4u * ret->piece && ret->offset + ret->piece <= ret->words ? 0 : -EMSGSIZE;
	}
	if (len != BFCP_HEADER + 4u * ret->words) {
		return -EMSGSIZE;
	}
	return parse_attrs(ret, data + BFCP_HEADER, len - BFCP_HEADER, 0);
}

int bfcp_frame(const uint8_t *data, size_t len)
{
	unsigned whole;

	if (len < BFCP_HEADER) {
		return 0;
	}
	whole = BFCP_HEADER + 4u * get16(data + 2);
	return whole <= BFCP_LONGEST ? (int)whole : -EMSGSIZE;
}

const struct bfcp_attr *bfcp_find(const struct bfcp_msg *msg, const struct bfcp_attr *group, uint8_t type,
				  const struct bfcp_attr *after)
{
	const struct bfcp_attr *end = msg->attrs + msg->n_attrs, *a = group ? group + 1 : msg->attrs;
	unsigned depth = group ? group->depth + 1u : 0;

	for (a = after ? after + 1 : a; a < end && a->depth >= depth; a++) {
		if (a->depth == depth && a->type == type) {
			return a;
		}
	}
	return NULL;
}

/* ---- writing ---- */
static uint8_t *grow(struct bfcp_out *o, size_t n)
{
	uint8_t *at = o->data + o->len;

	if (o->over || n > sizeof(o->data) - o->len) {
		o->over = true;
		return NULL;
	}
	memset(at, 0, n);
	o->len += n;
	return at;
}

void bfcp_begin(struct bfcp_out *o, unsigned version, bool response, unsigned prim, uint32_t conference, uint16_t tid,
		uint16_t user)
{
	uint8_t *p;

	o->len = 0;
	o->over = false;
	p = grow(o, BFCP_HEADER);
	p[0] = (uint8_t)(version << 5 | (response && version > 1 ? R_BIT : 0));
	p[1] = (uint8_t)prim;
	put16(p + 4, conference >> 16);
	put16(p + 6, conference & 0xffff);
	put16(p + 8, tid);
	put16(p + 10, user);
}

void bfcp_put_octets(struct bfcp_out *o, unsigned type, const uint8_t *value, size_t len)
{
	uint8_t *p = len <= LONGEST_VALUE ? grow(o, (ATTR_HEADER + len + 3) & ~(size_t)3) : NULL;

	if (p == NULL) {
		o->over = true;
		return;
	}
	p[0] = (uint8_t)(type << 1);
	p[1] = (uint8_t)(ATTR_HEADER + len);
	if (len > 0) {
		memcpy(p + ATTR_HEADER, value, len);
	}
}

void bfcp_put_u16(struct bfcp_out *o, unsigned type, uint16_t value)
{
	bfcp_put_pair(o, type, (uint8_t)(value >> 8), (uint8_t)value);
}

void bfcp_put_pair(struct bfcp_out *o, unsigned type, uint8_t first, uint8_t second)
{
	bfcp_put_octets(o, type, (const uint8_t[]){ first, second }, 2);
}

void bfcp_put_text(struct bfcp_out *o, unsigned type, const char *text)
{
	size_t n = text ? strlen(text) : 0;

	if (n == 0) {
		return;
	}
	if (n > 100) {	/* groups have 255 octets in all */
		n = 100;
		while (n > 0 && ((uint8_t)text[n] & 0xc0) == 0x80) {
			n--;
		}
	}
	bfcp_put_octets(o, type, (const uint8_t *)text, n);
}

size_t bfcp_open_group(struct bfcp_out *o, unsigned type, uint16_t number)
{
	size_t at = o->len;

	bfcp_put_u16(o, type, number);
	return at;
}

void bfcp_close_group(struct bfcp_out *o, size_t group)
{
	size_t n = o->len - group;

	if (n > 255) {
		o->over = true;
		return;
	}
	o->data[group + 1] = (uint8_t)n;
}

void bfcp_end(struct bfcp_out *o)
{
	put16(o->data + 2, (unsigned)(o->len - BFCP_HEADER) / 4);
}

void bfcp_put_supported(struct bfcp_out *o)
{
	static const uint8_t primitives[] = {
#define X(id, number, name, answer) number,
#include "gateway/bfcp/prims.def"
#undef X
	};
	static const uint8_t types[] = {	/* seven bits and a reserved one, RFC 8855 5.2.10 */
#define X(id, number, name, kind) number << 1,
#include "gateway/bfcp/attrs.def"
#undef X
	};

	bfcp_put_octets(o, BFCP_A_SUPPORTED_PRIMITIVES, primitives, sizeof(primitives));
	bfcp_put_octets(o, BFCP_A_SUPPORTED_ATTRIBUTES, types, sizeof(types));
}
