/* gathering.h -- shared by gather and augment: checks of row numbers, and of means and scales. */
#ifndef PN_OPS_GATHERING_H
#define PN_OPS_GATHERING_H

#include "ops/op.h"

/* Checks that input i, int64 (m,), numbers rows of input 0. */
int pn_gathering_check_rows(const pn_call *c, int i, pn_error *err);

/* Checks that inputs i and i + 1, a mean and what it is multiplied by, are both given or neither, of the call's real,
 * and one number each, or one for each of the last axis of input 0. */
int pn_gathering_check_normalising(const pn_call *c, int i, pn_error *err);

/* The real of the result: that of input 0 if it is real, else the one asked for. */
pn_dtype pn_gathering_real(const pn_call *c, pn_dtype asked);

#endif
