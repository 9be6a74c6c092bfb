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

/* map.c for answer.c, peer.c, agree.c */
void sdp_put_codec(gw_sdp *sdp, struct gw_sdp_media *m, const struct mcu_codec_use *use);	/* and its rtx */
char **sdp_simulcast_rids(const struct gw_sdp_media *m, const char *dir);	/* (transfer full), NULL = none */
void sdp_single_encoding(const struct gw_sdp_media *m, struct ort_json_array *ret);
int sdp_known_codec(const struct gw_sdp_media *m, const struct gw_sdp_codec *c);
void sdp_use_codec(const struct gw_sdp_media *m, const struct gw_sdp_codec *c, int id, struct mcu_codec_use *use);
const char *sdp_sha256_of(const struct gw_sdp_level *level);

/* h264.c */
unsigned sdp_h264_profile(const char *fmtp);	/* equal for equal profiles; the letter of a known one: C B M E H h .. */
unsigned sdp_h264_idc(const char *fmtp);	/* profile-level-id; absent = 0x42000a */
char sdp_h264_mode(const char *fmtp);		/* '0', '1', '2' */
unsigned sdp_h264_level(const char *fmtp);	/* level_idc; 9 = 1b */
bool sdp_h264_asymmetric(const char *fmtp);
char *sdp_h264_answer(const char *offered, const char *ours);	/* fmtp of an answer, (transfer full) */
char *sdp_h264_received(const char *ours, const char *answered);	/* of what the answerer will send, (transfer full) */

/* answer.c for line.c, and what both need */
enum gw_sdp_dir sdp_mirrored(enum gw_sdp_dir dir);
void sdp_put_candidates(gw_sdp *sdp, struct gw_sdp_media *m, const struct ort_json_array *candidates);
void sdp_put_fingerprint(gw_sdp *sdp, struct gw_sdp_media *m, const char *text);
/* floor.c for line.c */
void sdp_put_floor(gw_sdp *sdp, struct gw_sdp_media *m, const struct gw_sdp_floor *floor);
const char *sdp_attr(const struct gw_sdp_level *level, const char *name);	/* kept attribute, NULL = none */
/* peer.c for floor.c: the address of an m-line; NULL or why not (static) */
const char *sdp_address(const gw_sdp *sdp, const struct gw_sdp_media *m, char ret_ip[46]);
