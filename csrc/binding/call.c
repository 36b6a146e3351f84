/* call.c -- one call of an op: arguments sorted, inputs made tensors, broadcast, applied, outputs wrapped.
 *
 * What is no tensor is converted: numbers take the real dtype of the call's tensors.  An array lends its memory when no
 * graph is recorded (nobody reads it after the call), else it is copied, since its owner may change it before
 * backward. */
#include "binding/binding.h"

#include <string.h>

/* ---- running ---- */

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

static PyObject *wrap_all(const pn_state *s, int n, pn_tensor **outputs)
{
    if (n == 1)
        return pnb_wrap(s, outputs[0]);
    PyObject *new_tuple = PyTuple_New(n);
    for (int i = 0; i < n; i++) {
        PyObject *new_tensor = pnb_wrap(s, outputs[i]);
        if (new_tuple && new_tensor)
            PyTuple_SET_ITEM(new_tuple, i, new_tensor);
        else if (!new_tensor)
            Py_CLEAR(new_tuple);
        else
            Py_DECREF(new_tensor);
    }
    return new_tuple;
}

/* ---- inputs ---- */

typedef struct inputs {
    const pn_state *s;
    const pn_op *op;
    int n;
    bool recording;            /* read once: an array's own code may enter or leave no_grad while it is converted */
    uint64_t raw, owned, lent; /* a bit each: still to convert; ours to let go; array memory */
    int real, company;         /* dtypes: of the first real input; of the first that broadcasts */
    PyObject *objects[PN_MAX_IN];
    pn_tensor *t[PN_MAX_IN];
} inputs;

static void look_at(inputs *in)
{
    in->raw = in->owned = in->lent = 0;
    in->real = in->company = -1;
    bool wants = false;
    for (int i = 0; i < in->n; i++) {
        PyObject *o = in->objects[i];
        in->t[i] = NULL;
        if (!o)
            continue;
        if (!pnb_is_tensor(in->s, o)) {
            in->raw |= (uint64_t)1 << i;
            continue;
        }
        in->t[i] = pnb_of(o);
        wants |= pn_tensor_wants_grad(in->t[i]);
        if (in->real < 0 && pn_dtype_is_real(in->t[i]->v.dtype))
            in->real = (int)in->t[i]->v.dtype;
        if (in->company < 0 && in->op->broadcasts >> i & 1 && in->t[i]->v.dtype != PN_UINT8)
            in->company = (int)in->t[i]->v.dtype;
    }
    in->recording = wants && pnb_is_recording(in->s);
}

static int convert(inputs *in, int i, int real)
{
    char name[64], who[128];
    bool lent = false;
    PyObject *o = in->objects[i];
    const bool number = PyFloat_Check(o) || (PyLong_Check(o) && !PyBool_Check(o));
    pnb_intake how = { .who = in->op->name,
                       .dtype = -1,
                       .real = real,
                       .loose = in->real >= 0,
                       .lend = !in->recording,
                       .follow = number || in->op->broadcasts >> i & 1 };
    if (!number) { /* a number is never refused: it needs no full name */
        const pn_call naming = { .op = in->op, .n_in = in->n };
        PyOS_snprintf(who, sizeof who, "%s: %s", in->op->name, pn_call_input_name(&naming, i, name, sizeof name));
        how.who = who;
    }
    in->t[i] = pnb_array_take(in->s, o, &how, &lent);
    if (!in->t[i])
        return -1;
    in->owned |= (uint64_t)1 << i;
    in->lent |= (uint64_t)lent << i;
    return 0;
}

/* Arrays first: where no tensor says which real the call works in, the first real array does, then float32. */
static int convert_all(inputs *in)
{
    for (int pass = 0; pass < 2; pass++)
        for (int i = 0; i < in->n; i++) {
            if (!(in->raw >> i & 1))
                continue;
            PyObject *o = in->objects[i];
            const bool weak = PyFloat_Check(o) || PyLong_Check(o) || PyList_Check(o) || PyTuple_Check(o);
            if (weak != (pass == 1))
                continue;
            const int company = in->op->broadcasts >> i & 1 ? in->company : -1;
            if (convert(in, i, company >= 0 ? company : in->real >= 0 ? in->real : (int)PN_FLOAT32))
                return -1;
            if (in->real < 0 && pn_dtype_is_real(in->t[i]->v.dtype))
                in->real = (int)in->t[i]->v.dtype;
        }
    return 0;
}

/* An output that shares a lent array's memory (reshape does) gets its own. */
static int own_outputs(const inputs *in, pn_tensor **outputs)
{
    pn_error err;
    for (int k = 0; k < in->op->n_out; k++)
        for (int i = 0; i < in->n; i++) {
            pn_tensor *y = outputs[k];
            if (!(in->lent >> i & 1) || !y->storage || y->storage != in->t[i]->storage)
                continue;
            pn_tensor *own = pn_tensor_new(in->s->engine, &y->v, &err);
            if (!own) {
                pnb_raise(&err);
                return -1;
            }
            memcpy(own->v.data, y->v.data, pn_view_bytes(&y->v));
            pn_tensor_unref(y);
            outputs[k] = own;
        }
    return 0;
}

static PyObject *run(inputs *in, const void *params)
{
    pn_tensor *outputs[PN_MAX_OUT];
    PyObject *new_result = NULL;
    if (in->op->broadcasts && pnb_broadcast(in->s, in->op, in->n, in->t, in->recording, &in->owned))
        return NULL;
    if (pnb_apply(in->s, in->op, in->n, in->t, params, in->recording, outputs))
        return NULL;
    if (in->lent && own_outputs(in, outputs))
        for (int k = 0; k < in->op->n_out; k++)
            pn_tensor_unref(outputs[k]);
    else
        new_result = wrap_all(in->s, in->op->n_out, outputs);
    return new_result;
}

static void let_go(inputs *in)
{
    for (int i = 0; in->owned; i++, in->owned >>= 1)
        if (in->owned & 1)
            pn_tensor_unref(in->t[i]);
}

PyObject *pnb_call_with(const pn_state *s, const pn_op *op, int n, PyObject *const *objects, const void *params)
{
    inputs in;
    in.s = s;
    in.op = op;
    in.n = n;
    memcpy(in.objects, objects, (size_t)n * sizeof *objects);
    look_at(&in);
    PyObject *new_result = in.raw && convert_all(&in) ? NULL : run(&in, params ? params : op->defaults);
    let_go(&in);
    return new_result;
}

PyObject *pnb_call_next(const pn_state *s, const pn_op *op, PyObject *new_made, const void *params)
{
    pn_tensor *x = pnb_of(new_made), *output;
    const int failed = pnb_apply(s, op, 1, &x, params ? params : op->defaults, true, &output);
    Py_DECREF(new_made);
    return failed ? NULL : pnb_wrap(s, output);
}

/* ---- in place ---- */

/* Why `x op= y` may not write into x: a sentence that names the ways out; `sign` is the operator, as in "-=". */
static int check_target(const inputs *in, const char *sign)
{
    const pn_tensor *x = in->t[0];
    char anew[24];
    PyOS_snprintf(anew, sizeof anew, "x = x %.*s y", (int)strlen(sign) - 1, sign);
    if (x->node)
        PyErr_Format(PyExc_RuntimeError,
                     "%s: x is computed by an op, and the graph may still read its values; write `%s` for a new "
                     "tensor, or `with pn.no_grad():` change `y = x.detach()`, which shares them",
                     sign, anew);
    else if (in->recording)
        PyErr_Format(PyExc_RuntimeError,
                     "%s: %s requires a gradient, and a change in place is not recorded; write `with pn.no_grad(): "
                     "x %s y` to change the values of x, or `%s` for a new tensor",
                     sign, pn_tensor_wants_grad(x) ? "x" : "y", sign, anew);
    else if (x->storage && x->storage->readonly)
        PyErr_Format(PyExc_RuntimeError,
                     "%s: x reads the memory of a NumPy array and cannot be written; `x = pn.tensor(array)` makes a "
                     "copy that can, `%s` a new tensor",
                     sign, anew);
    return PyErr_Occurred() ? -1 : 0;
}

static int run_over(inputs *in, const void *params, const char *op)
{
    pn_error err;
    pn_tensor *x = in->t[0];
    const pn_text given = pn_view_text(&in->t[in->n - 1]->v);
    if (in->op->broadcasts && pnb_broadcast(in->s, in->op, in->n, in->t, false, &in->owned))
        return -1;
    if (in->t[0] != x) { /* expanded: the other shape is the wider one */
        PyErr_Format(PyExc_ValueError, "%s: a value of shape %s does not fit into a tensor of shape %s", op, given.s,
                     pn_view_text(&x->v).s);
        return -1;
    }
    PyThreadState *thread = x->v.size < PNB_RELEASE_AT ? NULL : pnb_gate_enter(in->s->gate);
    const int failed = pn_apply_over(in->s->engine, in->op, in->n, in->t, params, &err);
    if (thread)
        pnb_gate_leave(in->s->gate, thread);
    if (failed)
        pnb_raise(&err);
    return failed;
}

PyObject *pnb_call_over(const pn_state *s, const pn_op *op, int n, PyObject *const *objects, const void *params,
                        const char *sign)
{
    inputs in;
    in.s = s;
    in.op = op;
    in.n = n;
    memcpy(in.objects, objects, (size_t)n * sizeof *objects);
    look_at(&in);
    const int failed =
        check_target(&in, sign) || (in.raw && convert_all(&in)) || run_over(&in, params ? params : op->defaults, sign);
    let_go(&in);
    return failed ? NULL : Py_NewRef(objects[0]);
}

/* ---- arguments ---- */

static void *wrong_word(const pnb_op *info, PyObject *word)
{
    const char *words[PNB_MAX_ARGUMENTS], *given = PyUnicode_AsUTF8(word);
    if (!given)
        return NULL;
    for (int i = 0; i < info->n_arguments; i++)
        words[i] = PyUnicode_AsUTF8(info->names[i]);
    const char *closest = pnb_closest(given, words, info->n_arguments);
    if (closest)
        return PyErr_Format(PyExc_TypeError, "%s: there is no argument '%s'; did you mean '%s'?", info->op->name, given,
                            closest);
    PyObject *new_comma = PyUnicode_FromString(", "), *new_names = PyTuple_New(info->n_arguments), *new_all = NULL;
    for (int i = 0; new_names && i < info->n_arguments; i++)
        PyTuple_SET_ITEM(new_names, i, Py_NewRef(info->names[i]));
    if (new_comma && new_names && (new_all = PyUnicode_Join(new_comma, new_names)))
        PyErr_Format(PyExc_TypeError, "%s: there is no argument '%s'; it takes %U", info->op->name, given, new_all);
    Py_XDECREF(new_all);
    Py_XDECREF(new_names);
    Py_XDECREF(new_comma);
    return NULL;
}

static int place_of(const pnb_op *info, PyObject *word)
{
    for (int i = 0; i < info->n_arguments; i++)
        if (info->names[i] == word) /* both are interned, nearly always */
            return i;
    for (int i = 0; i < info->n_arguments; i++)
        if (PyUnicode_Compare(info->names[i], word) == 0)
            return i;
    wrong_word(info, word);
    return -1;
}

/* values: one for each argument, NULL where not given. */
static int sort_arguments(const pnb_op *info, PyObject *const *args, Py_ssize_t n, PyObject *names, PyObject **values)
{
    if (n > info->n_arguments) {
        PyErr_Format(PyExc_TypeError, "%s: takes at most %d arguments, %zd were given%s", info->op->name,
                     info->n_arguments, n, info->variadic ? "; give the tensors as one list" : "");
        return -1;
    }
    memcpy(values, args, (size_t)n * sizeof *values);
    memset(values + n, 0, (size_t)(info->n_arguments - n) * sizeof *values);
    const Py_ssize_t words = names ? PyTuple_GET_SIZE(names) : 0;
    for (Py_ssize_t k = 0; k < words; k++) {
        const int i = place_of(info, PyTuple_GET_ITEM(names, k));
        if (i < 0)
            return -1;
        if (values[i]) {
            PyErr_Format(PyExc_TypeError, "%s: %U was given twice, by position and by name", info->op->name,
                         info->names[i]);
            return -1;
        }
        values[i] = args[n + k];
    }
    for (int i = 0; i < info->n_arguments; i++)
        if (info->required >> i & 1 && !values[i]) {
            PyErr_Format(PyExc_TypeError, "%s: the argument %R is missing", info->op->name, info->names[i]);
            return -1;
        }
    return 0;
}

/* The inputs among the values; of a variadic op, the items of its one sequence, held by *new_items. */
static int sort_inputs(const pnb_op *info, PyObject **values, inputs *in, PyObject **new_items)
{
    if (!info->variadic) {
        in->n = info->n_inputs;
        for (int i = 0; i < in->n; i++)
            in->objects[i] = values[i] == Py_None && !(info->required >> i & 1) ? NULL : values[i];
        return 0;
    }
    if (pnb_is_tensor(in->s, values[0]) || !(*new_items = pnb_items(values[0]))) {
        if (!PyErr_Occurred() || PyErr_ExceptionMatches(PyExc_TypeError))
            PyErr_Format(PyExc_TypeError, "%s: %U must be a list or tuple of tensors, not %s", info->op->name,
                         info->names[0], Py_TYPE(values[0])->tp_name);
        return -1;
    }
    const Py_ssize_t n = PyTuple_GET_SIZE(*new_items);
    if (n < 1 || n > PN_MAX_IN) {
        PyErr_Format(PyExc_ValueError, "%s: takes 1 to %d tensors at once, got %zd", info->op->name, PN_MAX_IN, n);
        return -1;
    }
    in->n = (int)n;
    for (int i = 0; i < in->n; i++)
        in->objects[i] = PyTuple_GET_ITEM(*new_items, i);
    return 0;
}

PyObject *pnb_call(pn_state *s, int index, PyObject *const *args, Py_ssize_t n, PyObject *names)
{
    const pnb_op *info = &s->ops[index];
    const pn_op *op = info->op;
    PyObject *values[PNB_MAX_ARGUMENTS], *new_items = NULL, *new_result = NULL;
    _Alignas(16) char params[PN_MAX_PARAM_BYTES];
    unsigned dropped = 0;
    inputs in;
    in.s = s;
    in.op = op;
    in.owned = 0;
    if (sort_arguments(info, args, n, names, values) || sort_inputs(info, values, &in, &new_items))
        goto done;
    look_at(&in);
    if (in.raw && convert_all(&in))
        goto done;
    if (op->param_bytes)
        memcpy(params, op->defaults, op->param_bytes);
    for (int i = 0; i < op->n_params; i++) {
        const pnb_argument a = { op, &op->params[i], in.t[0] ? &in.t[0]->v : NULL, &dropped };
        if (values[info->n_inputs + i] &&
            pnb_argument_read(&a, values[info->n_inputs + i], params + op->params[i].offset))
            goto done;
    }
    new_result = pnb_index_drop(s, run(&in, params), dropped);
done:
    let_go(&in);
    Py_XDECREF(new_items);
    return new_result;
}
