/* repr.c -- tensor([[1., 2.], [3., 4.]], shape=(2, 2), dtype=float32); NumPy formats the values, and abbreviates long
 * arrays. */
#include "binding/binding.h"

static const char opening[] = "tensor(";

static PyObject *values_text(PyObject *self)
{
    if (!pnb_of(self)->storage)
        return PyUnicode_FromString("<shape-only>");
    PyObject *new_view = pnb_array_view(self), *new_numpy = new_view ? PyImport_ImportModule("numpy") : NULL;
    PyObject *new_function = new_numpy ? PyObject_GetAttrString(new_numpy, "array2string") : NULL;
    PyObject *new_args = new_function ? PyTuple_Pack(1, new_view) : NULL;
    PyObject *new_words = new_args ? Py_BuildValue("{ssss}", "separator", ", ", "prefix", opening) : NULL;
    PyObject *new_text = new_words ? PyObject_Call(new_function, new_args, new_words) : NULL;
    Py_XDECREF(new_words);
    Py_XDECREF(new_args);
    Py_XDECREF(new_function);
    Py_XDECREF(new_numpy);
    Py_XDECREF(new_view);
    return new_text;
}

PyObject *pnb_repr(PyObject *self)
{
    const pn_tensor *t = pnb_of(self);
    PyObject *new_values = values_text(self);
    if (!new_values)
        return NULL;
    PyObject *new_text =
        PyUnicode_FromFormat("%s%U, shape=%s, dtype=%s%s)", opening, new_values, pn_view_text(&t->v).s,
                             pn_dtype_name(t->v.dtype), pn_tensor_wants_grad(t) ? ", requires_grad=True" : "");
    Py_DECREF(new_values);
    return new_text;
}

/* f"{loss:.3f}": a format specification needs a tensor with one element; without one, any tensor is formatted by
 * repr. */
PyObject *pnb_format(PyObject *self, PyObject *spec)
{
    if (PyUnicode_Check(spec) && PyUnicode_GET_LENGTH(spec) == 0)
        return PyObject_Str(self);
    if (!PyUnicode_Check(spec))
        return PyErr_Format(PyExc_TypeError,
                            "format: the specification must be a string, as in f\"{loss:.3f}\", not %s",
                            Py_TYPE(spec)->tp_name);
    PyObject *new_item = pnb_object_number(self, "format");
    PyObject *new_text = new_item ? PyObject_Format(new_item, spec) : NULL;
    Py_XDECREF(new_item);
    return new_text;
}
