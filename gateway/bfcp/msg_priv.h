/* BFCP messages as bytes (RFC 8855 5): reader and writer with limits. Pure, any thread. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { BFCP_LONGEST = 1500, BFCP_MOST_ATTRS = 64, BFCP_DEPTH = 3, BFCP_HEADER = 12, BFCP_MOST_UNKNOWN = 16 };

enum bfcp_attr_type {
#define X(id, number, ...) BFCP_A_##id = number,
#include "gateway/bfcp/attrs.def"
#undef X
};
enum bfcp_prim {
#define X(id, number, ...) BFCP_P_##id = number,
#include "gateway/bfcp/prims.def"
#undef X
	BFCP_P_N
};
enum bfcp_error {	/* RFC 8855 5.2.6 */
	BFCP_E_CONFERENCE = 1, BFCP_E_USER, BFCP_E_PRIMITIVE, BFCP_E_ATTRIBUTE, BFCP_E_UNAUTHORIZED, BFCP_E_FLOOR,
	BFCP_E_REQUEST, BFCP_E_TOO_MANY, BFCP_E_USE_TLS, BFCP_E_PARSE, BFCP_E_USE_DTLS, BFCP_E_VERSION, BFCP_E_LENGTH,
	BFCP_E_GENERIC,
};

/* In the order of the bytes; a group is followed by what is inside, one deeper. Pointers lead into the message. */
struct bfcp_attr {
	uint8_t type, depth, len;	/* len of the value; of a group, without its number */
	bool mandatory;
	uint16_t number;	/* of U16, PAIR (both octets) and GROUP */
	const uint8_t *value;
};
struct bfcp_msg {
	uint8_t version;
	bool response;		/* R bit; version 2 only */
	bool fragment;		/* a piece: no attributes read */
	uint16_t offset, piece;	/* of it, in words */
	uint8_t prim;
	uint16_t words, tid, user;	/* words: payload of the whole message */
	uint32_t conference;
	struct bfcp_attr attrs[BFCP_MOST_ATTRS];
	unsigned n_attrs;
	uint8_t unknown[BFCP_MOST_UNKNOWN];	/* mandatory types that no row names */
	unsigned n_unknown;
};
/* 0; -EBADMSG: broken (the header is read as far as it goes, prim 0 = not even that); -EMSGSIZE: its length is not that of
 * the datagram; -EPROTONOSUPPORT: a version that is not ours. */
int bfcp_parse(const uint8_t *data, size_t len, struct bfcp_msg *ret);
/* Bytes that the message at `data` takes in a stream; 0 = header not yet whole, -EMSGSIZE = longer than we read. */
int bfcp_frame(const uint8_t *data, size_t len);
/* First of a type inside of `group` (NULL = top), behind `after` (NULL = the first); NULL = none. */
const struct bfcp_attr *bfcp_find(const struct bfcp_msg *msg, const struct bfcp_attr *group, uint8_t type,
				  const struct bfcp_attr *after);
const char *bfcp_attr_name(unsigned type);	/* NULL = no row */
const char *bfcp_prim_name(unsigned prim);
uint8_t bfcp_answer_of(unsigned prim);	/* primitive that answers it, 0 = none */

/* Writer: what does not fit sets `over`. */
struct bfcp_out { uint8_t data[BFCP_LONGEST]; size_t len; bool over; };
void bfcp_begin(struct bfcp_out *o, unsigned version, bool response, unsigned prim, uint32_t conference, uint16_t tid,
		uint16_t user);
void bfcp_put_u16(struct bfcp_out *o, unsigned type, uint16_t value);
void bfcp_put_pair(struct bfcp_out *o, unsigned type, uint8_t first, uint8_t second);
void bfcp_put_octets(struct bfcp_out *o, unsigned type, const uint8_t *value, size_t len);
void bfcp_put_text(struct bfcp_out *o, unsigned type, const char *text);	/* cut at a character; NULL = nothing */
size_t bfcp_open_group(struct bfcp_out *o, unsigned type, uint16_t number);	/* for bfcp_close_group() */
void bfcp_close_group(struct bfcp_out *o, size_t group);
void bfcp_end(struct bfcp_out *o);	/* writes the length */
void bfcp_put_supported(struct bfcp_out *o);	/* both lists of a HelloAck */
