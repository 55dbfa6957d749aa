/* SPDX-License-Identifier: Apache-2.0 */
/* Messages of update packages: metadata.pb and care_map.pb. */
#ifndef GH_INSPECTORS_OTA_PROTO_H
#define GH_INSPECTORS_OTA_PROTO_H

#include "tree/plugin.h"

/* metadata.pb (build/make tools/releasetools/ota_metadata.proto): rows under the names that the text beside it has. */
enum gh_code ota_metadata_pb(struct gh_ctx *ctx, struct gh_cursor c, struct gh_err *err) GH_MUST;
/* care_map.pb (bootable/recovery update_verifier/care_map.proto). */
enum gh_code ota_care_map(struct gh_ctx *ctx, struct gh_cursor c, struct gh_err *err) GH_MUST;

#endif
