/* JSON <-> C structs by field tables (jansson reads and prints, tables check). Pure functions, any thread.
 * A table is the parser, the printer, the help text, the OpenAPI schema and the fuzz dictionary of its struct. */
#pragma once
#include <glib.h>
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum ort_json_type {
	ORT_J_STR,	/* char *, owned, g_free; min/max = length in bytes (max 0 = 256) */
	ORT_J_INT,	/* int64_t; min..max, both 0 = any */
	ORT_J_DOUBLE,	/* double; min..max, both 0 = any finite */
	ORT_J_BOOL,	/* bool */
	ORT_J_ENUM,	/* int; names in `names`, printed as text */
	ORT_J_OBJECT,	/* struct embedded at offset, described by `sub` */
	ORT_J_ARRAY,	/* struct ort_json_array of structs described by `sub`; max = most elements (0 = 256) */
	ORT_J_STRV,	/* char **, owned, g_strfreev; max = most elements (0 = 256) */
	ORT_J_RAW,	/* json_t *, owned reference, any JSON; max = most bytes printed (0 = 65536) */
};

enum {
	ORT_J_REQUIRED = 1 << 0,	/* absent = error; otherwise the struct's zero stays */
	ORT_J_SECRET = 1 << 1,		/* printed as "***" by ort_json_print_safe */
	ORT_J_TEXT = 1 << 2,		/* free text of people: UTF-8, LF and TAB allowed, other C0/C1 refused */
	ORT_J_ID = 1 << 3,		/* [A-Za-z0-9._:/-]+ */
	ORT_J_OMIT_ZERO = 1 << 4,	/* not printed when zero, NULL, false or empty */
	ORT_J_LINES = 1 << 5,		/* as ORT_J_TEXT, and CR too: SDP, CSV; neither flag: no control character */
};

struct ort_json_array { void *items; size_t n; };	/* items owned: n structs in one g_malloc block */

struct ort_json_table;
struct ort_json_field {
	const char *name;
	enum ort_json_type type;
	size_t offset;
	unsigned flags;
	double min, max;
	const char *unit;			/* "us", "bps", ... or NULL */
	const char *doc;			/* one sentence */
	const char *const *names;		/* ORT_J_ENUM: NULL-terminated */
	const struct ort_json_table *sub;	/* OBJECT, ARRAY */
};
struct ort_json_table {
	const char *name;
	size_t size;			/* sizeof the struct */
	const struct ort_json_field *fields;
	size_t n_fields;
};

/* ORT_JSON_TABLE(login_table, struct login, FIELD...) with ORT_JF(struct, member, TYPE, flags, min, max, unit, doc) */
#define ORT_JF(st, member, type_, flags_, min_, max_, unit_, doc_)                                 \
	{ .name = #member, .type = (type_), .offset = offsetof(st, member), .flags = (flags_),     \
	  .min = (min_), .max = (max_), .unit = (unit_), .doc = (doc_) }
#define ORT_JF_ENUM(st, member, names_, flags_, doc_)                                              \
	{ .name = #member, .type = ORT_J_ENUM, .offset = offsetof(st, member), .flags = (flags_),  \
	  .doc = (doc_), .names = (names_) }
#define ORT_JF_SUB(st, member, type_, sub_, flags_, max_, doc_)                                    \
	{ .name = #member, .type = (type_), .offset = offsetof(st, member), .flags = (flags_),     \
	  .max = (max_), .doc = (doc_), .sub = (sub_) }
#define ORT_JSON_TABLE(table_, st, ...)                                                            \
	static const struct ort_json_field table_##_fields[] = { __VA_ARGS__ };                    \
	const struct ort_json_table table_ = { #table_, sizeof(st), table_##_fields,               \
					       G_N_ELEMENTS(table_##_fields) }

/* Fills *out (zeroed first). Unknown members are ignored (protocols only grow); null counts as absent. On error *out is left cleared,
 * 0 or -EINVAL, and *ret_why (transfer full, may be NULL) says which member and why, in English. */
int ort_json_read(const struct ort_json_table *table, const json_t *json, void *out, char **ret_why);
json_t *ort_json_print(const struct ort_json_table *table, const void *in);		/* (transfer full) */
json_t *ort_json_print_safe(const struct ort_json_table *table, const void *in);	/* secrets as *** */
void ort_json_clear(const struct ort_json_table *table, void *st);			/* frees members, zeroes */
json_t *ort_json_schema(const struct ort_json_table *table);	/* JSON Schema (OpenAPI 3.1 dialect), (transfer full) */

/* Text -> tree with limits: at most `max_bytes`, depth 32, no duplicate members, UTF-8. NULL and *ret_why on error. */
json_t *ort_json_parse(const char *text, size_t len, size_t max_bytes, char **ret_why);
char *ort_json_text(const json_t *json);	/* one line, compact, sorted keys (canonical), (transfer full), g_free */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(json_t, json_decref)
