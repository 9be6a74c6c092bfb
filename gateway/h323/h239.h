/* The presentation token of H.239 between us and one peer: clauses 10 and 11, messages as generic H.245 ones. Pure. Owner: the
 * leg. We hold it for whoever presents among us; the token of the whole conference is the application's. */
#pragma once
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

enum h239_state { H239_FREE, H239_ASKING, H239_OURS, H239_ASKED, H239_THEIRS };
struct h239 {
	enum h239_state state;
	uint8_t breaking;		/* symmetryBreaking of our request */
	unsigned channel;		/* number of the presenter's channel, as said */
	void (*send)(const char *kind, json_t *message, void *user_data);	/* message: taken over */
	void *user_data;
};
enum h239_news { H239_NOTHING, H239_PEER_ASKS, H239_PEER_RELEASES, H239_PEER_PRESENTS, H239_GRANTED, H239_DENIED };

/* What a generic message means for us; false: it is not of H.239. */
bool h239_receive(struct h239 *t, const char *kind, const json_t *message, enum h239_news *ret);
bool h239_answer(struct h239 *t, bool grant);	/* to PEER_ASKS; false: nothing was asked */
void h239_ask(struct h239 *t, unsigned channel, uint8_t breaking);	/* 1..127: the higher wins when both ask */
void h239_release(struct h239 *t);		/* ours, or what we asked for */
