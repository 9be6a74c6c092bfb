/* TPKT (RFC 1006 clause 6): messages in a TCP stream. Pure; any one thread. Accepts what real devices send besides: an empty
 * packet and 00 03 00 04 as keep-alives, anything in the reserved octet (dossier 2.1). */
#pragma once
#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#define TPKT_HEADER 4
#define TPKT_MAX    65535	/* with the header */

struct tpkt { GByteArray *bytes; size_t at; unsigned keep_alives; };

void tpkt_init(struct tpkt *t);
void tpkt_clear(struct tpkt *t);
void tpkt_push(struct tpkt *t, const uint8_t *data, size_t len);
/* 1: *ret_data and *ret_len are the next message, valid until the next call; 0: more octets are wanted; -EBADMSG: this is not
 * TPKT, close the connection. */
int tpkt_next(struct tpkt *t, const uint8_t **ret_data, size_t *ret_len);
GByteArray *tpkt_wrap(const uint8_t *data, size_t len);	/* (transfer full); NULL = longer than 65,531 octets */
