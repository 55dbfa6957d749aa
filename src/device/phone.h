/* SPDX-License-Identifier: Apache-2.0 */
/* One phone: through the local adb server, or directly over a link (a USB cable; a socket in tests). */
#ifndef GH_DEVICE_PHONE_H
#define GH_DEVICE_PHONE_H

#include "device/stream.h"

enum {
	GH_SERIAL_MAX = 256,
	GH_DEVICES_MAX = 64, /* that one list of the server may name */
	GH_COMMAND_MAX = 16 << 10, /* of a service: well below the limit of an old phone's exec */
};

enum gh_phone_features {
	GH_SHELL_V2 = 1, /* streams apart, and an exit status */
	GH_STAT_V2 = 2,
	GH_LS_V2 = 4,
	GH_RECV_V2 = 8,
};

struct gh_transport;

struct gh_phone {
	struct gh_pace pace;
	struct gh_transport *transport; /* NULL: by the server */
	uint16_t port; /* of the server, on this machine */
	char serial[GH_SERIAL_MAX];
	unsigned features;
};

/* A service of the phone, such as "sync:". The caller closes it. */
enum gh_code gh_phone_open(
	struct gh_phone *phone, const char *service, struct gh_stream **ret, struct gh_err *err) GH_MUST;
/* The words of a feature list ("shell_v2,cmd,…"). */
unsigned gh_phone_features(struct gh_str list);

/* ---- the local adb server ---- */

struct gh_device {
	char serial[GH_SERIAL_MAX];
	char state[24]; /* device, unauthorized, offline, …; "long" where it is no such word */
};

/* The port that adb itself would use: ANDROID_ADB_SERVER_PORT, else 5037. */
uint16_t gh_server_port(void);
/* Is a server listening? */
bool gh_server_there(uint16_t port);
/* Debian's "adb start-server"; false: there is none, or it did not start. */
bool gh_server_start(void);
/* Connected devices, in the server's order. */
enum gh_code gh_server_devices(uint16_t port, const struct gh_pace *pace, struct gh_device ret[GH_DEVICES_MAX],
	size_t *ret_n, struct gh_err *err) GH_MUST;
/* What the phone and the server both can. */
enum gh_code gh_server_features(struct gh_phone *phone, struct gh_err *err) GH_MUST;
/* A stream to a service of phone->serial. */
enum gh_code gh_server_open(
	struct gh_phone *phone, const char *service, struct gh_stream **ret, struct gh_err *err) GH_MUST;

#endif
