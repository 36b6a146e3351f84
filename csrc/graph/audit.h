/* audit.h -- for tests: checks that an op's forward and backward do only what its rule declares. */
#ifndef PN_AUDIT_H
#define PN_AUDIT_H

#include "ops/op.h"

/* Each runs op->forward or op->backward several times, with different contents in all memory that they must not read:
 * scratch and results that they have not written yet, inputs and outputs that are not kept.  The results are those of a
 * plain run.  Fails, naming the op and the error, if results differ, or if a byte outside scratch or saved is
 * written. */
int pn_audit_forward(pn_engine *engine, pn_call *call, pn_error *err);
int pn_audit_backward(pn_engine *engine, pn_call *call, pn_error *err); /* needs call->backward_scratch */

#endif
