/* The circular (通报) of a roll call on paper: who was there, the table, stills, and the log's head that vouches for it. */
#include <string.h>

#include "gateway/domain/domain.h"
#include "gateway/print/print.h"
#include "gateway/print/sheet_priv.h"

static const char *text(const json_t *o, const char *member)
{
	const char *s = json_string_value(json_object_get(o, member));
	return s != NULL ? s : "";
}

static int64_t number(const json_t *o, const char *member)
{
	return json_integer_value(json_object_get(o, member));
}

static char *when(int64_t ms, const char *format)
{
	g_autoptr(GDateTime) at = ms != 0 ? g_date_time_new_from_unix_local(ms / 1000) : NULL;
	return at != NULL ? g_date_time_format(at, format) : g_strdup("");
}

static const char *result_zh(const char *name)
{
	for (int n = 0; n < GW_RESULT_N; n++) {
		if (strcmp(gw_result_names[n], name) == 0) {
			return gw_result_names_zh[n];
		}
	}
	return name;
}

static const char *cause_zh(const char *why)
{
	static const struct { const char *word, *zh; } rows[] = {
		{ "sends_no_picture", "未发送图像" }, { "picture_black", "黑屏" },	{ "picture_frozen", "画面冻结" },
		{ "picture_looped", "画面重复" },     { "sends_no_sound", "未发送声音" }, { "sound_silent", "无声" },
		{ "answered_late", "应答超时" },      { "no_answer", "无人应答" },	{ "busy", "忙" },
		{ "declined", "拒接" },	      { "hung_up", "已挂断" },	{ "gateway_restarted", "平台重启" },
	};
	for (unsigned n = 0; n < G_N_ELEMENTS(rows); n++) {
		if (strcmp(rows[n].word, why) == 0) {
			return rows[n].zh;
		}
	}
	return why;
}

/* ---- the cells of a row; all (transfer full) ---- */
static char *figures(const json_t *e)
{
	static const struct { const char *member, *zh; } faults[] = {
		{ "black", "黑屏" }, { "frozen", "冻结" }, { "looped", "重复" }, { "silent", "无声" }, { "clipped", "削波" },
	};
	const json_t *f = json_object_get(e, "figures");
	if (!json_is_object(f)) {
		return g_strdup("");
	}
	GString *out = g_string_new(NULL);
	for (unsigned n = 0; n < G_N_ELEMENTS(faults); n++) {
		g_string_append(out, json_is_true(json_object_get(f, faults[n].member)) ? faults[n].zh : "");
		g_string_append(out, json_is_true(json_object_get(f, faults[n].member)) ? " " : "");
	}
	g_string_append_printf(out, "%" G_GINT64_FORMAT " kb/s 丢包 %.1f%%", number(f, "bitrate_bps") / 1000,
			       json_number_value(json_object_get(f, "loss")) * 100);
	return g_string_free(out, FALSE);
}

static char *code(const json_t *e)
{
	const json_t *c = json_object_get(e, "code");
	const char *state = text(c, "state");
	const char *zh = strcmp(state, "right") == 0 ? "正确" : strcmp(state, "wrong") == 0 ? "错误" : "未答";
	return json_is_object(c) ? g_strdup_printf("%s %s", text(c, "digits"), zh) : g_strdup("");
}

static char *past(const json_t *e)
{
	const json_t *p = json_object_get(e, "last");
	return json_is_object(p) ? g_strdup_printf("上次%s，近 %d 次缺 %d", result_zh(text(p, "result")), (int)number(p, "of"),
						   (int)number(p, "misses"))
				 : g_strdup("首次");
}

static char *took(const json_t *e)
{
	int64_t ms = number(json_object_get(e, "figures"), "answer_ms");
	return ms > 0 ? g_strdup_printf("%.1f 秒", (double)ms / 1000) : g_strdup("");
}

static char *said_by(const json_t *e)
{
	const char *by = text(e, "by");
	return g_strdup(strcmp(by, "clock") == 0 ? "系统" : g_str_has_prefix(by, "u:") ? by + 2 : by);
}

static const struct column columns[] = {
	{ "序号", 0.045 }, { "会场", 0.17 },	 { "结果", 0.07 }, { "呼叫", 0.075 }, { "应答用时", 0.075 }, { "上屏", 0.075 },
	{ "测得", 0.15 },	 { "口令", 0.08 }, { "原因", 0.11 }, { "对比", 0.09 },  { "登记", 0.06 },
};

static void row(struct sheet *s, const json_t *e, int n)
{
	char *cells[] = { g_strdup_printf("%d", n), g_strdup(text(e, "name")), g_strdup(result_zh(text(e, "result"))),
			  when(number(e, "called_ms"), "%H:%M:%S"), took(e), when(number(e, "shown_ms"), "%H:%M:%S"), figures(e), code(e),
			  g_strdup(cause_zh(text(e, "why"))), past(e), said_by(e) };
	sheet_row(s, columns, G_N_ELEMENTS(columns), (const char *const *)cells, false);
	for (unsigned k = 0; k < G_N_ELEMENTS(cells); k++) {
		g_free(cells[k]);
	}
}

/* ---- stills ---- */
#define PICTURES 4	/* beside each other */
#define PICTURE_W (SHEET_INNER / PICTURES - 8)
#define PICTURE_H (PICTURE_W * 9 / 16)

static void stills(struct sheet *s, const json_t *entries, const char *folder)
{
	int at = 0;
	size_t n;
	const json_t *e;
	json_array_foreach((json_t *)(uintptr_t)entries, n, e) {
		const char *file = text(json_object_get(e, "still"), "file");
		g_autofree char *path = g_build_filename(folder, file, NULL), *bytes = NULL;
		gsize len;
		if (file[0] == '\0' || strchr(file, '/') != NULL || !g_file_get_contents(path, &bytes, &len, NULL)) {
			continue;
		}
		if (at == 0) {
			sheet_gap(s, 10);
			sheet_line(s, 10, true, "截图");
		}
		if (at % PICTURES == 0 && !sheet_fits(s, PICTURE_H + 16)) {
			sheet_next_page(s);
		}
		g_autoptr(GBytes) jpeg = g_bytes_new_take(g_steal_pointer(&bytes), len);
		double x = SHEET_MARGIN + at % PICTURES * (PICTURE_W + 8);
		g_autofree char *caption = g_strdup_printf("%zu %s", n + 1, text(e, "name"));
		if (sheet_picture(s, jpeg, x, PICTURE_W, PICTURE_H, caption) && ++at % PICTURES == 0) {
			sheet_gap(s, PICTURE_H + 18);
		}
	}
	sheet_gap(s, at % PICTURES != 0 ? PICTURE_H + 18 : 0);
}

static void head(struct sheet *s, const json_t *c)
{
	const json_t *totals = json_object_get(c, "totals");
	g_autoptr(GString) sums = g_string_new(NULL);
	g_autofree char *from = when(number(c, "started_ms"), "%Y-%m-%d %H:%M:%S"), *to = when(number(c, "closed_ms"), "%H:%M:%S");
	int64_t here = number(totals, "present") + number(totals, "present_late");
	g_string_append_printf(sums, "应到 %d，实到 %" G_GINT64_FORMAT "。", (int)number(c, "sites"), here);
	for (int n = 0; n < GW_RESULT_N; n++) {
		if (number(totals, gw_result_names[n]) > 0) {
			g_string_append_printf(sums, "　%s %d", gw_result_names_zh[n], (int)number(totals, gw_result_names[n]));
		}
	}
	g_autofree char *time = g_strdup_printf("时间：%s 至 %s　　方式：%s　　节点：%s", from, to[0] != '\0' ? to : "进行中",
						number(c, "dwell_ms") > 0 ? "无人值守" : "人工", text(c, "node"));
	sheet_line(s, 18, true, "视频点名情况通报");
	sheet_line(s, 12, false, text(c, "name"));
	if (json_is_true(json_object_get(c, "drill"))) {
		sheet_line(s, 12, true, "【演练】");
	}
	sheet_line(s, 9, false, time);
	sheet_line(s, 11, true, sums->str);
	sheet_gap(s, 6);
}

GBytes *gw_print_circular(const json_t *circular, const char *folder, char **ret_why)
{
	struct sheet s;
	const char *titles[G_N_ELEMENTS(columns)];
	const json_t *log_head = json_object_get(circular, "log_head"), *entries = json_object_get(circular, "entries"), *e;
	g_autofree char *issued = when(number(circular, "issued_ms"), "%Y-%m-%d %H:%M:%S");
	g_autofree char *foot = g_strdup_printf("出具：%s　日志第 %d 条　%s", issued, (int)number(log_head, "seq"), text(log_head, "hash"));
	size_t n;
	sheet_open(&s, text(circular, "name"), foot);
	head(&s, circular);
	for (unsigned k = 0; k < G_N_ELEMENTS(columns); k++) {
		titles[k] = columns[k].title;
	}
	sheet_row(&s, columns, G_N_ELEMENTS(columns), titles, true);
	json_array_foreach((json_t *)(uintptr_t)entries, n, e) {
		row(&s, e, (int)n + 1);
	}
	stills(&s, entries, folder);
	return sheet_close(&s, ret_why);
}
