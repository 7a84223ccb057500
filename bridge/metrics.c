/* SPDX-License-Identifier: MIT */
#include "metrics.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "exchange.h"

enum type { COUNTER, GAUGE, HISTOGRAM };
enum dim {
	NONE,
	SIDE,
	ROUTE,
	FAULT,
	STEP,
	OUTCOME,
	WAY,
	LISTENER,
	FOUND,
	TASK,
	CERT,
	RESULT,
	LEVEL,
};

#define UNSET INT64_MIN /* of a gauge */

static const struct {
	const char *name;
	enum type type;
	int64_t divisor;
	enum dim first, second;
	const char *help;
} metrics[SLT_METRIC_COUNT] = {
#define X(symbol, name, type, divisor, first, second, help)                                        \
	[symbol] = {name, type, divisor, first, second, help},
#include "metrics.def"
#undef X
};

/* Upper bounds of a histogram's buckets, microseconds; one more has none. */
static const int64_t bounds[] = {1000,	  2500,	   5000,     10000,    25000,
				 50000,	  100000,  250000,   500000,   1000000,
				 2500000, 5000000, 10000000, 30000000, 60000000};
#define BUCKETS (SLT_COUNT(bounds) + 1)
#define SUM	BUCKETS /* the cell after the buckets */

static const struct slt_config *config;
static _Atomic int64_t *cells[SLT_METRIC_COUNT];

/* --- labels ------------------------------------------------------------------------------- */

static const char *const outcomes[] = {"done", "provider_fault", "refused", "failed", "unknown"};
static const char *const ways[] = {"received", "sent"};
static const char *const listeners[] = {"transport", "ocsp"};
static const char *const found[] = {"miss", "hit"};
static const char *const tasks[] = {"configuration", "tables", "ocsp", "timestamps"};
static const char *const certs[] = {"sign", "tls"};
static const char *const results[] = {"refused", "taken"};
static const char *const levels[] = {"good", "warning", "failed"};

/* Labels whose values are the same everywhere. */
static const struct {
	const char *label;
	const char *const *value;
	size_t n;
} fixed[] = {
	[OUTCOME] = {"outcome", outcomes, SLT_COUNT(outcomes)},
	[WAY] = {"direction", ways, SLT_COUNT(ways)},
	[LISTENER] = {"listener", listeners, SLT_COUNT(listeners)},
	[FOUND] = {"result", found, SLT_COUNT(found)},
	[TASK] = {"task", tasks, SLT_COUNT(tasks)},
	[CERT] = {"certificate", certs, SLT_COUNT(certs)},
	[RESULT] = {"result", results, SLT_COUNT(results)},
	[LEVEL] = {"level", levels, SLT_COUNT(levels)},
};

static size_t size_of(enum dim d)
{
	switch (d) {
	case NONE:
		return 1;
	case SIDE:
		return config->n_sides;
	case ROUTE:
		return config->n_routes;
	case FAULT:
		return SLT_FAULT_OF_PROVIDER + 1;
	case STEP:
		return SLT_STEPS_MAX;
	case OUTCOME:
	case WAY:
	case LISTENER:
	case FOUND:
	case TASK:
	case CERT:
	case RESULT:
	case LEVEL:
		break;
	}
	return fixed[d].n;
}

/* One label pair, quoted: backslash, quotation mark and end of line are escaped. */
static void add_label(struct slt_buf *out, const char *name, const char *value)
{
	slt_buf_addf(out, "%s%s=\"", out->n && out->p[out->n - 1] != '{' ? "," : "", name);
	for (const char *p = value; *p; p++) {
		if (*p == '\n') {
			slt_buf_adds(out, "\\n");
			continue;
		}
		if (*p == '"' || *p == '\\') {
			slt_buf_addc(out, '\\');
		}
		slt_buf_addc(out, *p);
	}
	slt_buf_addc(out, '"');
}

static void add_dim(struct slt_buf *out, enum dim d, size_t i)
{
	const struct slt_config_route *r;

	switch (d) {
	case NONE:
		return;
	case SIDE:
		add_label(out, "side", config->side[i].name);
		return;
	case ROUTE:
		r = &config->route[i];
		add_label(out, "route", r->name);
		add_label(out, "from", r->from);
		add_label(out, "to", r->to);
		return;
	case FAULT:
		add_label(out, "fault",
			  i == SLT_FAULT_OF_PROVIDER
				  ? "provider_fault"
				  : slt_code_name((enum slt_code)i, SLT_DIALECT_SNAKE));
		return;
	case STEP:
		add_label(out, "step", slt_pipeline_step_name((unsigned)i));
		return;
	case OUTCOME:
	case WAY:
	case LISTENER:
	case FOUND:
	case TASK:
	case CERT:
	case RESULT:
	case LEVEL:
		break;
	}
	add_label(out, fixed[d].label, fixed[d].value[i]);
}

/* --- counting ----------------------------------------------------------------------------- */

static size_t cells_of(enum slt_metric m)
{
	return metrics[m].type == HISTOGRAM ? BUCKETS + 1 : 1;
}

static size_t places_of(enum slt_metric m)
{
	return size_of(metrics[m].first) * size_of(metrics[m].second);
}

void slt_metrics_open(const struct slt_config *c)
{
	config = c;
	for (unsigned m = 0; m < SLT_METRIC_COUNT; m++) {
		size_t n = places_of((enum slt_metric)m) * cells_of((enum slt_metric)m);
		cells[m] = slt_calloc(n ? n : 1, sizeof(*cells[m]));
		for (size_t i = 0; metrics[m].type == GAUGE && i < n; i++) {
			atomic_init(&cells[m][i], UNSET);
		}
	}
}

void slt_metrics_close(void)
{
	for (unsigned m = 0; m < SLT_METRIC_COUNT; m++) {
		free(SLT_TAKE(cells[m]));
	}
	config = NULL;
}

/* The first cell of a place; NULL where nothing is counted. */
static _Atomic int64_t *at(enum slt_metric m, size_t first, size_t second)
{
	if (!cells[m] || first >= size_of(metrics[m].first) ||
	    second >= size_of(metrics[m].second)) {
		return NULL;
	}
	return &cells[m][(first * size_of(metrics[m].second) + second) * cells_of(m)];
}

void slt_metrics_add(enum slt_metric m, size_t first, size_t second, int64_t n)
{
	_Atomic int64_t *c = at(m, first, second);

	if (c) {
		atomic_fetch_add_explicit(c, n, memory_order_relaxed);
	}
}

void slt_metrics_set(enum slt_metric m, size_t first, size_t second, int64_t value)
{
	_Atomic int64_t *c = at(m, first, second);

	if (c) {
		atomic_store_explicit(c, value, memory_order_relaxed);
	}
}

void slt_metrics_unset(enum slt_metric m, size_t first, size_t second)
{
	slt_metrics_set(m, first, second, UNSET);
}

void slt_metrics_observe(enum slt_metric m, size_t first, int64_t us)
{
	_Atomic int64_t *c = at(m, first, 0);
	size_t bucket = 0;

	if (!c) {
		return;
	}
	while (bucket < SLT_COUNT(bounds) && us > bounds[bucket]) {
		bucket++;
	}
	atomic_fetch_add_explicit(&c[bucket], 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&c[SUM], us, memory_order_relaxed);
}

int64_t slt_metrics_get(enum slt_metric m, size_t first, size_t second)
{
	_Atomic int64_t *c = at(m, first, second);

	return c ? atomic_load_explicit(c, memory_order_relaxed) : 0;
}

int64_t slt_metrics_sum(enum slt_metric m, size_t first)
{
	int64_t sum = 0;

	for (size_t i = 0; cells[m] && i < size_of(metrics[m].second); i++) {
		sum += slt_metrics_get(m, first, i);
	}
	return sum;
}

size_t slt_metrics_side(const struct slt_config_side *side)
{
	return config ? (size_t)(side - config->side) : 0;
}

size_t slt_metrics_route(const struct slt_config_route *route)
{
	return config ? (size_t)(route - config->route) : 0;
}

/* --- telling ------------------------------------------------------------------------------ */

static void add_value(struct slt_buf *out, int64_t v, int64_t divisor)
{
	int digits = divisor == 1000 ? 3 : 6;

	if (divisor == 1) {
		slt_buf_addf(out, " %" PRId64 "\n", v);
		return;
	}
	uint64_t u = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
	slt_buf_addf(out, " %s%" PRIu64 ".%0*" PRIu64 "\n", v < 0 ? "-" : "", u / (uint64_t)divisor,
		     digits, u % (uint64_t)divisor);
}

static void begin_sample(struct slt_buf *out, enum slt_metric m, const char *suffix, size_t first,
			 size_t second, const char *le)
{
	bool labels = metrics[m].first != NONE || le;

	slt_buf_addf(out, "%s%s%s", metrics[m].name, suffix, labels ? "{" : "");
	add_dim(out, metrics[m].first, first);
	add_dim(out, metrics[m].second, second);
	if (le) {
		add_label(out, "le", le);
	}
	slt_buf_adds(out, labels ? "}" : "");
}

/* "0.0025": no more digits than it takes. */
static const char *bound_text(size_t i, char ret[32])
{
	SLT_AUTO_BUF(b, 32);

	if (i == SLT_COUNT(bounds)) {
		return "+Inf";
	}
	slt_buf_addf(&b, "%" PRId64 ".%06" PRId64, bounds[i] / 1000000, bounds[i] % 1000000);
	size_t n = b.n;
	while (b.p[n - 1] == '0') {
		n--;
	}
	n -= b.p[n - 1] == '.';
	memcpy(ret, b.p, n);
	ret[n] = '\0';
	return ret;
}

static void write_histogram(struct slt_buf *out, enum slt_metric m, size_t first)
{
	_Atomic int64_t *c = at(m, first, 0);
	int64_t sum = atomic_load_explicit(&c[SUM], memory_order_relaxed), n = 0;

	for (size_t i = 0; i < BUCKETS; i++) {
		char le[32];
		n += atomic_load_explicit(&c[i], memory_order_relaxed);
		begin_sample(out, m, "_bucket", first, 0, bound_text(i, le));
		slt_buf_addf(out, " %" PRId64 "\n", n);
	}
	begin_sample(out, m, "_sum", first, 0, NULL);
	add_value(out, sum, metrics[m].divisor);
	begin_sample(out, m, "_count", first, 0, NULL);
	slt_buf_addf(out, " %" PRId64 "\n", n);
}

static void write_place(struct slt_buf *out, enum slt_metric m, size_t first, size_t second)
{
	if (metrics[m].first == STEP && !slt_pipeline_step_name((unsigned)first)) {
		return;
	}
	if (metrics[m].type == HISTOGRAM) {
		write_histogram(out, m, first);
		return;
	}
	int64_t v = slt_metrics_get(m, first, second);
	/* of the many codes of faults only those that have occurred */
	if (v != UNSET && (v != 0 || metrics[m].second != FAULT)) {
		begin_sample(out, m, "", first, second, NULL);
		add_value(out, v, metrics[m].divisor);
	}
}

void slt_metrics_write(struct slt_buf *out)
{
	static const char *const types[] = {"counter", "gauge", "histogram"};

	for (unsigned i = 0; config && i < SLT_METRIC_COUNT; i++) {
		enum slt_metric m = (enum slt_metric)i;
		slt_buf_addf(out, "# HELP %s %s\n# TYPE %s %s\n", metrics[m].name, metrics[m].help,
			     metrics[m].name, types[metrics[m].type]);
		for (size_t k = 0; k < places_of(m); k++) {
			size_t n = size_of(metrics[m].second);
			write_place(out, m, k / n, k % n);
		}
	}
}

void slt_metrics_write_info(struct slt_buf *out, const char *name, const char *help,
			    const char *label, const char *value)
{
	slt_buf_addf(out, "# HELP %s %s\n# TYPE %s gauge\n%s{", name, help, name, name);
	add_label(out, label, value);
	slt_buf_adds(out, "} 1\n");
}
