/* Inside of gateway/sdp: lists that grow, and the seam between lines (parse.c) and attributes (attr.c). */
#pragma once
#include "gateway/sdp/sdp.h"

/* New zeroed last element of a list: SDP_APPEND(m->codecs, m->n_codecs). */
#define SDP_APPEND(items, n) ((typeof(items))sdp_append((void **)&(items), &(n), sizeof(*(items))))
void *sdp_append(void **items, size_t *n, size_t size);
void sdp_strv_append(const char ***strv, const char *s);
size_t sdp_strv_len(const char *const *strv);
char *sdp_str_len(gw_sdp *sdp, const char *s, size_t len);	/* writable: words are cut out of it */
char *sdp_word(char **rest);	/* next word, cut at blanks; NULL = none left */
bool sdp_number(const char *s, uint64_t max, uint64_t *ret);	/* decimal digits and nothing else */

extern const char *const sdp_type_names[], *const sdp_setup_names[], *const sdp_dir_names[];
int sdp_name_index(const char *const *names, const char *name);	/* -1 = none */

struct sdp_parser {
	gw_sdp *sdp;
	size_t line, n_attrs;	/* attributes of the present section */
	bool seen_version;
	char *why;
};
struct gw_sdp_media *sdp_parser_media(struct sdp_parser *p);	/* NULL = session level; moves with the next m-line */
struct gw_sdp_level *sdp_parser_level(struct sdp_parser *p);
int sdp_refuse(struct sdp_parser *p, int err, const char *what, const char *fmt, ...) G_GNUC_PRINTF(4, 5);
int sdp_parse_attr(struct sdp_parser *p, char *text);	/* behind "a=" */
void sdp_keep(struct sdp_parser *p, const char *name, const char *value);
struct gw_sdp_codec *sdp_find_codec(const struct gw_sdp_media *m, const char *pt);
/* Name and clock of the static payload types of RFC 3551. */
void sdp_static_codec(struct gw_sdp_codec *codec);

/* map.c for answer.c */
void sdp_put_codec(gw_sdp *sdp, struct gw_sdp_media *m, const struct mcu_codec_use *use);	/* and its rtx */
char **sdp_simulcast_rids(const struct gw_sdp_media *m, const char *dir);	/* (transfer full), NULL = none */
void sdp_single_encoding(const struct gw_sdp_media *m, struct ort_json_array *ret);
