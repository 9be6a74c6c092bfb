/* What the process gives away before it meets a peer. Start-up thread, once. */
#pragma once
#include <stdbool.h>

void mcu_harden(bool allow_core);
