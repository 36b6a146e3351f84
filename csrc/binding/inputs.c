/* inputs.c -- converts the inputs of an op to tensors, and casts those that the op promotes to one dtype.
 *
 * Arrays come first, since they have a dtype.  Python numbers and NumPy scalars only have a kind, and take the dtype
 * that the others determine (docs/tensors.md has the table).  Tensors of other dtypes are cast by the op `cast`, so
 * that gradients propagate.  If no graph is recorded, the memory of an array is borrowed, since it is not read after
 * the call; else the array is copied, since its owner may change it before backward. */
#include "binding/inputs.h"

#include <string.h>

/* ---- inspecting the inputs ---- */

static bool is_promoted(const pnb_inputs *in, int i) { return in->op->promotes >> i & 1; }

void pnb_inputs_look(pnb_inputs *in)
{
    in->raw = in->owned = in->lent = 0;
    in->real = in->result = -1;
    in->dtypes = 0;
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
        const pn_dtype dtype = in->t[i]->v.dtype;
        if (in->real < 0 && pn_dtype_is_real(dtype))
            in->real = (int)dtype;
        in->dtypes |= (unsigned)is_promoted(in, i) << dtype;
    }
    in->recording = wants && pnb_is_recording(in->s);
}

void pnb_inputs_release(pnb_inputs *in)
{
    for (int i = 0; in->owned; i++, in->owned >>= 1)
        if (in->owned & 1)
            pn_tensor_unref(in->t[i]);
}

/* ---- converting one input ---- */

static int take(pnb_inputs *in, int i, pnb_intake how)
{
    char name[64], who[128];
    bool lent = false;
    const pn_call naming = { .op = in->op, .n_in = in->n };
    how.who = in->op->name;
    how.lend = !in->recording;
    if (pnb_array_kind(in->objects[i]) == PNB_ARRAY) { /* numbers hardly ever fail, so skip naming the input */
        PyOS_snprintf(who, sizeof who, "%s: %s", in->op->name, pn_call_input_name(&naming, i, name, sizeof name));
        how.who = who;
    }
    in->t[i] = pnb_array_take(in->s, in->objects[i], &how, &lent);
    if (!in->t[i])
        return -1;
    in->owned |= (uint64_t)1 << i;
    in->lent |= (uint64_t)lent << i;
    in->raw &= ~((uint64_t)1 << i);
    return 0;
}

/* An input that is not promoted: integer arrays stay integers, but a Python number takes the real dtype of the call. */
static int take_strict(pnb_inputs *in, int i)
{
    PyObject *o = in->objects[i];
    const bool number = PyFloat_Check(o) || (PyLong_Check(o) && !PyBool_Check(o));
    const pnb_intake how = {
        .dtype = -1, .real = in->real >= 0 ? in->real : (int)PN_FLOAT32, .loose = in->real >= 0, .follow = number
    };
    if (take(in, i, how))
        return -1;
    if (in->real < 0 && pn_dtype_is_real(in->t[i]->v.dtype))
        in->real = (int)in->t[i]->v.dtype;
    return 0;
}

/* An array keeps its dtype, and a list of integers is int64; floats in a list have no width, and are read as
 * float64. */
static int take_array(pnb_inputs *in, int i)
{
    const bool list = PyList_Check(in->objects[i]) || PyTuple_Check(in->objects[i]);
    if (take(in, i, (pnb_intake){ .dtype = -1, .real = PN_FLOAT64 }))
        return -1;
    if (list && pn_dtype_is_real(in->t[i]->v.dtype))
        in->fraction = true;
    else
        in->dtypes |= 1u << in->t[i]->v.dtype;
    return 0;
}

/* Integers that do not fit the dtype are an error instead of wrapping around. */
static int check_fits(const pnb_inputs *in, PyObject *o, pn_dtype dtype)
{
    int overflow = 0;
    PyObject *new_int = PyIndex_Check(o) ? PyNumber_Index(o) : NULL;
    const long long v = new_int ? PyLong_AsLongLongAndOverflow(new_int, &overflow) : 0;
    Py_XDECREF(new_int);
    if (PyErr_Occurred() && !PyErr_ExceptionMatches(PyExc_TypeError))
        return -1;
    PyErr_Clear(); /* NumPy's bool has no __index__ */
    if (!overflow && (dtype == PN_INT64 || (v >= 0 && v <= UINT8_MAX)))
        return 0;
    PyErr_Format(PyExc_OverflowError, "%s: %.100R does not fit %s; give x.astype(\"%s\"), or a number that fits",
                 in->op->name, o, pn_dtype_name(dtype), dtype == PN_UINT8 ? "int64" : "float64");
    return -1;
}

static int take_number(pnb_inputs *in, int i, pn_dtype dtype)
{
    if (!pn_dtype_is_real(dtype) && check_fits(in, in->objects[i], dtype))
        return -1;
    return take(in, i, (pnb_intake){ .dtype = (int)dtype, .real = (int)dtype });
}

/* ---- the common dtype ---- */

enum { WHOLE = 1 << PN_UINT8 | 1 << PN_INT64, REALS = 1 << PN_FLOAT32 | 1 << PN_FLOAT64 };

/* The common dtype of a non-empty set. */
static pn_dtype join(unsigned dtypes)
{
    static const pn_dtype widest_first[] = { PN_FLOAT64, PN_FLOAT32, PN_INT64 };
    for (int i = 0; i < 3; i++)
        if (dtypes >> widest_first[i] & 1)
            return widest_first[i];
    return PN_UINT8;
}

/* A real-valued function of integers is computed in a dtype that can hold them, float64 for int64; the result is
 * float32. */
static pn_dtype choose(pnb_inputs *in, bool numbers)
{
    const unsigned dtypes = in->dtypes;
    const bool integers = !(dtypes & REALS) && !in->fraction;
    if (in->op->promotion == PN_COMPARED) {
        if (integers)
            return dtypes == 1u << PN_UINT8 && !numbers ? PN_UINT8 : PN_INT64;
        if (!dtypes)
            return PN_FLOAT32;
        return dtypes & WHOLE ? PN_FLOAT64 : join(dtypes);
    }
    if (dtypes & REALS)
        return join(dtypes);
    if (integers && in->op->promotion == PN_EXACT)
        return dtypes ? join(dtypes) : PN_INT64;
    if (!(dtypes >> PN_INT64 & 1))
        return PN_FLOAT32;
    in->result = PN_FLOAT32;
    return PN_FLOAT64;
}

/* For `x op= y`: x keeps its dtype; if that is real, it is also the dtype of the computation. */
static int choose_over(pnb_inputs *in, pn_dtype *dtype)
{
    const pn_dtype own = in->t[0]->v.dtype, result = in->result >= 0 ? (pn_dtype)in->result : *dtype;
    char out_of_place[24];
    in->result = -1;
    if (pn_dtype_is_real(own))
        *dtype = own;
    if (*dtype == own)
        return 0;
    PyErr_Format(PyExc_TypeError,
                 "%s: x is %s and keeps its dtype, but the result is %s; write `%s` for a new tensor, or convert x "
                 "first with x.astype(\"%s\")",
                 in->over, pn_dtype_name(own), pn_dtype_name(result),
                 pnb_inputs_out_of_place(in, out_of_place, sizeof out_of_place), pn_dtype_name(result));
    return -1;
}

static int cast(pnb_inputs *in, int i, pn_dtype dtype)
{
    pn_tensor *output;
    if (in->t[i]->v.dtype == dtype)
        return 0;
    if (pnb_apply(in->s, pn_ops[PNB_cast], 1, &in->t[i], &dtype, in->recording, &output))
        return -1;
    if (in->owned >> i & 1)
        pn_tensor_unref(in->t[i]);
    in->owned |= (uint64_t)1 << i;
    in->lent &= ~((uint64_t)1 << i);
    in->t[i] = output;
    return 0;
}

/* ---- all inputs ---- */

/* Converts everything but the promoted numbers.  Pass 0: inputs that have a dtype.  Pass 1: lists and numbers that are
 * not promoted and, if no promoted input has a dtype, NumPy scalars, which then count as arrays. */
static int take_arrays(pnb_inputs *in)
{
    for (int pass = 0; pass < 2; pass++) {
        const bool alone = pass == 1 && !in->dtypes;
        for (int i = 0; i < in->n; i++) {
            PyObject *o = in->objects[i];
            if (!(in->raw >> i & 1))
                continue;
            const pnb_kind kind = pnb_array_kind(o);
            const bool late = kind != PNB_ARRAY || PyList_Check(o) || PyTuple_Check(o);
            const bool promoted = is_promoted(in, i);
            const bool now = promoted ? kind == PNB_ARRAY || (alone && pnb_array_is_scalar(o)) : late == (pass == 1);
            if (now && (promoted ? take_array(in, i) : take_strict(in, i)))
                return -1;
        }
    }
    return 0;
}

/* Whether promoted numbers are left to convert; notes whether one of them is a float. */
static bool look_at_numbers(pnb_inputs *in)
{
    for (int i = 0; i < in->n; i++)
        if (in->raw >> i & 1)
            in->fraction |= pnb_array_kind(in->objects[i]) == PNB_FRACTION;
    return in->raw != 0;
}

int pnb_inputs_settle(pnb_inputs *in)
{
    if (take_arrays(in))
        return -1;
    if (!in->op->promotes)
        return 0;
    const bool numbers = look_at_numbers(in);
    pn_dtype dtype = choose(in, numbers);
    if (in->over && choose_over(in, &dtype))
        return -1;
    for (int i = 0; i < in->n; i++)
        if (is_promoted(in, i) && in->objects[i] && (in->raw >> i & 1 ? take_number(in, i, dtype) : cast(in, i, dtype)))
            return -1;
    return 0;
}
