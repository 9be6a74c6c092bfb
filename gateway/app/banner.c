/* What the operator reads on the terminal after a start: addresses, the one-time set-up link, a QR code for a phone. */
#include <qrencode.h>
#include <stdio.h>

#include "gateway/app/app_priv.h"

/* Two rows of modules a line, white on black terminals as well as on white ones: both colours are set. */
static void print_qr(const char *text)
{
	QRcode *qr = QRcode_encodeString(text, 0, QR_ECLEVEL_L, QR_MODE_8, 1);
	if (qr == NULL) {
		return;
	}
	const int margin = 2, size = qr->width + 2 * margin;
	for (int y = 0; y < size; y += 2) {
		printf("  \033[40;97m");
		for (int x = 0; x < size; x++) {
			bool dark[2];
			for (int half = 0; half < 2; half++) {
				int qx = x - margin, qy = y + half - margin;
				bool inside = qx >= 0 && qx < qr->width && qy >= 0 && qy < qr->width;
				dark[half] = inside && (qr->data[qy * qr->width + qx] & 1) != 0;
			}
			printf("%s", dark[0] ? (dark[1] ? " " : "▄") : (dark[1] ? "▀" : "█"));
		}
		printf("\033[0m\n");
	}
	QRcode_free(qr);
}

void gw_app_banner(const gw_app *app)
{
	printf("\n  Ortoo is running.\n\n  Console      %s/\n", app->url);
	if (app->setup_token != NULL) {
		printf("  Set-up       %s/setup#%s\n               (one time: makes the first administrator)\n", app->url, app->setup_token);
	}
	if (app->demo_wall != NULL) {
		printf("  Wall         %s\n               (a screen of the drill; keep this link, it is shown once)\n", app->demo_wall);
	}
	if (app->demo_link != NULL) {
		printf("  Field page   %s\n               (drill 演练, for your own phone)\n\n", app->demo_link);
		print_qr(app->demo_link);
	}
	printf("\n  Ctrl-C ends everything.\n\n");
	fflush(stdout);
}
