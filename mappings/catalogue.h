/* SPDX-License-Identifier: MIT */
#pragma once

/* messages.tsv: sentences and labels by key and language. */

#include "mappings/lint.h"

struct slt_messages;

SLT_CHECK bool slt_messages_load(const char *path, struct slt_lint *lint,
				 struct slt_messages **ret);
void slt_messages_free(struct slt_messages *m);
SLT_DEFINE_AUTO(struct slt_messages *, slt_messages_free)

/* The text in that very language; NULL when there is none, or no catalogue. */
const char *slt_message(const struct slt_messages *m, const char *key, const char *lang);
/* The same, else in English, else the key. */
const char *slt_message_or_key(const struct slt_messages *m, const char *key, const char *lang);
const char *slt_messages_digest(const struct slt_messages *m);
