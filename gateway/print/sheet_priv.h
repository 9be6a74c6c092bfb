/* A sheet of paper: pages with a foot, lines of text, rows of a table, pictures; breaks to the next page by itself. */
#pragma once
#include <cairo-pdf.h>
#include <glib.h>
#include <pango/pangocairo.h>
#include <stdbool.h>

#define SHEET_W 841.89	/* A4 across, points */
#define SHEET_H 595.28
#define SHEET_MARGIN 36.0
#define SHEET_INNER (SHEET_W - 2 * SHEET_MARGIN)

struct sheet { cairo_t *cr; cairo_surface_t *surface; GByteArray *bytes; double y; int page; char *foot; };
struct column { const char *title; double width; };	/* share of the inner width */

void sheet_open(struct sheet *s, const char *title, const char *foot);
GBytes *sheet_close(struct sheet *s, char **ret_why);
void sheet_line(struct sheet *s, double size, bool bold, const char *text);	/* wraps */
void sheet_gap(struct sheet *s, double points);
/* head: repeated on each new page. texts: as many as columns, NULL = empty. */
void sheet_row(struct sheet *s, const struct column *columns, int n, const char *const *texts, bool bold);
/* JPEG bytes, as they are; false: it is none. */
bool sheet_picture(struct sheet *s, GBytes *jpeg, double x, double width, double height, const char *caption);
bool sheet_fits(const struct sheet *s, double height);
void sheet_next_page(struct sheet *s);
