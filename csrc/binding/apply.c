/* apply.c -- runs one op on tensors, with the GIL released if there is enough work; raises errors as exceptions. */
#include "binding/binding.h"

/* Calls watcher(name of the op, outputs); its exception becomes the op's. */
static int tell_watcher(const pn_state *s, const pn_op *op, pn_tensor **outputs)
{
    PyObject *new_outputs = PyTuple_New(op->n_out);
    for (int i = 0; new_outputs && i < op->n_out; i++) {
        PyObject *new_output = pnb_wrap(s, pn_tensor_ref(outputs[i]));
        if (new_output)
            PyTuple_SET_ITEM(new_outputs, i, new_output);
        else
            Py_CLEAR(new_outputs);
    }
    PyObject *watcher = Py_NewRef(s->watcher); /* which may be replaced while it runs */
    PyObject *new_answer = new_outputs ? PyObject_CallFunction(watcher, "sO", op->name, new_outputs) : NULL;
    Py_DECREF(watcher);
    Py_XDECREF(new_outputs);
    for (int i = 0; !new_answer && i < op->n_out; i++)
        pn_tensor_unref(outputs[i]);
    Py_XDECREF(new_answer);
    return new_answer ? 0 : -1;
}

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
    else if (s->watcher)
        failed = tell_watcher(s, op, outputs);
    return failed;
}
