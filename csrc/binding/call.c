/* call.c -- one call of an op: parses arguments, converts and broadcasts inputs, runs the op, wraps outputs. */
#include "binding/inputs.h"

/* ---- running ---- */

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

/* An output that shares the memory of a borrowed array (as after reshape) is copied. */
static int own_outputs(const pnb_inputs *in, pn_tensor **outputs)
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

/* Casts a result that was computed in float64 from integers to float32.  Integers have no graph. */
static int cast_result(const pnb_inputs *in, pn_tensor **y)
{
    const pn_dtype dtype = (pn_dtype)in->result;
    pn_tensor *output;
    if (in->result < 0)
        return 0;
    if (pnb_apply(in->s, pn_ops[PNB_cast], 1, y, &dtype, false, &output))
        return -1;
    pn_tensor_unref(*y);
    *y = output;
    return 0;
}

static PyObject *run(pnb_inputs *in, const void *params)
{
    pn_tensor *outputs[PN_MAX_OUT];
    PyObject *new_result = NULL;
    if (in->op->broadcasts && pnb_broadcast(in->s, in->op, in->n, in->t, in->recording, &in->owned))
        return NULL;
    if (pnb_apply(in->s, in->op, in->n, in->t, params, in->recording, outputs))
        return NULL;
    if ((in->lent && own_outputs(in, outputs)) || cast_result(in, outputs))
        for (int k = 0; k < in->op->n_out; k++)
            pn_tensor_unref(outputs[k]);
    else
        new_result = wrap_all(in->s, in->op->n_out, outputs);
    return new_result;
}

static PyObject *call_with(const pn_state *s, const pn_op *op, int n, PyObject *const *objects, const void *params,
                           bool always)
{
    pnb_inputs in;
    pnb_inputs_open(&in, s, op);
    in.n = n;
    memcpy(in.objects, objects, (size_t)n * sizeof *objects);
    pnb_inputs_look(&in);
    in.recording |= always;
    PyObject *new_result = NULL;
    if (pnb_inputs_are_settled(&in) || !pnb_inputs_settle(&in))
        new_result = run(&in, params ? params : op->defaults);
    pnb_inputs_release(&in);
    return new_result;
}

PyObject *pnb_call_with(const pn_state *s, const pn_op *op, int n, PyObject *const *objects, const void *params)
{
    return call_with(s, op, n, objects, params, false);
}

PyObject *pnb_call_recorded(const pn_state *s, const pn_op *op, int n, PyObject *const *objects)
{
    return call_with(s, op, n, objects, NULL, true);
}

PyObject *pnb_call_next(const pn_state *s, const pn_op *op, PyObject *new_made, const void *params)
{
    pn_tensor *x = pnb_of(new_made), *output;
    const int failed = pnb_apply(s, op, 1, &x, params ? params : op->defaults, true, &output);
    Py_DECREF(new_made);
    return failed ? NULL : pnb_wrap(s, output);
}

PyObject *pnb_call_drop(const pn_state *s, PyObject *new_sliced, unsigned dropped)
{
    if (!new_sliced || !dropped)
        return new_sliced;
    const pn_view *v = &pnb_of(new_sliced)->v;
    pn_list shape = { .given = true };
    for (int axis = 0; axis < v->ndim; axis++)
        if (!(dropped >> axis & 1))
            shape.v[shape.n++] = v->shape[axis];
    return pnb_call_next(s, pn_ops[PNB_reshape], new_sliced, &shape);
}

/* ---- in place ---- */

/* Checks that `x op= y` may overwrite x; error messages name the alternatives. */
static int check_target(const pnb_inputs *in)
{
    const pn_tensor *x = in->t[0];
    char out_of_place[24];
    pnb_inputs_out_of_place(in, out_of_place, sizeof out_of_place);
    if (x->node)
        PyErr_Format(PyExc_RuntimeError,
                     "%s: x is the result of an op, and the graph may still read its values; write `%s` for a new "
                     "tensor, or change `y = x.detach()`, which shares its values, inside `with pn.no_grad():`",
                     in->over, out_of_place);
    else if (in->recording)
        PyErr_Format(PyExc_RuntimeError,
                     "%s: %s requires a gradient, and a change in place is not recorded; write `with pn.no_grad(): "
                     "x %s y` to change the values of x, or `%s` for a new tensor",
                     in->over, pn_tensor_wants_grad(x) ? "x" : "y", in->over, out_of_place);
    else if (x->storage && x->storage->readonly)
        PyErr_Format(PyExc_RuntimeError,
                     "%s: x borrows the memory of a NumPy array and is read-only; write `x = pn.tensor(array)` for a "
                     "writable copy, or `%s` for a new tensor",
                     in->over, out_of_place);
    return PyErr_Occurred() ? -1 : 0;
}

static int run_over(pnb_inputs *in, const void *params)
{
    pn_error err;
    pn_tensor *x = in->t[0];
    const pn_text given = pn_view_text(&in->t[in->n - 1]->v);
    if (in->op->broadcasts && pnb_broadcast(in->s, in->op, in->n, in->t, false, &in->owned))
        return -1;
    if (in->t[0] != x) { /* x itself was expanded */
        PyErr_Format(PyExc_ValueError, "%s: a value of shape %s does not fit into a tensor of shape %s", in->over,
                     given.s, pn_view_text(&x->v).s);
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
                        bool fraction, const char *sign)
{
    pnb_inputs in;
    pnb_inputs_open(&in, s, op);
    in.fraction = fraction;
    in.over = sign;
    in.n = n;
    memcpy(in.objects, objects, (size_t)n * sizeof *objects);
    pnb_inputs_look(&in);
    const int failed = check_target(&in) || (!pnb_inputs_are_settled(&in) && pnb_inputs_settle(&in)) ||
                       run_over(&in, params ? params : op->defaults);
    pnb_inputs_release(&in);
    return failed ? NULL : Py_NewRef(objects[0]);
}

/* ---- arguments ---- */

static bool has_argument(const pnb_op *info, const char *name)
{
    for (int i = 0; i < info->n_arguments; i++)
        if (PyUnicode_CompareWithASCIIString(info->names[i], name) == 0)
            return true;
    return false;
}

static void *wrong_word(const pnb_op *info, PyObject *word)
{
    const char *words[PNB_MAX_ARGUMENTS], *given = PyUnicode_AsUTF8(word);
    if (!given)
        return NULL;
    for (int i = 0; i < info->n_arguments; i++)
        words[i] = PyUnicode_AsUTF8(info->names[i]);
    const char *familiar = pnb_familiar_keyword(given);
    const char *closest =
        familiar && has_argument(info, familiar) ? familiar : pnb_closest(given, words, info->n_arguments);
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
        if (info->names[i] == word) /* both are interned, almost always */
            return i;
    for (int i = 0; i < info->n_arguments; i++)
        if (PyUnicode_Compare(info->names[i], word) == 0)
            return i;
    wrong_word(info, word);
    return -1;
}

/* values: one per argument; NULL if not given. */
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

/* Takes the inputs from the values; for a variadic op, the items of its sequence, which *new_items keeps alive. */
static int sort_inputs(const pnb_op *info, PyObject **values, pnb_inputs *in, PyObject **new_items)
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
        PyErr_Format(PyExc_ValueError, "%s: takes 1 to %d tensors, got %zd", info->op->name, PN_MAX_IN, n);
        return -1;
    }
    in->n = (int)n;
    for (int i = 0; i < in->n; i++)
        in->objects[i] = PyTuple_GET_ITEM(*new_items, i);
    return 0;
}

/* Whether a parameter is a float, so that integer inputs are promoted. */
static bool has_fraction(const pnb_op *info, PyObject **values)
{
    for (int i = 0; i < info->op->n_params; i++) {
        PyObject *o = values[info->n_inputs + i];
        if (o && info->op->params[i].kind == PN_P_FLOAT && pnb_array_kind(o) != PNB_WHOLE)
            return true;
    }
    return false;
}

static int read_parameters(const pnb_op *info, PyObject **values, const pnb_inputs *in, unsigned *dropped, char *params)
{
    const pn_op *op = info->op;
    if (op->param_bytes)
        memcpy(params, op->defaults, op->param_bytes);
    for (int i = 0; i < op->n_params; i++) {
        const pnb_argument a = { op, &op->params[i], in->t[0] ? &in->t[0]->v : NULL, dropped };
        PyObject *o = values[info->n_inputs + i];
        if (o && pnb_argument_read(&a, o, params + op->params[i].offset))
            return -1;
    }
    return 0;
}

PyObject *pnb_call(pn_state *s, int index, PyObject *const *args, Py_ssize_t n, PyObject *names)
{
    const pnb_op *info = &s->ops[index];
    PyObject *values[PNB_MAX_ARGUMENTS], *new_items = NULL, *new_result = NULL;
    _Alignas(16) char params[PN_MAX_PARAM_BYTES];
    unsigned dropped = 0;
    pnb_inputs in;
    pnb_inputs_open(&in, s, info->op);
    if (sort_arguments(info, args, n, names, values) || sort_inputs(info, values, &in, &new_items))
        goto done;
    pnb_inputs_look(&in);
    if (!pnb_inputs_are_settled(&in)) {
        in.fraction = has_fraction(info, values);
        if (pnb_inputs_settle(&in))
            goto done;
    }
    if (read_parameters(info, values, &in, &dropped, params) == 0)
        new_result = pnb_call_drop(s, run(&in, params), dropped);
done:
    pnb_inputs_release(&in);
    Py_XDECREF(new_items);
    return new_result;
}

/* ---- methods ---- */

/* np.sum(x) calls x.sum(axis=None, out=None), np.var(x) calls x.var(..., dtype=None, ddof=0).  Drops `out` and `dtype`
 * if they are None, and renames `ddof` to `correction`.  Appends the values to `args`; returns the names. */
static PyObject *translate(const pnb_op *info, PyObject *const *given, PyObject *names, PyObject **args)
{
    Py_ssize_t kept = 0;
    PyObject *new_list = PyList_New(0), *new_names = NULL;
    for (Py_ssize_t k = 0; new_list && k < PyTuple_GET_SIZE(names); k++) {
        PyObject *name = PyTuple_GET_ITEM(names, k);
        const bool silent = given[k] == Py_None && (PyUnicode_CompareWithASCIIString(name, "out") == 0 ||
                                                    PyUnicode_CompareWithASCIIString(name, "dtype") == 0);
        if (silent)
            continue;
        const bool ddof = PyUnicode_CompareWithASCIIString(name, "ddof") == 0 && has_argument(info, "correction");
        PyObject *new_name = ddof ? PyUnicode_FromString("correction") : Py_NewRef(name);
        if (!new_name || PyList_Append(new_list, new_name))
            Py_CLEAR(new_list);
        Py_XDECREF(new_name);
        args[kept++] = given[k];
    }
    new_names = new_list ? pnb_items(new_list) : NULL;
    Py_XDECREF(new_list);
    return new_names;
}

PyObject *pnb_call_method(PyObject *self, int index, PyObject *const *args, Py_ssize_t n, PyObject *names)
{
    pn_state *s = pnb_state_of(self);
    PyObject *all[PNB_MAX_ARGUMENTS + 1];
    const Py_ssize_t words = names ? PyTuple_GET_SIZE(names) : 0;
    if (n + words > PNB_MAX_ARGUMENTS)
        return PyErr_Format(PyExc_TypeError, "%s: too many arguments", pn_ops[index]->name);
    all[0] = self;
    memcpy(all + 1, args, (size_t)n * sizeof *all);
    if (!words)
        return pnb_call(s, index, all, n + 1, NULL);
    PyObject *new_names = translate(&s->ops[index], args + n, names, all + 1 + n);
    PyObject *new_result = new_names ? pnb_call(s, index, all, n + 1, new_names) : NULL;
    Py_XDECREF(new_names);
    return new_result;
}
