/* A certificate that signed itself, and its key, in a folder of their own. */
#pragma once
struct pair { char *folder, *certificate, *key; };
void pair_make(struct pair *p, const char *cn, const char *san);	/* san: "DNS:mcu.example", "IP:127.0.0.1" */
void pair_clear(struct pair *p);
