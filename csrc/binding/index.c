/* index.c -- x[2:5, ..., ::-1, 0] calls the op `slice`, then `reshape`; item assignment is not supported. */
#include "binding/binding.h"

PyObject *pnb_index_get(PyObject *self, PyObject *key)
{
    const pn_state *s = pnb_state_of(self);
    pn_slices slices;
    unsigned dropped;
    if (pnb_key_read(key, &pnb_of(self)->v, &slices, &dropped))
        return NULL;
    return pnb_call_drop(s, pnb_call_with(s, pn_ops[PNB_slice], 1, &self, &slices), dropped);
}

PyObject *pnb_index_item(PyObject *self, Py_ssize_t i) /* `for row in x` calls it until it raises IndexError */
{
    const pn_view *v = &pnb_of(self)->v;
    if (v->ndim == 0)
        return PyErr_Format(PyExc_TypeError, "a tensor without axes cannot be iterated over; x.item() gives its value");
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
    PyErr_SetString(PyExc_TypeError, "len() of a tensor without axes; x.item() gives its value");
    return -1;
}

/* `x[1:] += y` changes the rows in place, and then assigns them to themselves. */
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
                    "Tensor: items cannot be assigned; write x[2:5].assign(values) for some rows, x.assign(values) for "
                    "all of x, or pn.where(mask, values, x) for a new tensor");
    return -1;
}
