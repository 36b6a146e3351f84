/* index.c -- x[2:5, ..., ::-1, 0]: a key of ints, slices and one `...` becomes the op `slice`, then `reshape`. */
#include "binding/binding.h"

#include <string.h>

/* ---- reading a key ---- */

static int read_int(PyObject *o, const pn_view *x, int axis, pn_slices *s)
{
    const Py_ssize_t n = x->shape[axis], given = PyNumber_AsSsize_t(o, PyExc_IndexError);
    if (given == -1 && PyErr_Occurred())
        return -1;
    if (given < -n || given >= n) {
        PyErr_Format(PyExc_IndexError, "index %zd is out of bounds for axis %d with size %zd", given, axis, n);
        return -1;
    }
    s->start[axis] = given < 0 ? given + n : given;
    s->stop[axis] = s->start[axis] + 1;
    s->step[axis] = 1;
    return 0;
}

/* Start, stop and step as the op reads them, which counts negative ones from the end: a stop before the first element
 * is therefore -length - 1. */
static int read_slice(PyObject *o, const pn_view *x, int axis, pn_slices *s)
{
    Py_ssize_t start, stop, step;
    if (PySlice_Unpack(o, &start, &stop, &step) < 0)
        return -1;
    const Py_ssize_t n = PySlice_AdjustIndices(x->shape[axis], &start, &stop, step);
    s->start[axis] = n > 0 ? start : 0;
    s->step[axis] = n > 1 ? step : 1; /* of fewer than two elements the step has no meaning */
    s->stop[axis] = n > 1 ? start + (n - 1) * step + (step > 0 ? 1 : -1) : s->start[axis] + n;
    if (s->stop[axis] < 0)
        s->stop[axis] -= x->shape[axis];
    return 0;
}

static int refuse(PyObject *o)
{
    if (o == Py_None)
        PyErr_SetString(PyExc_TypeError, "Tensor index: None adds no axis; write x.unsqueeze(axis)");
    else if (PyFloat_Check(o))
        PyErr_Format(PyExc_TypeError, "Tensor index: only ints, slices and ... are indices, got %R", o);
    else
        PyErr_Format(
            PyExc_TypeError,
            "Tensor index: only ints, slices and ... are indices, not %s; pn.ops.take(x, indices) takes rows by "
            "their numbers, pn.where(mask, x, 0) chooses by a condition",
            Py_TYPE(o)->tp_name);
    return -1;
}

static int read_one(PyObject *o, const pn_view *x, int axis, pn_slices *s, unsigned *dropped)
{
    if (PySlice_Check(o))
        return read_slice(o, x, axis, s);
    if (!PyIndex_Check(o) || PyBool_Check(o))
        return refuse(o);
    *dropped |= 1u << axis;
    const int failed = read_int(o, x, axis, s);
    if (failed && PyErr_ExceptionMatches(PyExc_TypeError)) /* an array that is not one integer */
        return refuse(o);
    return failed;
}

int pnb_index_read(PyObject *key, const pn_view *x, pn_slices *slices, unsigned *dropped)
{
    const bool many = PyTuple_Check(key);
    const Py_ssize_t n = many ? PyTuple_GET_SIZE(key) : 1;
    Py_ssize_t dots = 0;
    for (Py_ssize_t i = 0; i < n; i++)
        dots += (many ? PyTuple_GET_ITEM(key, i) : key) == Py_Ellipsis;
    if (dots > 1 || n - dots > x->ndim) {
        if (dots > 1)
            PyErr_SetString(PyExc_IndexError, "an index can only have a single ellipsis ('...')");
        else
            PyErr_Format(PyExc_IndexError, "too many indices: the tensor has %d axes, but %zd were indexed", x->ndim,
                         n - dots);
        return -1;
    }
    *dropped = 0;
    slices->n = x->ndim;
    for (int axis = 0; axis < x->ndim; axis++) {
        slices->start[axis] = 0;
        slices->stop[axis] = x->shape[axis];
        slices->step[axis] = 1;
    }
    int axis = 0;
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *o = many ? PyTuple_GET_ITEM(key, i) : key;
        if (o == Py_Ellipsis)
            axis = x->ndim - (int)(n - i - 1);
        else if (read_one(o, x, axis++, slices, dropped))
            return -1;
    }
    return 0;
}

/* ---- using it ---- */

PyObject *pnb_index_drop(const pn_state *s, PyObject *new_sliced, unsigned dropped)
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

static PyObject *apply(PyObject *self, const pn_slices *slices, unsigned dropped)
{
    const pn_state *s = pnb_state_of(self);
    return pnb_index_drop(s, pnb_call_with(s, pn_ops[PNB_slice], 1, &self, slices), dropped);
}

PyObject *pnb_index_get(PyObject *self, PyObject *key)
{
    pn_slices slices;
    unsigned dropped;
    return pnb_index_read(key, &pnb_of(self)->v, &slices, &dropped) ? NULL : apply(self, &slices, dropped);
}

PyObject *pnb_index_item(PyObject *self, Py_ssize_t i) /* what `for row in x` calls; ends with IndexError */
{
    const pn_view *v = &pnb_of(self)->v;
    if (v->ndim == 0)
        return PyErr_Format(PyExc_TypeError, "a tensor without axes cannot be iterated over; x.item() is its number");
    if (i < 0 || i >= v->shape[0])
        return PyErr_Format(PyExc_IndexError, "index %zd is out of bounds for axis 0 with size %zd", i, v->shape[0]);
    PyObject *new_key = PyLong_FromSsize_t(i);
    PyObject *new_row = new_key ? pnb_index_get(self, new_key) : NULL;
    Py_XDECREF(new_key);
    return new_row;
}

Py_ssize_t pnb_index_length(PyObject *self)
{
    const pn_view *v = &pnb_of(self)->v;
    if (v->ndim > 0)
        return v->shape[0];
    PyErr_SetString(PyExc_TypeError, "len() of a tensor without axes; x.item() is its number");
    return -1;
}

/* `x[1:] += y` changes the rows in place, and then assigns what is there already. */
int pnb_index_set(PyObject *self, PyObject *key, PyObject *value)
{
    if (value && Py_TYPE(value) == Py_TYPE(self) && pnb_of(value)->storage == pnb_of(self)->storage) {
        PyObject *new_there = pnb_index_get(self, key);
        if (!new_there)
            return -1;
        const pn_view *there = &pnb_of(new_there)->v, *given = &pnb_of(value)->v;
        const bool same = there->data == given->data && pn_view_same_shape(there, given);
        Py_DECREF(new_there);
        if (same)
            return 0;
    }
    PyErr_SetString(PyExc_TypeError,
                    "Tensor: items cannot be assigned; x[2:5].assign(values) writes rows and x.assign(values) all of "
                    "x, pn.where(mask, values, x) makes a new tensor");
    return -1;
}
