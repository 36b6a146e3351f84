/* key.c -- translates a key of ints, slices and one `...`, as in x[2:5, ..., ::-1, 0], to parameters of the op
 * `slice`. */
#include "binding/binding.h"

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

/* Start, stop and step as the op reads them.  The op counts negative values from the end, so a stop before the first
 * element is -length - 1. */
static int read_slice(PyObject *o, const pn_view *x, int axis, pn_slices *s)
{
    Py_ssize_t start, stop, step;
    if (PySlice_Unpack(o, &start, &stop, &step) < 0)
        return -1;
    const Py_ssize_t n = PySlice_AdjustIndices(x->shape[axis], &start, &stop, step);
    s->start[axis] = n > 0 ? start : 0;
    s->step[axis] = n > 1 ? step : 1; /* with fewer than two elements the step is irrelevant */
    const Py_ssize_t behind = step > 0 ? 1 : -1;
    s->stop[axis] = n > 1 ? start + (n - 1) * step + behind : s->start[axis] + n;
    if (s->stop[axis] < 0)
        s->stop[axis] -= x->shape[axis];
    return 0;
}

static int refuse(PyObject *o)
{
    if (o == Py_None)
        PyErr_SetString(PyExc_TypeError, "Tensor index: None does not add an axis; write x.unsqueeze(axis)");
    else if (PyFloat_Check(o))
        PyErr_Format(PyExc_TypeError, "Tensor index: only ints, slices and ... are supported, got %R", o);
    else
        PyErr_Format(
            PyExc_TypeError,
            "Tensor index: only ints, slices and ... are supported, not %s; pn.ops.take(x, indices) selects rows by "
            "number, pn.where(mask, x, 0) by a condition",
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

int pnb_key_read(PyObject *key, const pn_view *x, pn_slices *slices, unsigned *dropped)
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
