/* The bodies of the records of call-and-acknowledge as field tables. */
#include "gateway/domain/records_priv.h"

TABLE(callack_way, ENUM(callack_way, channel, gw_callack_channel_names, "page, call, link, sms or voice"),
      TEXT(callack_way, to, 256, "address or telephone"));
TABLE(callack_row, TEXT(callack_row, post, 200, "that must confirm"), TEXT(callack_row, name, 200, "for people"),
      OPT_ID(callack_row, person, "of the directory"), OPT_ID(callack_row, site, "of the directory"),
      INT(callack_row, wait_ms, 0, 3600000, "ms", "then the next of the post is tried; 0 = the default"),
      BOOL(callack_row, together, "at the same time as the row before"),
      ORT_JF_SUB(struct gw_rec_callack_row, ways, ORT_J_ARRAY, &gw_rec_table_callack_way, 0, 8, "all at once"));
TABLE(callack_open, ID(callack_open, id, "which"), ID(callack_open, conference, "that who confirms joins"),
      TEXT(callack_open, text, 2000, "what it is about"), INT(callack_open, nr, 0, 0, NULL, "running number"),
      ORT_JF_SUB(struct gw_rec_callack_open, rows, ORT_J_ARRAY, &gw_rec_table_callack_row, 0, GW_CALLACK_ROWS, "in order"));
TABLE(callack_try, ID(callack_try, callack, "which"), INT(callack_try, row, 0, GW_CALLACK_ROWS, NULL, "from 0"));
TABLE(callack_state, ID(callack_state, callack, "which"), INT(callack_state, row, 0, GW_CALLACK_ROWS, NULL, "from 0"),
      INT(callack_state, way, 0, 8, NULL, "from 0"), ENUM(callack_state, state, gw_callack_state_names, "state"),
      TEXT(callack_state, why, 256, "reason"));
TABLE(callack_ack, ID(callack_ack, callack, "which"), INT(callack_ack, row, 0, GW_CALLACK_ROWS, NULL, "from 0"),
      INT(callack_ack, way, 0, 8, NULL, "by which"));
TABLE(callack_join, ID(callack_join, callack, "which"), INT(callack_join, row, 0, GW_CALLACK_ROWS, NULL, "from 0"),
      ID(callack_join, party, "of the conference"));
TABLE(callack_spent, ID(callack_spent, callack, "which"), TEXT(callack_spent, post, 200, "that did not confirm"));
TABLE(callack_close, ID(callack_close, callack, "which"), TEXT(callack_close, why, 200, "reason"));
