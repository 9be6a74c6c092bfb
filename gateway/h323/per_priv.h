/* Aligned basic PER (X.691) of H.225.0, H.235.0 and H.245, driven by tables (asn/h323.schema). Values are JSON:
 *   SEQUENCE {"member": value, ..}, "_extCount" = size of the addition bitmap as it stood, "_unknown" = [[index, "0x.."], ..]
 *   CHOICE {"alternative": value}, {"_unknown": [index, "0x.."]} of a later version; ENUMERATED "word"; NULL null
 *   INTEGER number; OCTET STRING "0x.."; BIT STRING "0b.."; OBJECT IDENTIFIER "0.0.8"; character strings as text (octets over
 *   127 as Latin-1); SEQUENCE OF [..]; an open type is the value inside.
 * What reads writes back byte for byte, except trailing octets inside of open types. Pure, any thread. */
#pragma once
#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mcu/base/json.h"

enum per_kind { PER_NULL, PER_BOOL, PER_INT, PER_ENUM, PER_OCTETS, PER_BITS, PER_OID, PER_STRING, PER_GENERAL, PER_SEQ, PER_CHO,
		PER_OF, PER_OPEN, PER_KIND_N };
enum { PER_EXT = 1, PER_NO_HI = 2 /* INTEGER (lo..MAX) */, PER_FREE = 4 /* INTEGER */ };
struct per_type {
	const char *name;
	uint8_t kind, flags, bits;	/* bits of a character */
	uint16_t n_root, n_add, first, elem;	/* first: into per_fields; elem: of OF and OPEN */
	int64_t lo, hi;			/* value, or SIZE with hi -1 = none */
	const char *alphabet;		/* in order of codes; NULL = codes as they are */
};
struct per_field { const char *name; uint16_t type; bool optional; };
extern const struct per_type per_types[];
extern const unsigned per_n_types;
extern const struct per_field per_fields[];

#define PER_PDU_MAX   65535
#define PER_DEPTH_MAX 48	/* the deepest value of the captures has 17 */
#define PER_NODES_MAX 20000

const struct per_type *per_find(const char *name);	/* "225:RasMessage"; NULL */
/* (transfer full); NULL + *ret_why (transfer full, may be NULL): "225:Setup-UUIE.conferenceID: cut off". */
json_t *per_read(const struct per_type *type, const uint8_t *data, size_t len, char **ret_why);
GByteArray *per_write(const struct per_type *type, const json_t *value, char **ret_why);

/* ---- bits ---- */
struct per_in { const uint8_t *data; size_t n_bits, at; bool cut; };	/* cut: read past the end; zeros since */
uint64_t per_get(struct per_in *in, unsigned bits);	/* at most 64 */
void per_in_align(struct per_in *in);
struct per_out { GByteArray *bytes; unsigned used; };	/* used: bits of the last byte, 0 = aligned */
void per_put(struct per_out *out, uint64_t value, unsigned bits);
void per_out_align(struct per_out *out);
void per_put_octets(struct per_out *out, const uint8_t *data, size_t len);	/* wherever the bits stand */
unsigned per_bits_for(uint64_t range);	/* bits that hold 0 .. range-1 */

/* ---- lengths: X.691 10.9; range of SIZE, 0 = unconstrained ---- */
uint64_t per_get_within(struct per_in *in, uint64_t range);	/* constrained whole number, range >= 1 */
void per_put_within(struct per_out *out, uint64_t value, uint64_t range);
size_t per_get_length(struct per_in *in, bool *ret_more);	/* more: a fragment, another length follows */
size_t per_put_length(struct per_out *out, size_t len);		/* returns how many items go under this length */
uint64_t per_get_small(struct per_in *in);	/* normally small number */
void per_put_small(struct per_out *out, uint64_t value);
/* Is the body of a string aligned? bits: of one item. X.691 15.7, 16.7, 27.5 */
bool per_is_aligned(const struct per_type *t, unsigned bits);
