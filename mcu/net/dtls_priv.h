/* DTLS 1.2 handshakes for SRTP keys (RFC 5763, RFC 5764) on OpenSSL with datagrams handed in and out.
 * One context a port; media thread only. The peer's certificate must hash to what was signalled: anything else is
 * MCU_DTLS_MISMATCH and no keys come out. */
#pragma once
#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mcu/net/srtp_priv.h"

enum { MCU_DTLS_MTU = 1200, MCU_DTLS_HASH = 32 };
enum mcu_dtls_result { MCU_DTLS_WAIT, MCU_DTLS_DONE, MCU_DTLS_FAILED, MCU_DTLS_MISMATCH, MCU_DTLS_CLOSED };

typedef struct mcu_dtls_ctx mcu_dtls_ctx;
mcu_dtls_ctx *mcu_dtls_ctx_new(GError **err);	/* makes the key and the certificate */
void mcu_dtls_ctx_free(mcu_dtls_ctx *ctx);
const char *mcu_dtls_fingerprint(const mcu_dtls_ctx *ctx);	/* "AA:BB:..", SHA-256 */
bool mcu_dtls_parse_fingerprint(const char *text, uint8_t ret_hash[MCU_DTLS_HASH]);

typedef void (*mcu_dtls_send_fn)(const uint8_t *data, size_t len, void *user_data);
typedef struct mcu_dtls mcu_dtls;
/* `hash`: of the peer's certificate. A client needs mcu_dtls_start(). */
mcu_dtls *mcu_dtls_new(mcu_dtls_ctx *ctx, bool client, const uint8_t hash[MCU_DTLS_HASH], mcu_dtls_send_fn send,
		       void *user_data);
void mcu_dtls_free(mcu_dtls *d);	/* NULL allowed; sends close_notify when the handshake was done */
void mcu_dtls_free_quietly(mcu_dtls *d);	/* the association goes on, only its handshake state is given back */
enum mcu_dtls_result mcu_dtls_start(mcu_dtls *d);
enum mcu_dtls_result mcu_dtls_input(mcu_dtls *d, const uint8_t *data, size_t len);
enum mcu_dtls_result mcu_dtls_timer(mcu_dtls *d);	/* after the deadline: sends the flight again */
int64_t mcu_dtls_timeout_us(const mcu_dtls *d);	/* from now; -1 = none */
/* After DONE: key and salt of each direction, `suite` of use_srtp. false: the peer agreed on no suite of ours. */
bool mcu_dtls_keys(const mcu_dtls *d, enum mcu_srtp_suite *ret_suite, uint8_t ret_send[30], uint8_t ret_recv[30]);
