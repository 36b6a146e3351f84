/* targets.h -- shared by the losses and accuracy: checks of targets and row weights, and the reduction over rows. */
#ifndef PN_OPS_TARGETS_H
#define PN_OPS_TARGETS_H

#include "ops/op.h"

/* Checks that input i, if it has data, holds class numbers 0..classes-1 or `ignore`. */
int pn_targets_check_classes(const pn_call *c, int i, pn_index classes, pn_optional ignore, pn_error *err);

/* Checks that input i has one value per row: the shape `lead` of ndim axes, or that with an axis of length 1 added. */
int pn_targets_check_rows(const pn_call *c, int i, int ndim, const pn_index *lead, pn_error *err);

/* Sets output 0: for "none", one loss per row, of shape `lead`; else a scalar. */
int pn_targets_output(pn_call *c, pn_reduction how, int ndim, const pn_index *lead, pn_error *err);

/* The sum of n reals, in the kernels' fixed order; work: pn_targets_sum_work bytes. */
size_t pn_targets_sum_work(const pn_call *c, pn_index n);
double pn_targets_sum(const pn_call *c, const void *v, pn_index n, void *work);

/* scale[r]: what multiplies the gradient of row r's loss, from dy[0]; divisor: of a mean. */
void pn_targets_scale(const pn_call *c, pn_reduction how, pn_index rows, double divisor, void *scale);

#define PN_REDUCTION_DOC "\"mean\" (divided by the total weight), \"sum\" or \"none\" (a loss for each row)"

#endif
