/* Structured log lines: one event name, one sentence for people, typed fields for machines.
 * Any thread. One line is one write(2) to stderr: JSON, or journald's protocol when JOURNAL_STREAM names our stderr.
 * Field values are escaped, so a peer's CR, LF or ESC never makes a second line. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

enum ort_log_level { ORT_LOG_ERROR, ORT_LOG_WARNING, ORT_LOG_NOTICE, ORT_LOG_INFO, ORT_LOG_DEBUG };

enum ort_field_type { ORT_FIELD_END, ORT_FIELD_STR, ORT_FIELD_INT, ORT_FIELD_DOUBLE, ORT_FIELD_BOOL };

struct ort_log_field {
	const char *key;	/* borrowed, a literal */
	enum ort_field_type type;
	union {
		const char *s;	/* borrowed, may be NULL */
		int64_t i;
		double d;
		bool b;
	};
};

#define ORT_S(k, v) ((struct ort_log_field){ .key = (k), .type = ORT_FIELD_STR, .s = (v) })
#define ORT_I(k, v) ((struct ort_log_field){ .key = (k), .type = ORT_FIELD_INT, .i = (int64_t)(v) })
#define ORT_D(k, v) ((struct ort_log_field){ .key = (k), .type = ORT_FIELD_DOUBLE, .d = (v) })
#define ORT_B(k, v) ((struct ort_log_field){ .key = (k), .type = ORT_FIELD_BOOL, .b = (v) })

/* ort_log(ORT_LOG_INFO, "engine", "room.open", "room opened", ORT_S("room", id), ORT_I("worker", 0)); */
#define ort_log(level, module, event, text, ...)                                                   \
	ort_log_write((level), (module), (event), (text),                                          \
		      (const struct ort_log_field[]){ __VA_ARGS__ __VA_OPT__(, )(                  \
			      struct ort_log_field){ .type = ORT_FIELD_END } })

/* All strings borrowed. Below the module's level it costs one comparison and writes nothing. */
void ort_log_write(enum ort_log_level level, const char *module, const char *event, const char *text,
		   const struct ort_log_field *fields);

/* Process start only, before threads. `spec` is "info" or "info,engine=debug,sip=warning"; 0 or -EINVAL. */
int ort_log_init(const char *program, const char *spec);

/* Tests: lines go to `sink` instead of stderr; NULL restores. Not thread-safe against running writers. */
typedef void (*ort_log_sink_fn)(const char *line, void *user_data);
void ort_log_set_sink(ort_log_sink_fn sink, void *user_data);
