/* array.c -- NumPy in and out; the only file that uses NumPy's C API.
 *
 * In: any array of numbers, with any byte order, strides or alignment, is copied to a contiguous tensor; or its memory
 * is borrowed if it has the layout of a tensor.  Out: a read-only view that keeps the tensor alive. */
#define NPY_TARGET_VERSION NPY_1_25_API_VERSION
#define NPY_NO_DEPRECATED_API NPY_1_25_API_VERSION
#include "binding/binding.h"

#include <numpy/arrayobject.h>

#include <string.h>

int pnb_array_setup(PyObject *module, pn_state *s)
{
    (void)module, (void)s;
    import_array1(-1);
    return 0;
}

static int numpy_type(pn_dtype dtype)
{
    static const int types[PN_DTYPES] = {
        [PN_FLOAT32] = NPY_FLOAT32,
        [PN_FLOAT64] = NPY_FLOAT64,
        [PN_UINT8] = NPY_UINT8,
        [PN_INT64] = NPY_INT64,
    };
    return types[dtype];
}

static int exact_dtype(const PyArrayObject *a) /* -1: tensors do not have this dtype */
{
    for (pn_dtype d = PN_FLOAT32; d < PN_DTYPES; d++)
        if (PyArray_EquivTypenums(PyArray_TYPE(a), numpy_type(d)))
            return (int)d;
    return -1;
}

/* An ndarray over memory of this shape. */
static PyObject *array_over(const pn_view *v, void *data, int flags)
{
    npy_intp shape[PN_MAX_DIMS];
    for (int i = 0; i < v->ndim; i++)
        shape[i] = v->shape[i];
    return PyArray_New(&PyArray_Type, v->ndim, shape, numpy_type(v->dtype), NULL, data, 0, flags, NULL);
}

/* ---- dtypes ---- */

/* A dtype as NumPy reads it: a dtype, a name, a built-in type, or an object with an attribute `dtype`.  Other forms
 * that NumPy accepts describe structures, which no tensor has, and could run user code. */
static PyArray_Descr *new_descr_of(PyObject *o)
{
    PyArray_Descr *new_descr = NULL;
    const bool plain = PyArray_DescrCheck(o) || PyUnicode_Check(o) ||
                       (PyType_Check(o) && !PyType_HasFeature((PyTypeObject *)o, Py_TPFLAGS_HEAPTYPE));
    PyObject *new_dtype = plain ? Py_NewRef(o) : PyObject_GetAttrString(o, "dtype");
    if (new_dtype && (plain || PyArray_DescrCheck(new_dtype)))
        PyArray_DescrConverter(new_dtype, &new_descr);
    else if (!PyErr_Occurred() || PyErr_ExceptionMatches(PyExc_AttributeError))
        PyErr_Format(PyExc_TypeError, "%.100R is not a dtype", o);
    Py_XDECREF(new_dtype);
    return new_descr;
}

int pnb_array_dtype(PyObject *o, const char *who, pn_dtype *dtype)
{
    if (PyUnicode_Check(o))
        for (pn_dtype d = PN_FLOAT32; d < PN_DTYPES; d++)
            if (PyUnicode_CompareWithASCIIString(o, pn_dtype_name(d)) == 0) {
                *dtype = d;
                return 0;
            }
    PyArray_Descr *new_descr = PyUnicode_Check(o) ? NULL : new_descr_of(o);
    int found = -1;
    for (pn_dtype d = PN_FLOAT32; new_descr && d < PN_DTYPES; d++)
        if (PyArray_EquivTypenums(new_descr->type_num, numpy_type(d)))
            found = (int)d;
    Py_XDECREF(new_descr);
    if (found < 0 && PyErr_Occurred() && !PyErr_ExceptionMatches(PyExc_Exception)) /* Ctrl-C in user code */
        return -1;
    if (found < 0) {
        PyErr_Format(PyUnicode_Check(o) ? PyExc_ValueError : PyExc_TypeError,
                     "%s: dtype must be 'float32', 'float64', 'uint8' or 'int64', got %.100R", who, o);
        return -1;
    }
    *dtype = (pn_dtype)found;
    return 0;
}

/* The default dtype of an array; -1 with an exception if it does not hold numbers, or they fit no tensor dtype. */
static int natural_dtype(const PyArrayObject *a, const pnb_intake *how)
{
    const int type = PyArray_TYPE(a);
    if (PyTypeNum_ISBOOL(type) || type == NPY_UINT8)
        return PN_UINT8;
    if (type == NPY_HALF || type == NPY_FLOAT)
        return PN_FLOAT32;
    if (type == NPY_DOUBLE || type == NPY_LONGDOUBLE)
        return PN_FLOAT64;
    if (PyTypeNum_ISINTEGER(type) && !(PyTypeNum_ISUNSIGNED(type) && PyArray_ITEMSIZE(a) == 8))
        return how->follow ? how->real : (int)PN_INT64;
    if (PyTypeNum_ISINTEGER(type))
        PyErr_Format(PyExc_TypeError, "%s: %S does not fit int64; give a.astype('int64')", how->who, PyArray_DESCR(a));
    else if (PyTypeNum_ISCOMPLEX(type))
        PyErr_Format(PyExc_TypeError,
                     "%s: complex numbers are not supported (the array is %S); give a.real and a.imag separately",
                     how->who, PyArray_DESCR(a));
    else
        PyErr_Format(PyExc_TypeError,
                     "%s: an array of dtype %S does not hold plain numbers; lists must be rectangular and hold "
                     "numbers only, of at most 64 bits",
                     how->who, PyArray_DESCR(a));
    return -1;
}

static bool is_number_type(int type)
{
    return PyTypeNum_ISBOOL(type) || PyTypeNum_ISINTEGER(type) || PyTypeNum_ISFLOAT(type);
}

/* Python numbers have no width: floats take the real dtype of the call, and so do integers if `follow` is set. */
static int weak_dtype(const PyArrayObject *a, const pnb_intake *how)
{
    if (PyTypeNum_ISFLOAT(PyArray_TYPE(a)))
        return how->real;
    return natural_dtype(a, how);
}

static int choose_dtype(const PyArrayObject *a, bool weak, const pnb_intake *how)
{
    if (how->dtype < 0)
        return weak ? weak_dtype(a, how) : natural_dtype(a, how);
    if (is_number_type(PyArray_TYPE(a)))
        return how->dtype;
    return natural_dtype(a, how); /* raises the error */
}

/* ---- in ---- */

bool pnb_array_is_scalar(PyObject *o) { return PyArray_IsScalar(o, Generic); }

pnb_kind pnb_array_kind(PyObject *o)
{
    if (PyFloat_Check(o) || PyArray_IsScalar(o, Floating))
        return PNB_FRACTION;
    return PyLong_Check(o) || PyArray_IsScalar(o, Integer) || PyArray_IsScalar(o, Bool) ? PNB_WHOLE : PNB_ARRAY;
}

bool pnb_array_like(PyObject *o)
{
    return PyFloat_Check(o) || PyLong_Check(o) || PyArray_Check(o) || PyArray_IsScalar(o, Generic) || PyList_Check(o) ||
           PyTuple_Check(o);
}

static int copy_over(PyArrayObject *from, const pn_view *to)
{
    PyObject *new_to = array_over(to, to->data, NPY_ARRAY_CARRAY);
    const int failed = new_to ? PyArray_CopyInto((PyArrayObject *)new_to, from) : -1;
    Py_XDECREF(new_to);
    return failed;
}

static pn_tensor *copy_in(const pn_state *s, PyArrayObject *a, const pn_view *shape)
{
    pn_error err;
    pn_tensor *new_tensor = pn_tensor_new(s->engine, shape, &err);
    if (!new_tensor)
        return pnb_raise(&err);
    if (copy_over(a, &new_tensor->v)) {
        pn_tensor_unref(new_tensor);
        return NULL;
    }
    return new_tensor;
}

/* Whether NumPy's cast might change more than cut a fraction off: floats and Python integers must fit an integer dtype,
 * while the integers of an array wrap around. */
static bool may_not_fit(const PyArrayObject *a, bool weak, pn_dtype dtype)
{
    const int type = PyArray_TYPE(a);
    const bool must_fit = PyTypeNum_ISFLOAT(type) || (weak && PyTypeNum_ISINTEGER(type));
    return must_fit && !pn_dtype_is_real(dtype) && exact_dtype(a) != (int)dtype && PyArray_SIZE(a) > 0;
}

/* From the least and the greatest value, of which NaN makes NaN. */
static int check_fits(PyArrayObject *a, pn_dtype dtype, const char *who)
{
    PyObject *new_least = PyArray_Min(a, NPY_RAVEL_AXIS, NULL), *new_most = PyArray_Max(a, NPY_RAVEL_AXIS, NULL);
    const double least = new_least ? PyFloat_AsDouble(new_least) : 0, most = new_most ? PyFloat_AsDouble(new_most) : 0;
    Py_XDECREF(new_least);
    Py_XDECREF(new_most);
    if (PyErr_Occurred())
        return -1;
    if (dtype == PN_UINT8 ? least > -1 && most < 256 : least >= -0x1p63 && most < 0x1p63)
        return 0;
    if (PyTypeNum_ISFLOAT(PyArray_TYPE(a)))
        PyErr_Format(
            PyExc_OverflowError,
            "%s: a number does not fit %s (NaN and infinities never do); clip the values, or give a dtype that "
            "holds them",
            who, pn_dtype_name(dtype));
    else
        PyErr_Format(PyExc_OverflowError, "%s: an integer does not fit %s; give a dtype that holds it", who,
                     pn_dtype_name(dtype));
    return -1;
}

/* The last reference to a borrowed storage may be dropped on any thread, with or without the GIL. */
static void release_loan(void *owner)
{
    pnb_loan *loan = owner;
    pnb_gate_return(loan->gate, loan);
}

/* References to the array and to what keeps its memory in place: array.resize(refcheck=False) would free that memory,
 * but fails while there is a weak reference to the array that owns it; a bytearray or mmap below cannot be resized
 * while it has exported a buffer.  (array.__setstate__ frees it nevertheless, even under NumPy's own views.) */
static pnb_loan *new_loan(const pn_state *s, PyArrayObject *a)
{
    PyArrayObject *root = a;
    while (PyArray_BASE(root) && PyArray_Check(PyArray_BASE(root)))
        root = (PyArrayObject *)PyArray_BASE(root);
    PyObject *base = PyArray_BASE(root), *new_buffer = NULL;
    if (base && PyObject_CheckBuffer(base) && !(new_buffer = PyMemoryView_FromObject(base)))
        return NULL;
    PyObject *new_weak = PyWeakref_NewRef((PyObject *)root, NULL);
    pnb_loan *loan = new_weak ? PyMem_Malloc(sizeof *loan) : NULL;
    if (!loan) {
        Py_XDECREF(new_weak);
        Py_XDECREF(new_buffer);
        return PyErr_Occurred() ? NULL : (pnb_loan *)PyErr_NoMemory();
    }
    *loan = (pnb_loan){ .gate = s->gate, .held = { Py_NewRef(a), new_weak, new_buffer } };
    return loan;
}

static pn_tensor *borrow(const pn_state *s, PyArrayObject *a, const pn_view *shape)
{
    pn_error err;
    pnb_loan *loan = new_loan(s, a);
    if (!loan)
        return NULL;
    pn_storage *storage =
        pn_storage_borrow(s->engine, PyArray_DATA(a), pn_view_bytes(shape), true, release_loan, loan, &err);
    if (!storage) {
        release_loan(loan);
        return pnb_raise(&err);
    }
    pn_tensor *new_tensor = pn_tensor_on(storage, 0, shape, &err);
    pn_storage_unref(storage);
    return new_tensor ? new_tensor : pnb_raise(&err);
}

static pn_tensor *take(const pn_state *s, PyArrayObject *a, bool weak, const pnb_intake *how, bool *lent)
{
    pn_error err;
    pn_view shape;
    const int dtype = choose_dtype(a, weak, how);
    if (dtype < 0)
        return NULL;
    if (pn_view_init(&shape, (pn_dtype)dtype, PyArray_NDIM(a), PyArray_DIMS(a), how->who, &err))
        return pnb_raise(&err);
    const bool in_place = how->lend && exact_dtype(a) == dtype && PyArray_IS_C_CONTIGUOUS(a) && PyArray_ISALIGNED(a) &&
                          PyArray_ISNOTSWAPPED(a);
    if (lent)
        *lent = in_place;
    if (in_place)
        return borrow(s, a, &shape);
    if (may_not_fit(a, weak, (pn_dtype)dtype) && check_fits(a, (pn_dtype)dtype, how->who))
        return NULL;
    return copy_in(s, a, &shape);
}

/* Python floats and ints, without going through NumPy; returns -1 if that is not possible. */
static int read_number(PyObject *o, pn_dtype dtype, double *real, int64_t *integer)
{
    if (dtype == PN_UINT8 || (dtype == PN_INT64 && !PyLong_CheckExact(o)))
        return -1;
    if (dtype == PN_INT64)
        *integer = PyLong_AsLongLong(o);
    else
        *real = PyFloat_AsDouble(o);
    if (!PyErr_Occurred())
        return 0;
    PyErr_Clear(); /* the int is too large: going through NumPy raises the error */
    return -1;
}

static pn_tensor *take_number(const pn_state *s, const pn_view *shape, double real, int64_t integer)
{
    pn_error err;
    pn_tensor *new_tensor = pn_tensor_new(s->engine, shape, &err);
    if (!new_tensor)
        return pnb_raise(&err);
    if (shape->dtype == PN_FLOAT32)
        *(float *)new_tensor->v.data = (float)real;
    else if (shape->dtype == PN_FLOAT64)
        *(double *)new_tensor->v.data = real;
    else
        *(int64_t *)new_tensor->v.data = integer;
    return new_tensor;
}

/* Like PyObject_GetAttrString, but a missing attribute is NULL without an exception. */
static PyObject *new_attribute(PyObject *o, const char *name)
{
    PyObject *new_value = PyObject_GetAttrString(o, name);
    if (!new_value && PyErr_ExceptionMatches(PyExc_AttributeError))
        PyErr_Clear();
    return new_value;
}

/* The number of masked values in a masked array (an ndarray of a type that has `filled`, with a boolean `mask`), or in
 * nested tuples of these; -1 with an exception. */
static Py_ssize_t count_masked(PyObject *o)
{
    Py_ssize_t count = 0;
    if (PyTuple_CheckExact(o)) {
        for (Py_ssize_t i = 0, found; i < PyTuple_GET_SIZE(o); i++, count += found)
            if ((found = count_masked(PyTuple_GET_ITEM(o, i))) < 0)
                return -1;
        return count;
    }
    if (PyArray_CheckExact(o) || !PyArray_Check(o))
        return 0;
    PyObject *new_method = new_attribute((PyObject *)Py_TYPE(o), "filled");
    PyObject *new_mask = new_method ? new_attribute(o, "mask") : NULL;
    if (new_mask && PyArray_Check(new_mask) && PyTypeNum_ISBOOL(PyArray_TYPE((PyArrayObject *)new_mask)))
        count = PyArray_CountNonzero((PyArrayObject *)new_mask); /* `nomask` is a scalar */
    Py_XDECREF(new_method);
    Py_XDECREF(new_mask);
    return PyErr_Occurred() ? -1 : count;
}

/* The array that NumPy makes of an object.  NumPy iterates over lists themselves, so it gets a snapshot; and it would
 * drop masks, so that masked values would count. */
static PyArrayObject *new_array_of(PyObject *o, const char *who)
{
    PyObject *new_snapshot = pnb_snapshot(o, who);
    if (!new_snapshot)
        return NULL;
    const Py_ssize_t masked = count_masked(new_snapshot);
    if (masked > 0)
        PyErr_Format(PyExc_ValueError,
                     "%s: %zd of the values are masked, which a tensor cannot record: fill them, such as with "
                     "array.filled(0)",
                     who, masked);
    if (masked) {
        Py_DECREF(new_snapshot);
        return NULL;
    }
    PyArrayObject *new_array = (PyArrayObject *)PyArray_FromAny(new_snapshot, NULL, 0, 0, 0, NULL);
    if (!new_array && new_snapshot != o && PyErr_ExceptionMatches(PyExc_ValueError))
        PyErr_Format(PyExc_ValueError, "%s: lists must be rectangular and hold numbers only", who);
    Py_DECREF(new_snapshot);
    return new_array;
}

pn_tensor *pnb_array_take(const pn_state *s, PyObject *o, const pnb_intake *how, bool *lent)
{
    if (PyFloat_CheckExact(o) || PyLong_CheckExact(o)) {
        const int own = PyFloat_CheckExact(o) || how->follow ? how->real : (int)PN_INT64;
        const pn_view shape = { .dtype = (pn_dtype)(how->dtype >= 0 ? how->dtype : own), .size = 1 };
        double real = 0;
        int64_t integer = 0;
        if (read_number(o, shape.dtype, &real, &integer) == 0)
            return take_number(s, &shape, real, integer);
    }
    const bool weak = PyArray_IsScalar(o, Generic)
                          ? how->loose
                          : PyFloat_Check(o) || PyLong_Check(o) || PyList_Check(o) || PyTuple_Check(o);
    if (PyUnicode_Check(o) || PyBytes_Check(o) || PyDict_Check(o) || o == Py_None) {
        PyErr_Format(PyExc_TypeError, "%s must be a tensor, an array or numbers, not %s", how->who,
                     Py_TYPE(o)->tp_name);
        return NULL;
    }
    if (PyAnySet_Check(o) || PyIter_Check(o)) {
        PyErr_Format(PyExc_TypeError, "%s must be a tensor, an array or numbers, not %s; convert it with list(...)",
                     how->who, Py_TYPE(o)->tp_name);
        return NULL;
    }
    PyArrayObject *new_array = new_array_of(o, how->who);
    if (!new_array)
        return NULL;
    pn_tensor *new_tensor = take(s, new_array, weak, how, lent);
    Py_DECREF(new_array);
    return new_tensor;
}

int pnb_array_write(PyObject *values, const pn_view *to, const char *who)
{
    PyArrayObject *new_from = new_array_of(values, who);
    const bool weak = PyLong_Check(values) || PyList_Check(values) || PyTuple_Check(values);
    PyObject *new_to = new_from ? array_over(to, to->data, NPY_ARRAY_CARRAY) : NULL;
    int failed = -1;
    if (!new_to)
        goto done;
    if (!is_number_type(PyArray_TYPE(new_from)) ||
        (PyTypeNum_ISFLOAT(PyArray_TYPE(new_from)) && !pn_dtype_is_real(to->dtype)))
        PyErr_Format(PyExc_TypeError, "%s: values of dtype %S cannot be written into a %s tensor", who,
                     PyArray_DESCR(new_from), pn_dtype_name(to->dtype));
    else if (may_not_fit(new_from, weak, to->dtype) && check_fits(new_from, to->dtype, who))
        goto done;
    else if ((failed = PyArray_CopyInto((PyArrayObject *)new_to, new_from)) && PyErr_ExceptionMatches(PyExc_ValueError))
        PyErr_Format(PyExc_ValueError, "%s: values of shape %s do not broadcast to %s", who,
                     PyArray_NDIM(new_from) > PN_MAX_DIMS
                         ? "(...)"
                         : pn_shape_text(PyArray_NDIM(new_from), PyArray_DIMS(new_from)).s,
                     pn_view_text(to).s);
done:
    Py_XDECREF(new_to);
    Py_XDECREF(new_from);
    return failed;
}

/* ---- out ---- */

PyObject *pnb_array_view(PyObject *tensor)
{
    const pn_tensor *t = pnb_of(tensor);
    if (!t->storage) {
        PyErr_Format(PyExc_RuntimeError, "numpy: this tensor is shape-only: it has shape %s and no values",
                     pn_view_text(&t->v).s);
        return NULL;
    }
    PyObject *new_array = array_over(&t->v, t->v.data, NPY_ARRAY_CARRAY_RO);
    if (new_array && PyArray_SetBaseObject((PyArrayObject *)new_array, Py_NewRef(tensor)) < 0)
        Py_CLEAR(new_array);
    return new_array;
}

/* __array__(dtype=None, *, copy=None), as NumPy 2 calls it; NumPy 1.26 does not pass copy. */
PyObject *pnb_array_dunder(PyObject *tensor, PyObject *const *args, Py_ssize_t n, PyObject *names)
{
    PyObject *dtype = n > 0 ? args[0] : Py_None, *copy = n > 1 ? args[1] : Py_None;
    const Py_ssize_t words = names ? PyTuple_GET_SIZE(names) : 0;
    for (Py_ssize_t i = 0; i < words; i++) {
        if (PyUnicode_CompareWithASCIIString(PyTuple_GET_ITEM(names, i), "dtype") == 0)
            dtype = args[n + i];
        else if (PyUnicode_CompareWithASCIIString(PyTuple_GET_ITEM(names, i), "copy") == 0)
            copy = args[n + i];
        else
            return PyErr_Format(PyExc_TypeError, "__array__: there is no argument %R", PyTuple_GET_ITEM(names, i));
    }
    PyObject *new_view = pnb_array_view(tensor);
    PyArray_Descr *new_descr = NULL;
    if (!new_view || (dtype != Py_None && !(new_descr = new_descr_of(dtype))))
        goto fail;
    const bool same = !new_descr || PyArray_EquivTypes(new_descr, PyArray_DESCR((PyArrayObject *)new_view));
    if (copy == Py_False && !same) {
        PyErr_Format(PyExc_ValueError, "__array__: converting a %s tensor to %S needs a copy, but copy=False was given",
                     pn_dtype_name(pnb_of(tensor)->v.dtype), new_descr);
        goto fail;
    }
    if (same && (copy == Py_None || copy == Py_False)) {
        Py_XDECREF(new_descr);
        return new_view;
    }
    PyObject *new_copy = PyArray_FromArray((PyArrayObject *)new_view, new_descr, /* steals new_descr */
                                           NPY_ARRAY_CARRAY | NPY_ARRAY_ENSURECOPY | NPY_ARRAY_FORCECAST);
    Py_DECREF(new_view);
    return new_copy;
fail:
    Py_XDECREF(new_descr);
    Py_XDECREF(new_view);
    return NULL;
}

PyObject *pnb_array_copy(pn_dtype dtype, pn_index n, const void *data)
{
    npy_intp length = n;
    PyObject *new_array = PyArray_SimpleNew(1, &length, numpy_type(dtype));
    if (new_array && n > 0)
        memcpy(PyArray_DATA((PyArrayObject *)new_array), data, (size_t)n * pn_dtype_size(dtype));
    return new_array;
}

PyObject *pnb_array_of(const pn_view *v)
{
    PyObject *new_array = array_over(v, NULL, 0);
    if (new_array)
        memcpy(PyArray_DATA((PyArrayObject *)new_array), v->data, pn_view_bytes(v));
    return new_array;
}
