/* tensor.c -- the type Tensor: a Python object around one pn_tensor.
 *
 * It holds no Python objects except its type, and the graph holds none at all, so the type needs no garbage collection
 * (one object less to track per op). */
#include "binding/binding.h"

#include <string.h>

/* ---- new ---- */

static PyObject *refuse_new(PyTypeObject *type, PyObject *args, PyObject *words)
{
    (void)type, (void)args, (void)words;
    return PyErr_Format(PyExc_TypeError, "Tensor() is not called directly; make one with pn.tensor(values)");
}

static Py_hash_t hash(PyObject *self) { return (Py_hash_t)((uintptr_t)self >> 4); } /* identity: == is elementwise */

/* ---- attributes ---- */

static PyObject *get_shape(PyObject *self, void *unused)
{
    (void)unused;
    return pnb_shape(&pnb_of(self)->v);
}

static PyObject *get_dtype(PyObject *self, void *unused)
{
    (void)unused;
    return PyUnicode_FromString(pn_dtype_name(pnb_of(self)->v.dtype));
}

static PyObject *get_ndim(PyObject *self, void *unused)
{
    (void)unused;
    return PyLong_FromLong(pnb_of(self)->v.ndim);
}

static PyObject *get_size(PyObject *self, void *unused)
{
    (void)unused;
    return PyLong_FromSsize_t(pnb_of(self)->v.size);
}

static PyObject *get_requires_grad(PyObject *self, void *unused)
{
    (void)unused;
    return PyBool_FromLong(pn_tensor_wants_grad(pnb_of(self)));
}

static PyObject *get_is_shape_only(PyObject *self, void *unused)
{
    (void)unused;
    return PyBool_FromLong(!pnb_of(self)->storage);
}

static PyObject *get_grad(PyObject *self, void *unused)
{
    (void)unused;
    const pn_tensor *t = pnb_of(self);
    pn_slot *slot = pn_tensor_wants_grad(t) ? t->slot : NULL;
    pn_tensor *grad = NULL;
    if (slot && pn_slot_look(slot, &grad))
        return PyErr_Format(PyExc_RuntimeError, "grad: another thread is running backward or an optimizer step on this "
                                                "tensor; read the gradient when that is done");
    return grad ? pnb_wrap(pnb_state_of(self), grad) : Py_NewRef(Py_None);
}

/* `x.grad *= 0.5` changes the gradient in place, and then assigns it to itself. */
static int set_grad(PyObject *self, PyObject *value, void *unused)
{
    PyObject *new_grad = get_grad(self, unused);
    const pn_state *s = pnb_state_of(self);
    if (!new_grad)
        return -1;
    const bool same =
        value && pnb_is_tensor(s, value) && pnb_is_tensor(s, new_grad) && pnb_of(value) == pnb_of(new_grad);
    Py_DECREF(new_grad);
    if (same)
        return 0;
    PyErr_SetString(PyExc_AttributeError,
                    "grad: cannot be set or deleted; not needed to clear it: backward overwrites the last gradient; "
                    "x.grad.assign(values) changes the existing one");
    return -1;
}

static PyObject *transposed(PyObject *self, void *unused)
{
    (void)unused;
    return pnb_call_with(pnb_state_of(self), pn_ops[PNB_transpose], 1, &self, NULL);
}

static const PyGetSetDef attributes[] = {
    { "shape", get_shape, NULL, "Lengths of the axes, a tuple of ints.", NULL },
    { "dtype", get_dtype, NULL, "'float32', 'float64', 'uint8' or 'int64'.", NULL },
    { "ndim", get_ndim, NULL, "Number of axes.", NULL },
    { "size", get_size, NULL, "Number of elements.", NULL },
    { "requires_grad", get_requires_grad, NULL,
      "Whether backward computes its gradient: true for a leaf with requires_grad=True, and for results computed from "
      "one.",
      NULL },
    { "grad", get_grad, set_grad, "Gradient of the last backward, or None.", NULL },
    { "is_shape_only", get_is_shape_only, NULL, "Whether it has a shape but no values: ops on it only compute shapes.",
      NULL },
    { "T", transposed, NULL, "The axes in reverse order.", NULL },
    { NULL, NULL, NULL, NULL, NULL },
};

/* ---- methods on the graph ---- */

/* The value of the keyword argument `word`, or NULL; a linear search is enough for a few keywords. */
static PyObject *word_value(PyObject *const *args, Py_ssize_t n, PyObject *names, const char *word)
{
    for (Py_ssize_t k = 0; names && k < PyTuple_GET_SIZE(names); k++)
        if (PyUnicode_CompareWithASCIIString(PyTuple_GET_ITEM(names, k), word) == 0)
            return args[n + k];
    return NULL;
}

static int backward_arguments(PyObject *const *args, Py_ssize_t n, PyObject *names, PyObject **gradient,
                              pn_backward_options *o)
{
    PyObject *accumulate = word_value(args, n, names, "accumulate"), *keep = word_value(args, n, names, "keep_graph");
    PyObject *named = word_value(args, n, names, "gradient");
    if (word_value(args, n, names, "retain_graph")) {
        PyErr_SetString(PyExc_TypeError, "backward: there is no argument 'retain_graph'; did you mean 'keep_graph'?");
        return -1;
    }
    const Py_ssize_t known = !!accumulate + !!keep + !!named;
    if (n > 1 || (n == 1 && named) || (names && PyTuple_GET_SIZE(names) != known)) {
        PyErr_SetString(PyExc_TypeError, "backward: takes (gradient=None, *, accumulate=False, keep_graph=False)");
        return -1;
    }
    if (n == 1)
        named = args[0];
    *gradient = named ? named : Py_None;
    const int add = accumulate ? PyObject_IsTrue(accumulate) : 0, stay = keep ? PyObject_IsTrue(keep) : 0;
    o->accumulate = add == 1;
    o->keep_graph = stay == 1;
    return add < 0 || stay < 0 ? -1 : 0;
}

static PyObject *backward(PyObject *self, PyObject *const *args, Py_ssize_t n, PyObject *names)
{
    pn_state *s = pnb_state_of(self);
    pn_tensor *loss = pnb_of(self), *own = NULL;
    pn_backward_options options = { .accumulate = false };
    PyObject *gradient;
    pn_error err;
    if (backward_arguments(args, n, names, &gradient, &options))
        return NULL;
    if (pnb_is_tensor(s, gradient)) {
        options.seed = pnb_of(gradient);
    } else if (gradient != Py_None) {
        const pnb_intake how = { .who = "backward: gradient", .dtype = (int)loss->v.dtype, .real = (int)loss->v.dtype };
        options.seed = own = pnb_array_take(s, gradient, &how, NULL);
        if (!own)
            return NULL;
    }
    PyThreadState *thread = pnb_gate_enter(s->gate);
    const int failed = pn_backward(loss, &options, &err);
    pnb_gate_leave(s->gate, thread);
    pn_tensor_unref(own);
    return failed ? pnb_raise(&err) : Py_NewRef(Py_None);
}

static PyObject *keep_grad(PyObject *self, PyObject *unused)
{
    (void)unused;
    pn_error err;
    return pn_keep_grad(pnb_of(self), &err) ? pnb_raise(&err) : Py_NewRef(self);
}

static PyObject *graph(PyObject *self, PyObject *unused)
{
    (void)unused;
    return pnb_nodes(self);
}

static PyObject *detach(PyObject *self, PyObject *unused)
{
    (void)unused;
    pn_error err;
    pn_tensor *plain = pn_tensor_detach(pnb_of(self), &err);
    return plain ? pnb_wrap(pnb_state_of(self), plain) : pnb_raise(&err);
}

/* ---- methods on values ---- */

static PyObject *numpy(PyObject *self, PyObject *unused)
{
    (void)unused;
    return pnb_array_view(self);
}

static PyObject *item(PyObject *self, PyObject *unused)
{
    (void)unused;
    return pnb_object_number(self, "item");
}

static PyObject *tolist(PyObject *self, PyObject *unused)
{
    (void)unused;
    PyObject *new_view = pnb_array_view(self);
    PyObject *new_list = new_view ? PyObject_CallMethod(new_view, "tolist", NULL) : NULL;
    Py_XDECREF(new_view);
    return new_list;
}

static PyObject *assign(PyObject *self, PyObject *values)
{
    pn_tensor *t = pnb_of(self);
    if (!t->storage)
        return PyErr_Format(PyExc_RuntimeError, "assign: this tensor is shape-only and has no values to replace");
    if (t->storage->readonly)
        return PyErr_Format(PyExc_RuntimeError,
                            "assign: this tensor borrows the memory of a NumPy array and is read-only; "
                            "pn.tensor(array) makes a writable copy");
    if (t->node)
        return PyErr_Format(PyExc_RuntimeError,
                            "assign: this tensor is the result of an op; assign to x.detach(), or to the op's inputs");
    if (pnb_array_write(values, &t->v, "assign"))
        return NULL;
    pn_tensor_touch(t);
    Py_RETURN_NONE;
}

static PyObject *astype(PyObject *self, PyObject *dtype)
{
    pn_dtype wanted;
    if (pnb_array_dtype(dtype, "astype", &wanted))
        return NULL;
    return pnb_call_with(pnb_state_of(self), pn_ops[PNB_cast], 1, &self, &wanted);
}

static PyObject *refuse_pickle(PyObject *self, PyObject *unused)
{
    (void)self, (void)unused;
    return PyErr_Format(PyExc_TypeError,
                        "a Tensor cannot be pickled or deep-copied; save a model with pn.save(model, path), "
                        "values with numpy.save(path, x.numpy()), and copy values with pn.tensor(x)");
}

/* ---- methods that call ops with a different signature; methods that are just an op come from the op table ---- */

/* sqrt(var).  The slope of sqrt at 0 is infinite and that of a variance of 0 is 0: the extra ops give deviations of 0 a
 * gradient of 0 instead of NaN. */
static PyObject *root(const pn_state *s, PyObject *new_var)
{
    PyObject *new_0 = PyFloat_FromDouble(0), *new_1 = PyFloat_FromDouble(1), *new_result = NULL;
    PyObject *new_flat =
        new_0 && new_1 ? pnb_call_recorded(s, pn_ops[PNB_equal], 2, (PyObject *[]){ new_var, new_0 }) : NULL;
    PyObject *new_safe =
        new_flat ? pnb_call_recorded(s, pn_ops[PNB_where], 3, (PyObject *[]){ new_flat, new_1, new_var }) : NULL;
    PyObject *new_root = new_safe ? pnb_call_next(s, pn_ops[PNB_sqrt], new_safe, NULL) : NULL;
    if (new_root)
        new_result = pnb_call_recorded(s, pn_ops[PNB_where], 3, (PyObject *[]){ new_flat, new_0, new_root });
    Py_XDECREF(new_root);
    Py_XDECREF(new_flat);
    Py_XDECREF(new_1);
    Py_XDECREF(new_0);
    Py_DECREF(new_var);
    return new_result;
}

static PyObject *std(PyObject *self, PyObject *const *args, Py_ssize_t n, PyObject *names)
{
    const pn_state *s = pnb_state_of(self);
    PyObject *new_var = pnb_call_method(self, PNB_var, args, n, names);
    if (!new_var)
        return NULL;
    return pnb_of(new_var)->node ? root(s, new_var) : pnb_call_next(s, pn_ops[PNB_sqrt], new_var, NULL);
}

/* Accepts reshape(2, -1) and reshape((2, -1)); transpose(1, 0), transpose((1, 0)) and transpose(). */
static PyObject *with_list(PyObject *self, int op, PyObject *const *args, Py_ssize_t n, bool empty_is_none)
{
    PyObject *list = n == 0 && empty_is_none ? Py_None : NULL;
    if (n == 1 && (PyTuple_Check(args[0]) || PyList_Check(args[0]) || args[0] == Py_None))
        list = args[0];
    PyObject *new_list = list ? Py_NewRef(list) : PyTuple_New(n);
    for (Py_ssize_t i = 0; !list && new_list && i < n; i++)
        PyTuple_SET_ITEM(new_list, i, Py_NewRef(args[i]));
    PyObject *new_result = new_list ? pnb_call_method(self, op, &new_list, 1, NULL) : NULL;
    Py_XDECREF(new_list);
    return new_result;
}

/* np.reshape(x, shape) calls x.reshape(shape, order="C"), and silently leaves the graph if that raises a TypeError: so
 * another order raises a ValueError. */
static PyObject *reshape(PyObject *self, PyObject *const *args, Py_ssize_t n, PyObject *names)
{
    PyObject *order = word_value(args, n, names, "order");
    if (names && PyTuple_GET_SIZE(names) > !!order)
        return PyErr_Format(PyExc_TypeError, "reshape: takes (*shape), as in x.reshape(2, -1)");
    if (order && !(PyUnicode_Check(order) && PyUnicode_CompareWithASCIIString(order, "C") == 0))
        return PyErr_Format(PyExc_ValueError, "reshape: order must be 'C', got %.100R: tensors are row-major", order);
    return with_list(self, PNB_reshape, args, n, false);
}
static PyObject *transpose(PyObject *self, PyObject *const *args, Py_ssize_t n)
{
    return with_list(self, PNB_transpose, args, n, true);
}

static const PyMethodDef methods[] = {
    { "backward", PNB_METHOD(backward), METH_FASTCALL | METH_KEYWORDS,
      "backward($self, gradient=None, *, accumulate=False, keep_graph=False)\n--\n\n"
      "Computes the gradient of this number with respect to every leaf that it depends on, and stores it in their "
      ".grad.\n\n"
      "gradient: of the loss with respect to this tensor, if it is not a single number; accumulate: add to existing "
      "gradients;\nkeep_graph: allow another backward.\n\n"
      ">>> x = pn.tensor([1.0, 2.0], requires_grad=True)\n>>> (x * x).sum().backward()\n"
      ">>> x.grad\ntensor([2., 4.], shape=(2,), dtype=float32)" },
    { "keep_grad", keep_grad, METH_NOARGS,
      "keep_grad($self)\n--\n\nMakes the next backward store this tensor's gradient in .grad, although it is not a "
      "leaf; returns self.\n\n"
      ">>> x = pn.tensor([1.0, 2.0], requires_grad=True)\n>>> y = (x * 3.0).keep_grad()\n"
      ">>> (y * y).sum().backward()\n>>> y.grad\ntensor([ 6., 12.], shape=(2,), dtype=float32)" },
    { "graph", graph, METH_NOARGS,
      "graph($self)\n--\n\n"
      "The recorded ops that this tensor was computed by, oldest first: a dict for each, empty for a leaf.\n\n"
      "number: from 0; op: its name; inputs: (name, shape, source) of each, where source is the number of an op, "
      "\"leaf\" for a\ntensor that requires a gradient, or None for a constant; shapes: of the outputs; keeps: what "
      "backward will read, names of\ninputs, \"y\" for the output, \"saved\" for other memory; bytes: their size; "
      "freed: whether a backward has freed them.\n\n"
      ">>> x = pn.tensor([1.0, 2.0], requires_grad=True)\n"
      ">>> for op in (x.exp() * 3.0).graph():\n...     print(op[\"number\"], op[\"op\"], op[\"inputs\"], "
      "op[\"keeps\"])\n"
      "0 exp [('x', (2,), 'leaf')] ['y']\n1 mul [('a', (2,), 0), ('b', (), None)] ['b']" },
    { "detach", detach, METH_NOARGS,
      "detach($self)\n--\n\nThe same values outside the graph, sharing memory.\n\n"
      ">>> pn.tensor([1.0], requires_grad=True).detach().requires_grad\nFalse" },
    { "numpy", numpy, METH_NOARGS,
      "numpy($self)\n--\n\nThe values as a read-only NumPy array of the same shape, without a copy; the array keeps "
      "the memory alive.\n\n>>> pn.tensor([1.0, 2.0]).numpy()\narray([1., 2.], dtype=float32)" },
    { "__array__", PNB_METHOD(pnb_array_dunder), METH_FASTCALL | METH_KEYWORDS,
      "__array__($self, dtype=None, copy=None)\n--\n\nCalled by numpy.asarray(x)." },
    { "item", item, METH_NOARGS,
      "item($self)\n--\n\nThe only element as a Python number.\n\n>>> pn.tensor([[2.5]]).item()\n2.5" },
    { "tolist", tolist, METH_NOARGS,
      "tolist($self)\n--\n\nThe values as nested lists of Python numbers; a number for a tensor without axes.\n\n"
      ">>> pn.tensor([[1, 2], [3, 4]]).tolist()\n[[1, 2], [3, 4]]" },
    { "assign", assign, METH_O,
      "assign($self, values, /)\n--\n\nReplaces the tensor's values in place; the shape must be the same or broadcast "
      "to it.\n\n"
      ">>> x = pn.zeros((2, 2))\n>>> x.assign([1, 2])\n>>> x.tolist()\n[[1.0, 2.0], [1.0, 2.0]]" },
    { "astype", astype, METH_O,
      "astype($self, dtype, /)\n--\n\nA copy with another dtype; differentiable between float32 and "
      "float64.\n\n>>> pn.tensor([1, 2]).astype(\"float32\")\ntensor([1., 2.], shape=(2,), dtype=float32)" },
    { "reshape", PNB_METHOD(reshape), METH_FASTCALL | METH_KEYWORDS,
      "reshape($self, *shape)\n--\n\nThe same values in another shape, sharing memory; one length may be -1.\n\n"
      ">>> pn.zeros((2, 6)).reshape(3, -1).shape\n(3, 4)" },
    { "transpose", PNB_METHOD(transpose), METH_FASTCALL,
      "transpose($self, *axes)\n--\n\nThe axes in another order; reversed if none are given.\n\n"
      ">>> pn.zeros((2, 3, 4)).transpose(0, 2, 1).shape\n(2, 4, 3)" },
    { "std", PNB_METHOD(std), METH_FASTCALL | METH_KEYWORDS,
      "std($self, axis=None, keepdims=False, correction=0)\n--\n\nStandard deviation over axes, the square root of "
      "var; its gradient is 0 where it is 0.\n\nReturns x's shape without the reduced axes, or with length 1 for them "
      "(keepdims).\n\n"
      ">>> pn.tensor([[1.0, 3.0], [2.0, 2.0]]).std(axis=1)\ntensor([1., 0.], shape=(2,), dtype=float32)" },
    { "__format__", pnb_format, METH_O,
      "__format__($self, spec, /)\n--\n\nFormats a tensor with one element as a number." },
    { "__reduce_ex__", refuse_pickle, METH_O, NULL },
    { NULL, NULL, 0, NULL },
};

/* ---- spec ---- */

static const PyMemberDef members[] = {
    { "__weaklistoffset__", T_PYSSIZET, offsetof(pnb_tensor, weakrefs), READONLY, NULL },
    { NULL, 0, 0, 0, NULL },
};

static const char doc[] =
    "An array of numbers that records how it was computed; create one with pn.tensor(values).\n\n"
    "Contiguous, row-major; float32 or float64, or uint8 and int64 for pixels, labels and indices.";

static const PyType_Slot slots[] = {
    PNB_SLOT(tp_doc, doc),
    PNB_SLOT(tp_new, refuse_new),
    PNB_SLOT(tp_dealloc, pnb_object_dealloc),
    PNB_SLOT(tp_getattro, pnb_familiar_getattr),
    PNB_SLOT(tp_getset, attributes),
    PNB_SLOT(tp_methods, methods),
    PNB_SLOT(tp_members, members),
    PNB_SLOT(tp_repr, pnb_repr),
    PNB_SLOT(tp_hash, hash),
    PNB_SLOT(tp_richcompare, pnb_number_compare),
    PNB_SLOT(nb_add, pnb_number_add),
    PNB_SLOT(nb_subtract, pnb_number_sub),
    PNB_SLOT(nb_multiply, pnb_number_mul),
    PNB_SLOT(nb_true_divide, pnb_number_div),
    PNB_SLOT(nb_matrix_multiply, pnb_number_matmul),
    PNB_SLOT(nb_power, pnb_number_pow),
    PNB_SLOT(nb_inplace_add, pnb_number_add_over),
    PNB_SLOT(nb_inplace_subtract, pnb_number_sub_over),
    PNB_SLOT(nb_inplace_multiply, pnb_number_mul_over),
    PNB_SLOT(nb_inplace_true_divide, pnb_number_div_over),
    PNB_SLOT(nb_inplace_matrix_multiply, pnb_number_matmul_over),
    PNB_SLOT(nb_inplace_power, pnb_number_pow_over),
    PNB_SLOT(nb_and, pnb_number_and),
    PNB_SLOT(nb_or, pnb_number_or),
    PNB_SLOT(nb_xor, pnb_number_xor),
    PNB_SLOT(nb_invert, pnb_number_invert),
    PNB_SLOT(nb_floor_divide, pnb_number_floor_divide),
    PNB_SLOT(nb_remainder, pnb_number_remainder),
    PNB_SLOT(nb_negative, pnb_number_neg),
    PNB_SLOT(nb_positive, pnb_number_pos),
    PNB_SLOT(nb_absolute, pnb_number_abs),
    PNB_SLOT(nb_float, pnb_number_float),
    PNB_SLOT(nb_int, pnb_number_int),
    PNB_SLOT(nb_index, pnb_number_index),
    PNB_SLOT(nb_bool, pnb_number_bool),
    PNB_SLOT(mp_length, pnb_index_length),
    PNB_SLOT(mp_subscript, pnb_index_get),
    PNB_SLOT(mp_ass_subscript, pnb_index_set),
    PNB_SLOT(sq_item, pnb_index_item),
    PNB_SLOT(tp_iter, PySeqIter_New),
    { 0, NULL },
};

static const PyType_Spec spec = {
    .name = "pyneural._core.Tensor",
    .basicsize = sizeof(pnb_tensor),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = (PyType_Slot *)slots,
};

int pnb_tensor_setup(PyObject *module, pn_state *s)
{
    PyType_Slot all[PN_COUNT(slots)];
    PyType_Spec whole = spec;
    if (pnb_optable_methods(s, methods, PN_COUNT(methods) - 1))
        return -1;
    for (int i = 0; i < PN_COUNT(slots); i++)
        all[i] = slots[i].slot == Py_tp_methods ? (PyType_Slot){ Py_tp_methods, s->tensor_methods } : slots[i];
    whole.slots = all;
    s->tensor_type = pnb_add_type(module, &whole);
    if (!s->tensor_type)
        return -1;
    /* With None here, NumPy leaves `array + tensor` to Tensor, and its ufuncs raise an error.  There is no slot for it,
     * so the type is made immutable afterwards. */
    if (PyObject_SetAttrString((PyObject *)s->tensor_type, "__array_ufunc__", Py_None))
        return -1;
    s->tensor_type->tp_flags |= Py_TPFLAGS_IMMUTABLETYPE;
    return 0;
}
