/* SPDX-License-Identifier: MIT */
/* What the metrics say of an exchange that has ended. */
#include "exchange.h"
#include "metrics.h"

#include "base/clock.h"

static enum slt_exchange_end outcome(const struct slt_exchange *x)
{
	if (x->err.code == SLT_OK) {
		return SLT_END_DONE;
	}
	if (x->soap_answer && x->soap_answer->is_fault && x->settled) {
		return SLT_END_PROVIDER_FAULT;
	}
	if (slt_exchange_outcome_unknown(x)) {
		return SLT_END_UNKNOWN;
	}
	return x->sent ? SLT_END_FAILED : SLT_END_REFUSED;
}

static void count_problems(const struct slt_map_result *r, size_t route)
{
	for (size_t i = 0; r && r->problems && i < r->problems->n; i++) {
		slt_metrics_add(SLT_M_PROBLEMS, route, (size_t)r->problems->v[i].code, 1);
	}
}

void slt_exchange_count(const struct slt_exchange *x)
{
	bool provider = x->soap_answer && x->soap_answer->is_fault;
	size_t fault = provider ? SLT_FAULT_OF_PROVIDER : (size_t)x->err.code;

	for (unsigned i = 0; slt_pipeline_step_name(i) && i < x->step; i++) {
		if (x->spent_us[i]) { /* not all steps are everybody's */
			slt_metrics_observe(SLT_M_STEP_SECONDS, i, x->spent_us[i]);
		}
	}
	if (x->meta) {
		slt_metrics_add(SLT_M_META, slt_metrics_side(slt_side_config(x->side[SLT_NEAR])),
				(size_t)x->err.code, 1);
		return;
	}
	if (!x->route.config) {
		slt_metrics_add(SLT_M_REFUSED, slt_metrics_side(slt_side_config(x->side[SLT_NEAR])),
				fault, 1);
		return;
	}
	size_t route = slt_metrics_route(x->route.config);
	slt_metrics_add(SLT_M_EXCHANGES, route, outcome(x), 1);
	slt_metrics_observe(SLT_M_EXCHANGE_SECONDS, route, slt_mono_us() - x->started_us);
	if (x->err.code != SLT_OK) {
		slt_metrics_add(SLT_M_FAULTS, route, fault, 1);
	}
	if (x->repeated) {
		slt_metrics_add(SLT_M_REPEATED, route, 0, 1);
	}
	count_problems(x->mapped[0], route);
	count_problems(x->mapped[1], route);
}
