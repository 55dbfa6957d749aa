/* SPDX-License-Identifier: Apache-2.0 */
/* adb's file service. Only its reading half: LST2/STAT, LIS2/LIST, RCV2/RECV; nothing is ever sent to the phone. */
#ifndef GH_DEVICE_SYNC_H
#define GH_DEVICE_SYNC_H

#include "device/phone.h"

struct gh_sync_stat {
	uint32_t error; /* the phone's errno; 0: none (always with version 1, which has all zeros instead) */
	uint32_t mode, uid, gid;
	uint64_t ino, size;
	int64_t mtime;
	bool v2; /* uid, gid and ino are known */
};

struct gh_sync {
	struct gh_phone *phone;
	struct gh_reader reader;
	char said[200]; /* what the phone gave as the reason for GH_UNSUP */
};

enum {
	GH_SYNC_PATH_MAX = 1024, /* what adbd takes */
	GH_SYNC_NAME_MAX = 255, /* of Linux */
	GH_SYNC_ENTRIES_MAX = 1 << 18, /* of one folder: an endless one is cut here */
};

/* A new session. */
enum gh_code gh_sync_open(struct gh_phone *phone, struct gh_sync *ret, struct gh_err *err) GH_MUST;
void gh_sync_close(struct gh_sync *sync);

/* Of the link itself, where it is one. */
enum gh_code gh_sync_stat(struct gh_sync *sync, const char *path, struct gh_sync_stat *ret, struct gh_err *err) GH_MUST;
typedef enum gh_code gh_sync_entry_fn(
	void *to, struct gh_str name, const struct gh_sync_stat *stat, struct gh_err *err);
/* Each name in a folder but "." and "..". A folder that cannot be read has no names: the protocol does not tell. GH_LIMIT: there
 * are more than are taken. */
enum gh_code gh_sync_list(
	struct gh_sync *sync, const char *path, gh_sync_entry_fn *fn, void *to, struct gh_err *err) GH_MUST;

/* Asks for a file; several may be asked for before the first is taken. */
enum gh_code gh_sync_ask(struct gh_sync *sync, const char *path, struct gh_err *err) GH_MUST;
typedef enum gh_code gh_sync_data_fn(void *to, const uint8_t *p, size_t n, struct gh_err *err);
/* Takes the next file. GH_UNSUP: the phone refuses it (said); the session is over then, as adbd ends it. GH_LIMIT: more than
 * `most` bytes came; the session is over as well. */
enum gh_code gh_sync_take(
	struct gh_sync *sync, uint64_t most, gh_sync_data_fn *fn, void *to, struct gh_err *err) GH_MUST;

#endif
