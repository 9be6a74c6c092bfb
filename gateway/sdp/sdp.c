/* The session struct: lists, strings, death, and the questions that need no parsing. */
#include <string.h>

#include "gateway/sdp/sdp_priv.h"

const char *const sdp_type_names[] = { "audio", "video", "application", "text", "image", "message", NULL };
const char *const sdp_setup_names[] = { "", "actpass", "active", "passive", "holdconn", NULL };
const char *const sdp_dir_names[] = { "inactive", "sendonly", "recvonly", "sendrecv", NULL };	/* enum gw_sdp_dir */

int sdp_name_index(const char *const *names, const char *name)
{
	for (int i = 0; names[i]; i++) {
		if (strcmp(names[i], name) == 0) {
			return i;
		}
	}
	return -1;
}

void *sdp_append(void **items, size_t *n, size_t size)
{
	if ((*n & (*n - 1)) == 0) {	/* 0 and powers of two: full */
		*items = g_realloc_n(*items, *n > 0 ? *n * 2 : 1, size);
	}
	memset((char *)*items + *n * size, 0, size);
	return (char *)*items + (*n)++ * size;
}

size_t sdp_strv_len(const char *const *strv)
{
	size_t n = 0;
	while (strv && strv[n]) {
		n++;
	}
	return n;
}

void sdp_strv_append(const char ***strv, const char *s)
{
	size_t n = sdp_strv_len(*strv);
	*strv = g_renew(const char *, *strv, n + 2);
	(*strv)[n] = s;
	(*strv)[n + 1] = NULL;
}

char *sdp_str_len(gw_sdp *sdp, const char *s, size_t len)
{
	return g_string_chunk_insert_len(sdp->strings, s, (gssize)len);
}

const char *gw_sdp_str(gw_sdp *sdp, const char *s)
{
	return s ? g_string_chunk_insert(sdp->strings, s) : NULL;
}

char *sdp_word(char **rest)
{
	char *word = *rest ? *rest + strspn(*rest, " \t") : NULL, *end;

	if (!word || !*word) {
		*rest = NULL;
		return NULL;
	}
	end = word + strcspn(word, " \t");
	*rest = *end ? end + 1 : NULL;
	*end = '\0';
	return word;
}

bool sdp_number(const char *s, uint64_t max, uint64_t *ret)
{
	uint64_t n = 0;

	if (!s || !*s || strspn(s, "0123456789") != strlen(s) || strlen(s) > 19) {
		return false;
	}
	for (; *s; s++) {
		n = n * 10 + (uint64_t)(*s - '0');
	}
	*ret = n;
	return n <= max;
}

/* ---- life ---- */

gw_sdp *gw_sdp_new(void)
{
	gw_sdp *sdp = g_new0(gw_sdp, 1);
	sdp->strings = g_string_chunk_new(2048);
	return sdp;
}

static void clear_level(struct gw_sdp_level *level)
{
	g_free(level->bandwidths);
	g_free(level->fingerprints);
	g_free(level->exts);
	g_free(level->attrs);
}

static void clear_media(struct gw_sdp_media *m)
{
	clear_level(&m->level);
	for (size_t i = 0; i < m->n_codecs; i++) {
		g_free(m->codecs[i].fb);
	}
	for (size_t i = 0; i < m->n_ssrcs; i++) {
		g_free(m->ssrcs[i].attrs);
	}
	for (size_t i = 0; i < m->n_ssrc_groups; i++) {
		g_free(m->ssrc_groups[i].ssrcs);
	}
	g_free(m->codecs);
	g_free(m->formats);
	g_free(m->candidates);
	g_free(m->ssrcs);
	g_free(m->ssrc_groups);
	g_free(m->rids);
	g_free(m->msids);
}

void gw_sdp_free(gw_sdp *sdp)
{
	if (!sdp) {
		return;
	}
	for (size_t i = 0; i < sdp->n_media; i++) {
		clear_media(&sdp->media[i]);
	}
	for (size_t i = 0; i < sdp->n_groups; i++) {
		g_free(sdp->groups[i].mids);
	}
	clear_level(&sdp->level);
	g_free(sdp->media);
	g_free(sdp->groups);
	g_string_chunk_free(sdp->strings);
	g_free(sdp);
}

/* ---- questions ---- */

int gw_sdp_find_mid(const gw_sdp *sdp, const char *mid)
{
	for (size_t i = 0; mid && i < sdp->n_media; i++) {
		if (sdp->media[i].mid && strcmp(sdp->media[i].mid, mid) == 0) {
			return (int)i;
		}
	}
	return -1;
}

enum gw_sdp_dir sdp_mirrored(enum gw_sdp_dir dir)
{
	return (enum gw_sdp_dir)((dir & GW_SDP_SEND ? GW_SDP_RECV : 0) | (dir & GW_SDP_RECV ? GW_SDP_SEND : 0));
}

/* RFC 8866 6.7: sendrecv when nothing is said. */
enum gw_sdp_dir gw_sdp_dir(const gw_sdp *sdp, const struct gw_sdp_media *m)
{
	return m->level.has_dir ? m->level.dir : sdp->level.has_dir ? sdp->level.dir : GW_SDP_SENDRECV;
}

bool gw_sdp_is_bundled(const gw_sdp *sdp, const struct gw_sdp_media *m)
{
	for (size_t i = 0; m->mid && i < sdp->n_groups; i++) {
		if (strcmp(sdp->groups[i].semantics, "BUNDLE") == 0 && sdp->groups[i].mids &&
		    g_strv_contains(sdp->groups[i].mids, m->mid)) {
			return true;
		}
	}
	return false;
}

const char *gw_sdp_fmtp_value(const char *fmtp, const char *key, size_t *ret_len)
{
	size_t key_len = strlen(key);

	while (fmtp && *fmtp) {
		fmtp += strspn(fmtp, "; \t");
		if (g_ascii_strncasecmp(fmtp, key, key_len) == 0 && fmtp[key_len] == '=') {
			fmtp += key_len + 1;
			*ret_len = strcspn(fmtp, "; \t");
			return fmtp;
		}
		fmtp += strcspn(fmtp, ";");
	}
	return NULL;
}
