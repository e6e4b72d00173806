/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef NOTIFY_H
#define NOTIFY_H

/*
 * What a service tells systemd (sd_notify(3)): one datagram to the socket that NOTIFY_SOCKET names.
 * Without that variable nothing happens. Nothing here waits or fails in a way that matters: who
 * started us may have left. Any thread.
 */

void notify_ready(void);
void notify_watchdog(void);
void notify_stopping(void);
/* One line for `systemctl status`. */
void notify_status(const char *text);

#endif
