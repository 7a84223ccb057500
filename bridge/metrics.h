/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Counters, gauges and histograms of the process, told as Prometheus' text format 0.0.4. One table
 * (metrics.def) names them; each combination of label values has a place of its own, made at the
 * start, so that counting is one atomic addition, from any thread.
 *
 * Before slt_metrics_open() nothing is counted: programs that only use a part of the bridge need
 * not know of this.
 */

#include "config.h"

enum slt_metric {
#define X(symbol, name, type, divisor, first, second, help) symbol,
#include "metrics.def"
#undef X
	SLT_METRIC_COUNT
};

/* Places of labels: of a side or a route in the configuration, of a step in the pipeline; of a
 * fault its enum slt_code, or SLT_FAULT_OF_PROVIDER. */
#define SLT_FAULT_OF_PROVIDER SLT_CODE_COUNT
enum slt_exchange_end {
	SLT_END_DONE,
	SLT_END_PROVIDER_FAULT, /* answered, with the provider's own fault */
	SLT_END_REFUSED,	/* nothing was sent to the provider */
	SLT_END_FAILED,		/* sent, and known not to have been answered well */
	SLT_END_UNKNOWN,	/* sent, and what became of it is not known */
};
enum slt_way { SLT_WAY_RECEIVED, SLT_WAY_SENT };
enum slt_listener { SLT_LISTENER_TRANSPORT, SLT_LISTENER_RELAY };
enum slt_own_cert { SLT_CERT_SIGN, SLT_CERT_TLS };

/* config is borrowed until slt_metrics_close(). */
void slt_metrics_open(const struct slt_config *config);
void slt_metrics_close(void);

/* Places beyond those of the labels are left out. */
void slt_metrics_add(enum slt_metric m, size_t first, size_t second, int64_t n);
/* For gauges, and counters that are kept elsewhere. */
void slt_metrics_set(enum slt_metric m, size_t first, size_t second, int64_t value);
/* A gauge of which nothing is known is not told. */
void slt_metrics_unset(enum slt_metric m, size_t first, size_t second);
void slt_metrics_observe(enum slt_metric m, size_t first, int64_t us);
/* The sum over the second label. */
int64_t slt_metrics_sum(enum slt_metric m, size_t first);
int64_t slt_metrics_get(enum slt_metric m, size_t first, size_t second);

/* Places in the configuration. */
size_t slt_metrics_side(const struct slt_config_side *side);
size_t slt_metrics_route(const struct slt_config_route *route);

void slt_metrics_write(struct slt_buf *out);
/* `name{label="value"} 1`, for what is known by its name alone. */
void slt_metrics_write_info(struct slt_buf *out, const char *name, const char *help,
			    const char *label, const char *value);
