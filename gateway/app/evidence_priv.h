/* Stills and sound clips of roll calls as files, <state>/rollcall/<id>/<sha256>.jpg|wav. The log holds the hash: a file that
 * was altered is not served. */
#pragma once
#include "gateway/app/app_priv.h"

void gw_app_evidence_start(gw_app *app);
void gw_app_evidence_stop(gw_app *app);	/* writes what it was given */
char *gw_app_evidence_folder(const gw_app *app, const char *rollcall);	/* (transfer full) */
/* false with *ret_why: it was known and is gone or altered; without: nobody knows it. */
bool gw_app_evidence_read(gw_app *app, const char *rollcall, const char *file, char **ret_bytes, gsize *ret_len, const char **ret_why);
/* Asks the mixer for it; what comes is kept. Nothing comes: nothing is kept, and nobody waits. */
void gw_app_evidence_take(gw_app *app, const char *rollcall, const char *party, enum gw_evidence_kind kind);
