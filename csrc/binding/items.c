/* items.c -- snapshots of sequences: what user code may change is copied before any user code runs.
 *
 * The __index__, __float__ or __array__ of an item may clear the list that holds it.  So the binding never iterates
 * over a list or dict itself, but over a tuple of its items (a tuple needs no copy). */
#include "binding/binding.h"

PyObject *pnb_items(PyObject *o)
{
    if (PyTuple_Check(o))
        return Py_NewRef(o);
    return PyList_Check(o) ? PyList_AsTuple(o) : PySequence_Tuple(o);
}

PyObject *pnb_pairs(PyObject *dict)
{
    PyObject *new_list = PyDict_Items(dict);
    PyObject *new_pairs = new_list ? PyList_AsTuple(new_list) : NULL;
    Py_XDECREF(new_list);
    return new_pairs;
}

/* Exact types only: from subclasses NumPy uses an iterator or __array__. */
static bool is_nest(PyObject *o) { return PyList_CheckExact(o) || PyTuple_CheckExact(o); }

static PyObject *snapshot(PyObject *o, int axes, const char *who);

/* A new tuple of snapshots of the items. */
static PyObject *snapshot_items(PyObject *items, int axes, const char *who)
{
    const Py_ssize_t n = PyTuple_GET_SIZE(items);
    PyObject *new_copy = PyTuple_New(n);
    for (Py_ssize_t i = 0; new_copy && i < n; i++) {
        PyObject *new_item = snapshot(PyTuple_GET_ITEM(items, i), axes, who);
        if (!new_item)
            Py_CLEAR(new_copy);
        else
            PyTuple_SET_ITEM(new_copy, i, new_item);
    }
    return new_copy;
}

static PyObject *snapshot(PyObject *o, int axes, const char *who)
{
    if (!is_nest(o))
        return Py_NewRef(o);
    if (axes == 0)
        return PyErr_Format(PyExc_ValueError, "%s: a tensor has at most %d axes, but these lists are nested deeper",
                            who, PN_MAX_DIMS);
    PyObject *new_items = pnb_items(o);
    for (Py_ssize_t i = 0; new_items && i < PyTuple_GET_SIZE(new_items); i++)
        if (is_nest(PyTuple_GET_ITEM(new_items, i))) {
            Py_SETREF(new_items, snapshot_items(new_items, axes - 1, who));
            break;
        }
    return new_items;
}

PyObject *pnb_snapshot(PyObject *o, const char *who) { return snapshot(o, PN_MAX_DIMS, who); }
