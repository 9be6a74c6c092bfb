/* JSON -> aligned PER. What a value lacks or has wrong is told by its path; nothing wrong is ever written. */
#include <string.h>

#include "gateway/h323/per_priv.h"

struct writer { struct per_out out; unsigned depth; GString *path; const char *why; };

static bool write_value(struct writer *w, const struct per_type *t, const json_t *v);

static bool fail(struct writer *w, const char *why)
{
	w->why = w->why != NULL ? w->why : why;
	return false;
}

/* ---- strings and lists ---- */
static bool size_ok(const struct per_type *t, size_t n)
{
	return n >= (size_t)t->lo && (t->hi < 0 || n <= (size_t)t->hi);
}

/* Puts the length, or the part of it that one length can say; returns how many items it covers. */
static size_t put_size(struct writer *w, const struct per_type *t, size_t n)
{
	if (t->hi < 0 || t->hi >= 65536) {
		return per_put_length(&w->out, n);
	}
	per_put_within(&w->out, n - (size_t)t->lo, (uint64_t)(t->hi - t->lo) + 1);
	return n;
}

static bool put_items(struct writer *w, const struct per_type *t, unsigned bits, const GArray *items)
{
	size_t done = 0, part;
	if (!size_ok(t, items->len)) {
		return fail(w, "its size is out of range");
	}
	do {
		part = put_size(w, t, items->len - done);
		if (part > 0 && per_is_aligned(t, bits)) {
			per_out_align(&w->out);
		}
		for (size_t n = 0; n < part; n++) {
			per_put(&w->out, g_array_index(items, uint32_t, done + n), bits);
		}
		done += part;
	} while (t->hi < 0 && part >= 16384);	/* after whole fragments a last length follows, perhaps 0 */
	return true;
}

static bool write_hex(struct writer *w, const struct per_type *t, const json_t *v)
{
	const char *text = json_string_value(v);
	g_autoptr(GArray) items = g_array_new(FALSE, FALSE, sizeof(uint32_t));
	if (text == NULL || strncmp(text, "0x", 2) != 0 || strlen(text) % 2 != 0) {
		return fail(w, "not \"0x..\"");
	}
	for (text += 2; text[0] != '\0'; text += 2) {
		int high = g_ascii_xdigit_value(text[0]), low = g_ascii_xdigit_value(text[1]);
		uint32_t octet = (uint32_t)(high << 4 | low);
		if (high < 0 || low < 0) {
			return fail(w, "not \"0x..\"");
		}
		g_array_append_val(items, octet);
	}
	return put_items(w, t, 8, items);
}

static bool write_bits(struct writer *w, const struct per_type *t, const json_t *v)
{
	const char *text = json_string_value(v);
	g_autoptr(GArray) items = g_array_new(FALSE, FALSE, sizeof(uint32_t));
	if (text == NULL || strncmp(text, "0b", 2) != 0 || strspn(text + 2, "01") != strlen(text + 2)) {
		return fail(w, "not \"0b..\"");
	}
	for (text += 2; text[0] != '\0'; text++) {
		uint32_t bit = text[0] == '1';
		g_array_append_val(items, bit);
	}
	return put_items(w, t, 1, items);
}

static bool add_char(struct writer *w, const struct per_type *t, gunichar c, GArray *items)
{
	unsigned bits = t->kind == PER_GENERAL ? 8 : t->bits;
	uint32_t code = c;
	if (t->alphabet != NULL) {
		const char *at = c < 128 && c != 0 ? strchr(t->alphabet, (int)c) : NULL;
		code = at != NULL ? (uint32_t)(at - t->alphabet) : UINT32_MAX;
	}
	if (bits == 16 && c >= 0x10000) {
		uint32_t high = 0xD800 + ((c - 0x10000) >> 10);
		g_array_append_val(items, high);
		code = 0xDC00 + ((c - 0x10000) & 0x3FF);
	}
	if (code >> bits != 0) {
		return fail(w, "a character that is not of the alphabet");
	}
	g_array_append_val(items, code);
	return true;
}

static bool write_text(struct writer *w, const struct per_type *t, const json_t *v)
{
	const char *text = json_string_value(v);
	g_autoptr(GArray) items = g_array_new(FALSE, FALSE, sizeof(uint32_t));
	if (text == NULL) {
		return fail(w, "not text");
	}
	for (const char *end = text + json_string_length(v); text < end; text = g_utf8_next_char(text)) {
		if (!add_char(w, t, g_utf8_get_char(text), items)) {
			return false;
		}
	}
	return put_items(w, t, t->kind == PER_GENERAL ? 8 : t->bits, items);
}

static bool write_list(struct writer *w, const struct per_type *t, const json_t *v)
{
	size_t n = json_array_size(v), done = 0, part;
	if (!json_is_array(v) || !size_ok(t, n)) {
		return fail(w, "not a list of such a size");
	}
	do {
		part = put_size(w, t, n - done);
		for (size_t k = 0; k < part; k++) {
			if (!write_value(w, &per_types[t->elem], json_array_get(v, done + k))) {
				return false;
			}
		}
		done += part;
	} while (t->hi < 0 && part >= 16384);
	return true;
}

/* ---- numbers ---- */
static void put_octet_int(struct writer *w, uint64_t value, unsigned octets)
{
	(void)per_put_length(&w->out, octets);
	per_put(&w->out, value, octets * 8);
}

static unsigned signed_octets(int64_t v)
{
	unsigned n = 1;
	while (n < 8 && (v < -(INT64_C(1) << (n * 8 - 1)) || v >= INT64_C(1) << (n * 8 - 1))) {
		n++;
	}
	return n;
}

static bool write_int(struct writer *w, const struct per_type *t, const json_t *v)
{
	int64_t value = json_integer_value(v);
	bool within = value >= t->lo && ((t->flags & PER_NO_HI) || value <= t->hi);
	if (!json_is_integer(v)) {
		return fail(w, "not a number");
	}
	if (t->flags & PER_EXT) {
		per_put(&w->out, !within, 1);
	}
	if ((t->flags & PER_FREE) || ((t->flags & PER_EXT) && !within)) {
		put_octet_int(w, (uint64_t)value, signed_octets(value));
	} else if (!within) {
		return fail(w, "a number out of range");
	} else if (t->flags & PER_NO_HI) {
		uint64_t above = (uint64_t)(value - t->lo);
		put_octet_int(w, above, MAX((per_bits_for(above + 1) + 7) / 8, 1));
	} else {
		per_put_within(&w->out, (uint64_t)(value - t->lo), (uint64_t)(t->hi - t->lo) + 1);
	}
	return true;
}

static void put_arc(GByteArray *body, uint64_t arc)
{
	for (int shift = 63; shift >= 0; shift -= 7) {
		if (shift == 0 || arc >> shift != 0) {
			uint8_t byte = (uint8_t)((arc >> shift & 0x7F) | (shift > 0 ? 0x80 : 0));
			g_byte_array_append(body, &byte, 1);
		}
	}
}

static bool write_oid(struct writer *w, const json_t *v)
{
	g_auto(GStrv) arcs = g_strsplit(json_is_string(v) ? json_string_value(v) : "", ".", 128);
	g_autoptr(GByteArray) body = g_byte_array_new();
	uint64_t top = 0, arc;
	unsigned n = 0;
	for (; arcs[n] != NULL; n++) {
		if (!g_ascii_string_to_unsigned(arcs[n], 10, 0, n == 0 ? 2 : INT64_MAX - 80, &arc, NULL)) {
			return fail(w, "not an object identifier");
		}
		top = n == 0 ? arc * 40 : top;
		if (n > 0) {
			put_arc(body, n == 1 ? top + arc : arc);
		}
	}
	if (n < 2) {
		return fail(w, "not an object identifier");
	}
	(void)per_put_length(&w->out, body->len);
	per_put_octets(&w->out, body->data, body->len);
	return true;
}

/* ---- open types ---- */
static void put_open(struct writer *w, const uint8_t *data, size_t len)
{
	size_t part;
	do {
		part = per_put_length(&w->out, len);
		per_put_octets(&w->out, data, part);
		data += part;
		len -= part;
	} while (part >= 16384);
}

static bool write_open(struct writer *w, const struct per_type *t, const json_t *v)
{
	struct per_out outside = w->out;
	w->out = (struct per_out){ g_byte_array_new(), 0 };
	bool ok = write_value(w, t, v);
	GByteArray *body = w->out.bytes;
	w->out = outside;
	if (body->len == 0) {
		g_byte_array_append(body, (const uint8_t[]){ 0 }, 1);	/* X.691 10.1: an empty encoding is one zero octet */
	}
	if (ok) {
		put_open(w, body->data, body->len);
	}
	g_byte_array_unref(body);
	return ok;
}

/* [index, "0x.."] */
static bool write_unknown(struct writer *w, const json_t *pair)
{
	static const struct per_type octets = { .name = "unknown", .kind = PER_OCTETS, .hi = -1 };
	return write_hex(w, &octets, json_array_get(pair, 1));	/* length and octets: the same as an open type's */
}

/* ---- structures ---- */
static bool write_field(struct writer *w, const struct per_field *f, const json_t *v, bool open)
{
	gsize len = w->path->len;
	g_string_append_printf(w->path, ".%s", f->name);
	bool ok = v == NULL ? fail(w, "missing") : open ? write_open(w, &per_types[f->type], v) : write_value(w, &per_types[f->type], v);
	if (ok) {
		g_string_truncate(w->path, len);
	}
	return ok;
}

static const json_t *unknown_at(const json_t *object, size_t index)
{
	const json_t *list = json_object_get(object, "_unknown");
	for (size_t n = 0; n < json_array_size(list); n++) {
		const json_t *pair = json_array_get(list, n);
		if (json_is_array(pair) && json_integer_value(json_array_get(pair, 0)) == (json_int_t)index) {
			return pair;
		}
	}
	return NULL;
}

static const json_t *addition(const struct per_type *t, const json_t *object, size_t n)
{
	return n < t->n_add ? json_object_get(object, per_fields[t->first + t->n_root + n].name) : unknown_at(object, n);
}

/* Up to the last one present (as h323plus does), or as many as the value says that it had. */
static size_t count_additions(const struct per_type *t, const json_t *object)
{
	size_t count = (size_t)CLAMP(json_integer_value(json_object_get(object, "_extCount")), 0, 256);
	for (size_t n = count; n < 256; n++) {
		count = addition(t, object, n) != NULL ? n + 1 : count;
	}
	return count;
}

static bool write_additions(struct writer *w, const struct per_type *t, const json_t *object, size_t count)
{
	if (count <= 64) {
		per_put(&w->out, count - 1, 7);
	} else {
		per_put(&w->out, 1, 1);
		(void)per_put_length(&w->out, count);
	}
	for (size_t n = 0; n < count; n++) {
		per_put(&w->out, addition(t, object, n) != NULL, 1);
	}
	for (size_t n = 0; n < count; n++) {
		const json_t *v = addition(t, object, n);
		if (v != NULL && !(n < t->n_add ? write_field(w, &per_fields[t->first + t->n_root + n], v, true) : write_unknown(w, v))) {
			return false;
		}
	}
	return true;
}

/* A member that the type does not have is somebody's slip of the pen: refused. */
static bool members_known(struct writer *w, const struct per_type *t, const json_t *object)
{
	const char *key;
	json_t *v;
	json_object_foreach((json_t *)(uintptr_t)object, key, v) {
		bool known = key[0] == '_';
		for (unsigned n = 0; !known && n < (unsigned)t->n_root + t->n_add; n++) {
			known = strcmp(per_fields[t->first + n].name, key) == 0;
		}
		if (!known) {
			g_string_append_printf(w->path, ".%s", key);
			return fail(w, "no such member");
		}
	}
	return true;
}

static bool write_seq(struct writer *w, const struct per_type *t, const json_t *v)
{
	if (!json_is_object(v) || !members_known(w, t, v)) {
		return fail(w, "not an object");
	}
	size_t additions = t->flags & PER_EXT ? count_additions(t, v) : 0;
	if (t->flags & PER_EXT) {
		per_put(&w->out, additions > 0, 1);
	}
	for (unsigned n = 0; n < t->n_root; n++) {
		const struct per_field *f = &per_fields[t->first + n];
		if (f->optional) {
			per_put(&w->out, json_object_get(v, f->name) != NULL, 1);
		}
	}
	for (unsigned n = 0; n < t->n_root; n++) {
		const struct per_field *f = &per_fields[t->first + n];
		const json_t *member = json_object_get(v, f->name);
		if ((member != NULL || !f->optional) && !write_field(w, f, member, false)) {
			return false;
		}
	}
	return additions == 0 || write_additions(w, t, v, additions);
}

/* Index of a word among root (ext false) and additions; -1. */
static int find_word(const struct per_type *t, const char *word, bool *ret_ext)
{
	for (int n = 0; word != NULL && n < t->n_root + t->n_add; n++) {
		if (strcmp(per_fields[t->first + n].name, word) == 0) {
			*ret_ext = n >= t->n_root;
			return *ret_ext ? n - t->n_root : n;
		}
	}
	return -1;
}

static void put_index(struct writer *w, const struct per_type *t, int index, bool ext)
{
	if (t->flags & PER_EXT) {
		per_put(&w->out, ext, 1);
	}
	if (ext) {
		per_put_small(&w->out, (uint64_t)index);
	} else {
		per_put_within(&w->out, (uint64_t)index, t->n_root);
	}
}

static bool write_choice(struct writer *w, const struct per_type *t, const json_t *v)
{
	void *at = json_object_iter((json_t *)(uintptr_t)v);
	const char *word = at != NULL ? json_object_iter_key(at) : NULL;
	bool ext = false;
	if (json_object_size(v) != 1) {
		return fail(w, "not an object of one alternative");
	}
	const json_t *body = json_object_iter_value(at);
	int index = find_word(t, word, &ext);
	if (index < 0 && strcmp(word, "_unknown") == 0 && (t->flags & PER_EXT)) {
		put_index(w, t, (int)CLAMP(json_integer_value(json_array_get(body, 0)), t->n_add, 4096), true);
		return write_unknown(w, body);
	}
	if (index < 0) {
		return fail(w, "no such alternative");
	}
	put_index(w, t, index, ext);
	return write_field(w, &per_fields[t->first + (ext ? t->n_root : 0) + index], body, ext);
}

static bool write_enum(struct writer *w, const struct per_type *t, const json_t *v)
{
	bool ext = true;
	const json_t *unknown = json_object_get(v, "_unknown");
	int index = unknown != NULL ? (int)CLAMP(json_integer_value(unknown), t->n_add, 4096)
				    : find_word(t, json_string_value(v), &ext);
	if (index < 0 || (ext && !(t->flags & PER_EXT))) {
		return fail(w, "no such word");
	}
	put_index(w, t, index, ext);
	return true;
}

static bool write_kind(struct writer *w, const struct per_type *t, const json_t *v)
{
	switch ((enum per_kind)t->kind) {
	case PER_NULL: return true;
	case PER_BOOL: per_put(&w->out, json_is_true(v), 1); return json_is_boolean(v) || fail(w, "not true or false");
	case PER_INT: return write_int(w, t, v);
	case PER_ENUM: return write_enum(w, t, v);
	case PER_OCTETS: return write_hex(w, t, v);
	case PER_BITS: return write_bits(w, t, v);
	case PER_OID: return write_oid(w, v);
	case PER_STRING:
	case PER_GENERAL: return write_text(w, t, v);
	case PER_SEQ: return write_seq(w, t, v);
	case PER_CHO: return write_choice(w, t, v);
	case PER_OF: return write_list(w, t, v);
	case PER_OPEN: return write_open(w, &per_types[t->elem], v);
	case PER_KIND_N: break;
	}
	return fail(w, "no such kind");
}

static bool write_value(struct writer *w, const struct per_type *t, const json_t *v)
{
	if (w->depth >= PER_DEPTH_MAX) {
		return fail(w, "nested too deep");
	}
	w->depth++;
	bool ok = write_kind(w, t, v);
	w->depth--;
	return ok;
}

GByteArray *per_write(const struct per_type *type, const json_t *value, char **ret_why)
{
	struct writer w = { .out = { g_byte_array_new(), 0 }, .path = g_string_new(type->name) };
	bool ok = write_value(&w, type, value) && (w.out.bytes->len <= PER_PDU_MAX || fail(&w, "longer than 65,535 octets"));
	if (!ok && ret_why != NULL) {
		*ret_why = g_strdup_printf("%s: %s", w.path->str, w.why);
	}
	if (!ok) {
		g_byte_array_unref(w.out.bytes);
		w.out.bytes = NULL;
	} else if (w.out.bytes->len == 0) {
		g_byte_array_append(w.out.bytes, (const uint8_t[]){ 0 }, 1);
	}
	g_string_free(w.path, TRUE);
	return w.out.bytes;
}
