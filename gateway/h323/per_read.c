/* Aligned PER -> JSON. Every count is held against what is left to read, nesting and the number of values are limited: a
 * SEQUENCE OF NULL could claim 65,535 elements for free. */
#include <string.h>

#include "gateway/h323/per_priv.h"

struct reader { struct per_in in; unsigned depth, nodes; GString *path; const char *why; };

static json_t *read_value(struct reader *r, const struct per_type *t);

static json_t *fail(struct reader *r, const char *why)
{
	r->why = r->why != NULL ? r->why : why;
	return NULL;
}

static bool cut(struct reader *r)
{
	if (r->in.cut) {
		(void)fail(r, "cut off");
	}
	return r->in.cut;
}

/* ---- lengths of strings and lists ---- */
static size_t get_size(struct reader *r, const struct per_type *t, bool *ret_more)
{
	*ret_more = false;
	if (t->hi < 0 || t->hi >= 65536) {
		return per_get_length(&r->in, ret_more);
	}
	return (size_t)t->lo + per_get_within(&r->in, (uint64_t)(t->hi - t->lo) + 1);
}

static size_t left_bits(const struct reader *r)
{
	return r->in.n_bits - r->in.at;
}

/* Items of `bits` each, all fragments, as 32-bit codes. */
static GArray *get_items(struct reader *r, const struct per_type *t, unsigned bits)
{
	GArray *items = g_array_new(FALSE, FALSE, sizeof(uint32_t));
	bool more;
	do {
		size_t n = get_size(r, t, &more);
		if (n > 0 && per_is_aligned(t, bits)) {
			per_in_align(&r->in);
		}
		if (r->in.cut || n * bits > left_bits(r)) {
			r->in.cut = true;
			break;
		}
		for (size_t k = 0; k < n; k++) {
			uint32_t code = (uint32_t)per_get(&r->in, bits);
			g_array_append_val(items, code);
		}
	} while (more && !r->in.cut);
	return items;
}

static json_t *read_hex(struct reader *r, const struct per_type *t)
{
	g_autoptr(GArray) items = get_items(r, t, 8);
	g_autoptr(GString) hex = g_string_new("0x");
	for (guint n = 0; n < items->len; n++) {
		g_string_append_printf(hex, "%02x", g_array_index(items, uint32_t, n));
	}
	return cut(r) ? NULL : json_string(hex->str);
}

static json_t *read_bits(struct reader *r, const struct per_type *t)
{
	g_autoptr(GArray) items = get_items(r, t, 1);
	g_autoptr(GString) text = g_string_new("0b");
	for (guint n = 0; n < items->len; n++) {
		g_string_append_c(text, g_array_index(items, uint32_t, n) ? '1' : '0');
	}
	return cut(r) ? NULL : json_string(text->str);
}

/* UTF-16 units -> code point; a lone surrogate becomes U+FFFD, it has no place in UTF-8. */
static gunichar next_char(const GArray *items, guint *at)
{
	uint32_t unit = g_array_index(items, uint32_t, (*at)++);
	uint32_t low = *at < items->len ? g_array_index(items, uint32_t, *at) : 0;
	if (unit >= 0xD800 && unit < 0xDC00 && low >= 0xDC00 && low < 0xE000) {
		(*at)++;
		return 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
	}
	return unit >= 0xD800 && unit < 0xE000 ? 0xFFFD : unit;
}

static json_t *read_text(struct reader *r, const struct per_type *t)
{
	g_autoptr(GArray) items = get_items(r, t, t->kind == PER_GENERAL ? 8 : t->bits);
	g_autoptr(GString) text = g_string_new(NULL);
	size_t letters = t->alphabet != NULL ? strlen(t->alphabet) : 0;
	for (guint n = 0; n < items->len && !r->in.cut;) {
		gunichar c = next_char(items, &n);
		if (letters != 0 && c >= letters) {
			return fail(r, "a character that is not of the alphabet");
		}
		g_string_append_unichar(text, letters != 0 ? (gunichar)t->alphabet[c] : c);
	}
	return cut(r) ? NULL : json_stringn(text->str, text->len);
}

/* ---- numbers ---- */
static json_t *read_octet_int(struct reader *r, bool is_signed, int64_t base)
{
	bool more;
	size_t octets = per_get_length(&r->in, &more);
	if (more || octets < 1 || octets > 8) {
		return cut(r) ? NULL : fail(r, "a number of more than 64 bits");
	}
	uint64_t value = per_get(&r->in, (unsigned)octets * 8);
	if (is_signed && octets < 8 && value >> (octets * 8 - 1) != 0) {
		value -= UINT64_C(1) << (octets * 8);
	}
	return cut(r) ? NULL : json_integer((json_int_t)(value + (uint64_t)base));
}

static json_t *read_int(struct reader *r, const struct per_type *t)
{
	if ((t->flags & PER_FREE) || ((t->flags & PER_EXT) && per_get(&r->in, 1) != 0)) {
		return read_octet_int(r, true, 0);
	}
	if (t->flags & PER_NO_HI) {
		return read_octet_int(r, false, t->lo);
	}
	uint64_t value = per_get_within(&r->in, (uint64_t)(t->hi - t->lo) + 1);
	return cut(r) ? NULL : json_integer(t->lo + (json_int_t)value);
}

static json_t *read_oid(struct reader *r)
{
	g_autoptr(GString) text = g_string_new(NULL);
	bool more;
	size_t octets = per_get_length(&r->in, &more);
	uint64_t arc = 0;
	if (more || octets < 1 || octets * 8 > left_bits(r)) {
		return fail(r, "an object identifier that is no such");
	}
	for (size_t n = 0; n < octets; n++) {
		unsigned byte = (unsigned)per_get(&r->in, 8);
		if (arc >> 56 != 0) {
			return fail(r, "an arc of more than 63 bits");
		}
		arc = arc << 7 | (byte & 0x7F);
		if (byte & 0x80) {
			continue;
		}
		if (text->len == 0) {
			uint64_t top = MIN(arc / 40, 2);
			g_string_printf(text, "%u", (unsigned)top);
			arc -= top * 40;
		}
		g_string_append_printf(text, ".%" G_GUINT64_FORMAT, arc);
		arc = 0;
	}
	return cut(r) ? NULL : json_string(text->str);
}

/* ---- open types ---- */
/* The body of an open type, all fragments; NULL when it is cut off. */
static GByteArray *get_open(struct reader *r)
{
	GByteArray *body = g_byte_array_new();
	bool more;
	do {
		size_t n = per_get_length(&r->in, &more);
		if (r->in.cut || n * 8 > left_bits(r)) {
			r->in.cut = true;
			break;
		}
		g_byte_array_append(body, r->in.data + r->in.at / 8, (guint)n);
		r->in.at += n * 8;
	} while (more);
	if (cut(r)) {
		g_clear_pointer(&body, g_byte_array_unref);
	}
	return body;
}

/* Alignment begins anew inside; what is longer than we know is of a later version and let pass. */
static json_t *read_open(struct reader *r, const struct per_type *t)
{
	g_autoptr(GByteArray) body = get_open(r);
	if (body == NULL) {
		return NULL;
	}
	struct per_in outside = r->in;
	r->in = (struct per_in){ body->data, (size_t)body->len * 8, 0, false };
	json_t *value = read_value(r, t);
	r->in = outside;
	return value;
}

static json_t *read_unknown(struct reader *r, uint64_t index)
{
	g_autoptr(GByteArray) body = get_open(r);
	g_autoptr(GString) hex = g_string_new("0x");
	for (guint n = 0; body != NULL && n < body->len; n++) {
		g_string_append_printf(hex, "%02x", body->data[n]);
	}
	return body != NULL ? json_pack("[I,s]", (json_int_t)index, hex->str) : NULL;
}

/* ---- structures ---- */
/* Takes value; false = reading failed. */
static bool put_member(json_t *object, const char *name, json_t *value)
{
	if (value != NULL) {
		json_object_set_new(object, name, value);
	}
	return value != NULL;
}

static json_t *read_field(struct reader *r, const struct per_field *f, bool open)
{
	gsize len = r->path->len;
	g_string_append_printf(r->path, ".%s", f->name);
	json_t *value = open ? read_open(r, &per_types[f->type]) : read_value(r, &per_types[f->type]);
	if (value != NULL) {
		g_string_truncate(r->path, len);
	}
	return value;
}

static bool read_additions(struct reader *r, const struct per_type *t, json_t *object)
{
	bool more = false, large = per_get(&r->in, 1) != 0;
	size_t count = large ? per_get_length(&r->in, &more) : per_get(&r->in, 6) + 1;
	g_autoptr(json_t) unknown = json_array();
	if (more || count > left_bits(r) || count > 256) {
		(void)fail(r, "more additions than any version has");
		return false;
	}
	bool present[256];
	for (size_t n = 0; n < count; n++) {
		present[n] = per_get(&r->in, 1) != 0;
	}
	for (size_t n = 0; n < count; n++) {
		if (!present[n]) {
			continue;
		}
		const struct per_field *f = n < t->n_add ? &per_fields[t->first + t->n_root + n] : NULL;
		json_t *value = f != NULL ? read_field(r, f, true) : read_unknown(r, n);
		if (value == NULL) {
			return false;
		}
		if (f != NULL) {
			json_object_set_new(object, f->name, value);
		} else {
			json_array_append_new(unknown, value);
		}
	}
	json_object_set_new(object, "_extCount", json_integer((json_int_t)count));
	if (json_array_size(unknown) > 0) {
		json_object_set(object, "_unknown", unknown);
	}
	return true;
}

static json_t *read_seq(struct reader *r, const struct per_type *t)
{
	g_autoptr(json_t) object = json_object();
	bool extended = (t->flags & PER_EXT) && per_get(&r->in, 1) != 0;
	uint64_t present = 0;
	for (unsigned n = 0; n < t->n_root; n++) {
		const struct per_field *f = &per_fields[t->first + n];
		present |= (uint64_t)(!f->optional || per_get(&r->in, 1) != 0) << n;
	}
	for (unsigned n = 0; n < t->n_root; n++) {
		const struct per_field *f = &per_fields[t->first + n];
		if ((present >> n & 1) != 0 && !put_member(object, f->name, read_field(r, f, false))) {
			return NULL;
		}
	}
	if (extended && !read_additions(r, t, object)) {
		return NULL;
	}
	return cut(r) ? NULL : json_incref(object);
}

static json_t *read_choice(struct reader *r, const struct per_type *t)
{
	bool extended = (t->flags & PER_EXT) && per_get(&r->in, 1) != 0;
	uint64_t index = extended ? per_get_small(&r->in) : per_get_within(&r->in, t->n_root);
	g_autoptr(json_t) object = json_object();
	if (cut(r)) {
		return NULL;
	}
	if (extended && index >= t->n_add) {
		return put_member(object, "_unknown", read_unknown(r, index)) ? json_incref(object) : NULL;
	}
	const struct per_field *f = &per_fields[t->first + (extended ? t->n_root : 0) + index];
	return put_member(object, f->name, read_field(r, f, extended)) ? json_incref(object) : NULL;
}

static json_t *read_enum(struct reader *r, const struct per_type *t)
{
	bool extended = (t->flags & PER_EXT) && per_get(&r->in, 1) != 0;
	uint64_t index = extended ? per_get_small(&r->in) : per_get_within(&r->in, t->n_root);
	if (cut(r)) {
		return NULL;
	}
	if (extended && index >= t->n_add) {
		return json_pack("{s:I}", "_unknown", (json_int_t)index);
	}
	return json_string(per_fields[t->first + (extended ? t->n_root : 0) + index].name);
}

static json_t *read_list(struct reader *r, const struct per_type *t)
{
	g_autoptr(json_t) list = json_array();
	bool more;
	do {
		size_t n = get_size(r, t, &more);
		for (size_t k = 0; k < n && !r->in.cut; k++) {
			json_t *value = read_value(r, &per_types[t->elem]);
			if (value == NULL) {
				return NULL;
			}
			json_array_append_new(list, value);
		}
	} while (more && !r->in.cut);
	return cut(r) ? NULL : json_incref(list);
}

static json_t *read_kind(struct reader *r, const struct per_type *t)
{
	switch ((enum per_kind)t->kind) {
	case PER_NULL: return json_null();
	case PER_BOOL: return json_boolean(per_get(&r->in, 1) != 0);
	case PER_INT: return read_int(r, t);
	case PER_ENUM: return read_enum(r, t);
	case PER_OCTETS: return read_hex(r, t);
	case PER_BITS: return read_bits(r, t);
	case PER_OID: return read_oid(r);
	case PER_STRING:
	case PER_GENERAL: return read_text(r, t);
	case PER_SEQ: return read_seq(r, t);
	case PER_CHO: return read_choice(r, t);
	case PER_OF: return read_list(r, t);
	case PER_OPEN: return read_open(r, &per_types[t->elem]);
	case PER_KIND_N: break;
	}
	return fail(r, "no such kind");
}

static json_t *read_value(struct reader *r, const struct per_type *t)
{
	if (r->depth >= PER_DEPTH_MAX || r->nodes >= PER_NODES_MAX) {
		return fail(r, r->depth >= PER_DEPTH_MAX ? "nested too deep" : "too many values");
	}
	r->depth++;
	r->nodes++;
	json_t *value = read_kind(r, t);
	if (value != NULL && r->in.cut) {
		(void)fail(r, "cut off");
		json_decref(value);
		value = NULL;
	}
	r->depth--;
	return value;
}

json_t *per_read(const struct per_type *type, const uint8_t *data, size_t len, char **ret_why)
{
	struct reader r = { .in = { data, len * 8, 0, false }, .path = g_string_new(type->name) };
	json_t *value = len <= PER_PDU_MAX ? read_value(&r, type) : fail(&r, "longer than 65,535 octets");
	if (value == NULL && ret_why != NULL) {
		*ret_why = g_strdup_printf("%s: %s", r.path->str, r.why != NULL ? r.why : "cut off");
	}
	g_string_free(r.path, TRUE);
	return value;
}

const struct per_type *per_find(const char *name)
{
	for (unsigned n = 0; n < per_n_types; n++) {
		if (strcmp(per_types[n].name, name) == 0) {
			return &per_types[n];
		}
	}
	return NULL;
}
