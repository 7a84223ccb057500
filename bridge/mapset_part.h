/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Mapping tables as an extra part of the global configuration: content identifier MAPPING-TABLES,
 * a ZIP file with the files of a mapping set (mappings/README.md). The signed configuration
 * directory vouches for its bytes; who may publish that directory may change the tables, so a set
 * may be signed by its owners besides, which the caller's judge can demand.
 *
 * Checks: that the set loads, at both ends; plain relative names of tables, rules and manifests,
 * each once, below the limits; that no rule file reads another from outside the set.
 * Does not check: the digest of the part (globalconf_fetch does), signatures of the owners.
 *
 * The directory into which sets are unpacked is swapped whole, so that a reader or a crash at any
 * instant finds the old or the new set. One process does so at a time.
 */

#include "base/buf.h"

#define SLT_MAPSET_PART_MAX	   (32u << 20) /* bytes of the part */
#define SLT_MAPSET_PART_FILES	   10000
#define SLT_MAPSET_PART_FILE_MAX   (64u << 20) /* uncompressed */
#define SLT_MAPSET_PART_TOTAL_MAX  (256u << 20)
#define SLT_MAPSET_PART_RATIO_MAX  100 /* of a file larger than SLT_MAPSET_PART_RATIO_FROM */
#define SLT_MAPSET_PART_RATIO_FROM (1u << 20)
#define SLT_MAPSET_PART_DEPTH_MAX  8	   /* directories */
#define SLT_MAPSET_PART_MARK	   ".part" /* in the directory: SHA-512 of what was unpacked */

/* Packs the set in dir, when it loads; the same files give the same bytes. SLT_ECONFIG. */
SLT_CHECK bool slt_mapset_part_make(const char *dir, struct slt_buf *out, struct slt_err *err);

/* Is the set in dir one that may be used? Errors name the files. */
typedef bool (*slt_mapset_judge_fn)(void *arg, const char *dir, struct slt_err *err);
/* A judge that asks only whether it loads; arg is not looked at. */
bool slt_mapset_loads(void *arg, const char *dir, struct slt_err *err);

/* Unpacks a part beside dir, has it judged, and puts it in dir's place. *ret_changed is false when
 * dir holds just this part already. A directory that holds anything but an unpacked part is not
 * touched (SLT_ECONFIG). On failure dir is as it was. */
SLT_CHECK bool slt_mapset_part_install(struct slt_str zip, const char *dir,
				       slt_mapset_judge_fn judge, void *judge_arg,
				       bool *ret_changed, struct slt_err *err);
/* The same with the part in the configuration cache, that of its own instance. */
SLT_CHECK bool slt_mapset_part_renew(const char *cache, const char *instance, const char *dir,
				     slt_mapset_judge_fn judge, void *judge_arg, bool *ret_changed,
				     struct slt_err *err);
