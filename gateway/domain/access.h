/* Data rights (数据权限) by division. An account belongs to a division and commands what belongs to it and to those below;
 * an account without division belongs to the house, which is everything. What is made belongs to the division of who makes
 * it. A share lets another division read, or command, one site, incident or conference, or a whole division.
 * Each question costs the depth of the tree, times the shares of that one object. */
#pragma once
#include "gateway/domain/domain.h"

/* kind: division, site, person, device, address (a site's), incident, conference (id or number), rollcall, scene, link, party,
 * stream, room (its device); any other kind belongs to whom gw_access_own() said, or to the house. division "" or NULL = the house. */
bool gw_access_may(const gw_domain *d, const char *division, const char *kind, const char *object, bool command);
bool gw_access_known(const gw_domain *d, const char *kind, const char *object);	/* false: no such object, and gw_access_may() lets the verb say so */
/* NULL = the house. Borrowed. */
const char *gw_access_division(const gw_domain *d, const char *kind, const char *object);
bool gw_access_within(const gw_domain *d, const char *division, const char *above);	/* equal, or below it */

/* Whose the objects are that the next verbs make; NULL = the house's. Copied. */
void gw_access_acting(gw_domain *d, const char *division);
/* Gives an object of a kind that can be given (incident, conference, and the kinds of other parts) to a division. */
bool gw_access_own(gw_domain *d, const char *actor, const char *kind, const char *object, const char *division, struct gw_now now, GError **err);
void gw_access_made(gw_domain *d, const char *actor, const char *kind, const char *object, struct gw_now now);	/* by whom acts now */

struct gw_share_facts { const char *kind, *object, *to; bool command; };	/* kind: division, site, incident or conference */
/* The id, borrowed; the same object to the same division again changes the right. NULL + err. */
const char *gw_access_share(gw_domain *d, const char *actor, const struct gw_share_facts *f, struct gw_now now, GError **err);
bool gw_access_unshare(gw_domain *d, const char *actor, const char *id, struct gw_now now, GError **err);
bool gw_access_share_info(const gw_domain *d, const char *id, struct gw_share_facts *ret);	/* borrowed */
json_t *gw_access_shares(const gw_domain *d);	/* array of share, oldest first, (transfer full) */

/* ---- four eyes (双人复核): an act of one administrator that a second one must approve within GW_TIMER_APPROVAL ---- */
/* subject: the account, whatever it is called; digest: of the whole request; text: for people. A second request for the same
 * is the first one. Returns the id, borrowed. */
struct gw_approval_facts { const char *subject, *method, *digest, *text; };
const char *gw_approval_ask(gw_domain *d, const char *actor, const struct gw_approval_facts *f, struct gw_now now, GError **err);
/* by: account that decides; never the one that asked. */
bool gw_approval_decide(gw_domain *d, const char *actor, const char *by, const char *id, bool yes, struct gw_now now, GError **err);
/* True once: it was approved in time and is used up now. */
bool gw_approval_use(gw_domain *d, const char *actor, const struct gw_approval_facts *f, struct gw_now now);
json_t *gw_approval_list(const gw_domain *d);	/* of the last day, newest first, (transfer full) */
