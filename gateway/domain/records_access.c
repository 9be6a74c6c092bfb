/* Bodies of the records of data rights and four eyes. */
#include "gateway/domain/records_priv.h"

TABLE(access_own, ID(access_own, kind, "kind of object"), ID(access_own, object, "which"),
      OPT_ID(access_own, division, "whose; absent = the house's"));
TABLE(access_share, ID(access_share, id, "share"), ID(access_share, kind, "division, site, incident or conference"),
      ID(access_share, object, "which"), ID(access_share, to, "division that may"),
      INT(access_share, nr, 0, 0, NULL, "running number"), BOOL(access_share, command, "command too, not only read"));
TABLE(access_ref, ID(access_ref, id, "share"));
TABLE(approval_ask, ID(approval_ask, id, "request"), TEXT(approval_ask, subject, 256, "account that asks"),
      ID(approval_ask, method, "what it would do"), ID(approval_ask, digest, "SHA-256 of the request"),
      TEXT(approval_ask, text, 400, "the request in words"), INT(approval_ask, nr, 0, 0, NULL, "running number"));
TABLE(approval_end, ID(approval_end, id, "request"), TEXT(approval_end, by, 256, "account that decided"),
      ID(approval_end, state, "approved, refused, used or expired"));
