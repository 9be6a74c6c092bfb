/* One log line: built whole, written once. JSON to stderr, or journald's native protocol when systemd connected our stderr
 * to the journal. Not here: rate limits (the caller knows what repeats) and files (the journal rotates). */
#include "mcu/base/log.h"

#include <errno.h>
#include <glib.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "mcu/base/clock.h"

#define MODULES_MAX 32

static const char *const level_names[] = { "error", "warning", "notice", "info", "debug" };
static const int level_priority[] = { 3, 4, 5, 6, 7 };	/* syslog(3) */

static struct {
	enum ort_log_level level, most;	/* of modules without a row; the highest of all */
	struct { char name[32]; enum ort_log_level level; } modules[MODULES_MAX];
	size_t n_modules;
	char program[32];
	int journal_fd;	/* 0 = none: a process with a journal has its standard fds open */
	ort_log_sink_fn sink;
	void *sink_data;
} state = { .level = ORT_LOG_INFO, .most = ORT_LOG_INFO, .program = "ortoo" };

static bool is_on(enum ort_log_level level, const char *module)
{
	for (size_t i = 0; i < state.n_modules; i++) {
		if (strcmp(state.modules[i].name, module) == 0) {
			return level <= state.modules[i].level;
		}
	}
	return level <= state.level;
}

/* JSON string body; C0, DEL, C1 and broken UTF-8 never reach a terminal. */
static void append_escaped(GString *out, const char *s)
{
	while (*s) {
		gunichar c = g_utf8_get_char_validated(s, -1);
		const char *next = s + 1;

		if (c == (gunichar)-1 || c == (gunichar)-2) {
			g_string_append(out, "\\ufffd");
		} else if (c == '"' || c == '\\') {
			g_string_append_c(out, '\\');
			g_string_append_c(out, (char)c);
		} else if (c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x2028 || c == 0x2029) {
			g_string_append_printf(out, "\\u%04x", c);
			next = g_utf8_next_char(s);
		} else {
			next = g_utf8_next_char(s);
			g_string_append_len(out, s, next - s);
		}
		s = next;
	}
}

static void append_number(GString *out, double d)
{
	char buf[G_ASCII_DTOSTR_BUF_SIZE];
	g_string_append(out, isfinite(d) ? g_ascii_dtostr(buf, sizeof(buf), d) : "null");
}

static void append_value(GString *out, const struct ort_log_field *f, const char *quote)
{
	switch (f->type) {
	case ORT_FIELD_STR:
		if (!f->s) {
			g_string_append(out, "null");
			break;
		}
		g_string_append(out, quote);
		append_escaped(out, f->s);
		g_string_append(out, quote);
		break;
	case ORT_FIELD_INT:
		g_string_append_printf(out, "%" G_GINT64_FORMAT, f->i);
		break;
	case ORT_FIELD_DOUBLE:
		append_number(out, f->d);
		break;
	case ORT_FIELD_BOOL:
		g_string_append(out, f->b ? "true" : "false");
		break;
	case ORT_FIELD_END:
		break;
	}
}

static void append_time(GString *out)
{
	int64_t wall_ms = ort_wall_ms();
	g_autoptr(GDateTime) t = g_date_time_new_from_unix_utc(wall_ms / 1000);
	g_autofree char *text = t ? g_date_time_format(t, "%Y-%m-%dT%H:%M:%S") : NULL;
	g_string_append_printf(out, "%s.%03dZ", text ? text : "0000-00-00T00:00:00", (int)(wall_ms % 1000));
}

static void append_member(GString *out, const char *key, const char *value)
{
	g_string_append_printf(out, ",\"%s\":\"", key);
	append_escaped(out, value ? value : "");
	g_string_append_c(out, '"');
}

static GString *json_line(enum ort_log_level level, const char *module, const char *event, const char *text,
			  const struct ort_log_field *fields)
{
	GString *out = g_string_sized_new(256);

	g_string_append(out, "{\"time\":\"");
	append_time(out);
	g_string_append_c(out, '"');
	append_member(out, "level", level_names[level]);
	append_member(out, "program", state.program);
	append_member(out, "module", module);
	append_member(out, "event", event);
	append_member(out, "text", text);
	for (const struct ort_log_field *f = fields; f->type != ORT_FIELD_END; f++) {
		g_string_append_printf(out, ",\"%s\":", f->key);
		append_value(out, f, "\"");
	}
	g_string_append_c(out, '}');
	return out;
}

/* A journal field name: [A-Z0-9_], not starting with '_'. */
static void append_journal_key(GString *out, const char *key)
{
	g_string_append(out, "ORT_");
	for (; *key; key++) {
		g_string_append_c(out, g_ascii_isalnum(*key) ? g_ascii_toupper(*key) : '_');
	}
	g_string_append_c(out, '=');
}

static GString *journal_entry(enum ort_log_level level, const char *module, const char *event, const char *text,
			      const struct ort_log_field *fields)
{
	GString *out = g_string_sized_new(256);

	g_string_append_printf(out, "PRIORITY=%d\nSYSLOG_IDENTIFIER=%s\nMESSAGE=", level_priority[level], state.program);
	append_escaped(out, text);
	g_string_append_printf(out, "\nORT_MODULE=%s\nORT_EVENT=%s\n", module, event);
	for (const struct ort_log_field *f = fields; f->type != ORT_FIELD_END; f++) {
		append_journal_key(out, f->key);
		append_value(out, f, "");
		g_string_append_c(out, '\n');
	}
	return out;
}

static void write_stderr(GString *line)
{
	g_string_append_c(line, '\n');
	(void)!write(STDERR_FILENO, line->str, line->len);	/* nowhere to report a log that cannot be written */
}

static bool write_journal(GString *entry)
{
	bool sent = send(state.journal_fd, entry->str, entry->len, MSG_NOSIGNAL) == (ssize_t)entry->len;
	g_string_free(entry, TRUE);
	return sent;
}

void ort_log_write(enum ort_log_level level, const char *module, const char *event, const char *text,
		   const struct ort_log_field *fields)
{
	GString *line;

	if (level > state.most || !is_on(level, module)) {
		return;
	}
	if (state.journal_fd > 0 && !state.sink && write_journal(journal_entry(level, module, event, text, fields))) {
		return;
	}
	line = json_line(level, module, event, text, fields);
	if (state.sink) {
		state.sink(line->str, state.sink_data);
	} else {
		write_stderr(line);
	}
	g_string_free(line, TRUE);
}

static int level_by_name(const char *name)
{
	for (size_t i = 0; i < G_N_ELEMENTS(level_names); i++) {
		if (strcmp(name, level_names[i]) == 0) {
			return (int)i;
		}
	}
	return -EINVAL;
}

static int read_part(const char *part)
{
	const char *eq = strchr(part, '=');
	size_t len = eq ? (size_t)(eq - part) : 0;
	int level = level_by_name(eq ? eq + 1 : part);

	if (level < 0) {
		return -EINVAL;
	}
	if (!eq) {
		state.level = (enum ort_log_level)level;
		return 0;
	}
	if (len == 0 || len >= sizeof(state.modules[0].name) || state.n_modules == MODULES_MAX) {
		return -EINVAL;
	}
	memcpy(state.modules[state.n_modules].name, part, len);
	state.modules[state.n_modules].name[len] = '\0';
	state.modules[state.n_modules++].level = (enum ort_log_level)level;
	return 0;
}

static int read_spec(const char *spec)
{
	g_auto(GStrv) parts = g_strsplit(spec, ",", -1);
	int err = 0;

	state.level = ORT_LOG_INFO;
	state.n_modules = 0;
	memset(state.modules, 0, sizeof(state.modules));
	for (char **p = parts; *p && !err; p++) {
		err = read_part(*p);
	}
	state.most = state.level;
	for (size_t i = 0; i < state.n_modules; i++) {
		state.most = MAX(state.most, state.modules[i].level);
	}
	return err;
}

/* systemd.exec(5), $JOURNAL_STREAM: "device:inode" of the socket it gave us; anything else is a stderr that was redirected. */
static bool stderr_is_journal(void)
{
	const char *want = g_getenv("JOURNAL_STREAM");
	char have[64];
	struct stat st;
	if (!want || fstat(STDERR_FILENO, &st) < 0) {
		return false;
	}
	(void)snprintf(have, sizeof(have), "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
	return strcmp(want, have) == 0;
}

static void open_journal(void)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX, .sun_path = "/run/systemd/journal/socket" };
	int fd;

	if (!stderr_is_journal()) {
		return;
	}
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd > 0 && connect(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0) {
		state.journal_fd = fd;
	} else if (fd >= 0) {
		close(fd);
	}
}

/* What libraries say through GLib comes out in the same shape. */
static GLogWriterOutput glib_writer(GLogLevelFlags flags, const GLogField *fields, gsize n, gpointer user_data)
{
	enum ort_log_level level = flags & (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL) ? ORT_LOG_ERROR
				   : flags & G_LOG_LEVEL_WARNING		      ? ORT_LOG_WARNING
				   : flags & (G_LOG_LEVEL_MESSAGE | G_LOG_LEVEL_INFO) ? ORT_LOG_INFO
										      : ORT_LOG_DEBUG;
	const char *text = "", *domain = "";

	for (gsize i = 0; i < n; i++) {
		if (fields[i].length < 0 && strcmp(fields[i].key, "MESSAGE") == 0) {
			text = fields[i].value;
		} else if (fields[i].length < 0 && strcmp(fields[i].key, "GLIB_DOMAIN") == 0) {
			domain = fields[i].value;
		}
	}
	ort_log(level, "glib", "glib", text, ORT_S("domain", domain));
	return G_LOG_WRITER_HANDLED;
}

int ort_log_init(const char *program, const char *spec)
{
	static bool once;
	int err = read_spec(spec);

	if (err < 0) {
		(void)read_spec("info");
		return err;
	}
	g_strlcpy(state.program, program, sizeof(state.program));
	if (!once) {
		once = true;	/* GLib aborts when the writer is set twice */
		g_log_set_writer_func(glib_writer, NULL, NULL);
		open_journal();
	}
	return 0;
}

void ort_log_set_sink(ort_log_sink_fn sink, void *user_data)
{
	state.sink = sink;
	state.sink_data = user_data;
}
