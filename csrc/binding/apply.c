/* apply.c -- runs one op on tensors, with the GIL released if there is enough work; raises errors as exceptions. */
#include "binding/binding.h"

int pnb_apply(const pn_state *s, const pn_op *op, int n, pn_tensor *const *inputs, const void *params, bool record,
              pn_tensor **outputs)
{
    pn_error err;
    pn_index work = 0;
    for (int i = 0; i < n; i++)
        if (inputs[i])
            work += inputs[i]->v.size;
    int failed;
    if (work < PNB_RELEASE_AT) {
        failed = pn_apply(s->engine, op, n, inputs, params, record, outputs, &err);
    } else {
        PyThreadState *thread = pnb_gate_enter(s->gate);
        failed = pn_apply(s->engine, op, n, inputs, params, record, outputs, &err);
        pnb_gate_leave(s->gate, thread);
    }
    if (failed)
        pnb_raise(&err);
    return failed;
}
