/* audit.h -- for tests: whether an op's forward and backward keep to what its rule said. */
#ifndef PN_AUDIT_H
#define PN_AUDIT_H

#include "ops/op.h"

/* Each runs op->forward or op->backward a few times, on memory that differs in what they must not read: scratch and
 * results that they have not written, inputs and outputs that are not kept.  The results are those of a plain run.
 * Fails, naming the op and what it did, where results differ, or where a byte beside scratch or saved was written. */
int pn_audit_forward(pn_engine *engine, pn_call *call, pn_error *err);
int pn_audit_backward(pn_engine *engine, pn_call *call, pn_error *err); /* wants call->backward_scratch */

#endif
