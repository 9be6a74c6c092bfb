/* Options as rows: YAML in, values out, manual and sample file printed from the same rows. Start-up thread. */
#pragma once
#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum ort_conf_type { ORT_C_STR, ORT_C_INT, ORT_C_BOOL, ORT_C_SIZE, ORT_C_MS, ORT_C_STRV };
struct ort_conf_row {
	const char *key;	/* dotted: "web.listen" */
	enum ort_conf_type type;
	const char *def;	/* default as text; STRV comma separated */
	int64_t min, max;	/* INT, SIZE, MS; both 0 = any */
	bool reloadable, secret;
	const char *doc;
};
typedef struct ort_conf ort_conf;
/* Rows borrowed for ever (const tables). All defaults. */
ort_conf *ort_conf_new(const struct ort_conf_row *rows, size_t n_rows);
void ort_conf_free(ort_conf *conf);
/* YAML text (<= 1 MiB, depth 8, no aliases or tags) laid over what is there. Unknown key, wrong type or range = -EINVAL,
 * *ret_why (transfer full) names line and key; nothing is changed on error. */
int ort_conf_load_text(ort_conf *conf, const char *text, size_t len, char **ret_why);
/* A file, then FILE.d/ *.yaml in name order. A missing file is no error. */
int ort_conf_load(ort_conf *conf, const char *path, char **ret_why);
int ort_conf_set(ort_conf *conf, const char *key, const char *value, char **ret_why);	/* command line: --set key=value */
/* Unknown key or another type is a programming error. Borrowed until the next load. */
const char *ort_conf_str(const ort_conf *conf, const char *key);
int64_t ort_conf_int(const ort_conf *conf, const char *key);	/* INT, SIZE (bytes), MS */
bool ort_conf_bool(const ort_conf *conf, const char *key);
const char *const *ort_conf_strv(const ort_conf *conf, const char *key);
char *ort_conf_sample(const ort_conf *conf);	/* commented YAML with the defaults, (transfer full) */
char *ort_conf_manual(const ort_conf *conf);	/* Markdown table, (transfer full) */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ort_conf, ort_conf_free)
