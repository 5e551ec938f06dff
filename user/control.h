/* SPDX-License-Identifier: BSD-2-Clause */
/* The paths of the agent's control socket, for both ends: HTTP over a local socket of mode 0600 in the
 * state folder of each interface. Replies other than 200 say why in one line. */
#ifndef SENTROID_CONTROL_H
#define SENTROID_CONTROL_H

#define SEN_CONTROL_SOCKET  "control.sock"
#define SEN_CONTROL_LEARNER "/learner"      /* GET: its status, JSON */
#define SEN_CONTROL_ALERTS  "/alerts"       /* GET: as /api/v1/alerts has them, a JSON array */
#define SEN_CONTROL_NOW     "/learn/now"    /* POST: train; ?full=1: from scratch */
#define SEN_CONTROL_PAUSE   "/learn/pause"  /* POST: rest; ?seconds=N */
#define SEN_CONTROL_RESUME  "/learn/resume" /* POST */

#endif
