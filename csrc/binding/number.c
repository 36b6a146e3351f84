/* number.c -- operators: each calls an op. */
#include "binding/binding.h"

#include <string.h>

/* ---- two operands ---- */

static bool is_any_tensor(PyObject *o) { return Py_TYPE(o)->tp_dealloc == pnb_object_dealloc; }

/* Either operand may be the tensor; NotImplemented makes Python try the type of the other operand. */
static PyObject *binary(PyObject *a, PyObject *b, pnb_op_index op)
{
    PyObject *tensor = is_any_tensor(a) ? a : b, *other = tensor == a ? b : a;
    if (!is_any_tensor(other) && !pnb_array_like(other))
        Py_RETURN_NOTIMPLEMENTED;
    return pnb_call_with(pnb_state_of(tensor), pn_ops[op], 2, (PyObject *[]){ a, b }, NULL);
}

PyObject *pnb_number_add(PyObject *a, PyObject *b) { return binary(a, b, PNB_add); }
PyObject *pnb_number_sub(PyObject *a, PyObject *b) { return binary(a, b, PNB_sub); }
PyObject *pnb_number_mul(PyObject *a, PyObject *b) { return binary(a, b, PNB_mul); }
PyObject *pnb_number_div(PyObject *a, PyObject *b) { return binary(a, b, PNB_div); }
PyObject *pnb_number_matmul(PyObject *a, PyObject *b) { return binary(a, b, PNB_matmul); }

PyObject *pnb_number_compare(PyObject *a, PyObject *b, int operation)
{
    static const pnb_op_index ops[] = {
        [Py_LT] = PNB_less,      [Py_LE] = PNB_less_equal, [Py_EQ] = PNB_equal,
        [Py_NE] = PNB_not_equal, [Py_GT] = PNB_greater,    [Py_GE] = PNB_greater_equal,
    };
    return binary(a, b, ops[operation]);
}

/* ---- operators that tensors do not have ---- */

static PyObject *refuse(PyObject *a, PyObject *b, const char *sign, const char *ours)
{
    PyObject *other = is_any_tensor(a) ? b : a;
    if (!is_any_tensor(other) && !pnb_array_like(other))
        Py_RETURN_NOTIMPLEMENTED;
    return PyErr_Format(PyExc_TypeError, "tensors have no operator %s; %s", sign, ours);
}

static const char floors[] = "write x / y, or x.numpy() // 2 and x.numpy() % 2 outside the graph";

PyObject *pnb_number_and(PyObject *a, PyObject *b)
{
    return refuse(a, b, "&", "for two conditions write (x > 0) * (x < 1)");
}
PyObject *pnb_number_or(PyObject *a, PyObject *b)
{
    return refuse(a, b, "|", "for two conditions write pn.ops.maximum(x < 0, x > 1)");
}
PyObject *pnb_number_xor(PyObject *a, PyObject *b)
{
    return refuse(a, b, "^", "for two conditions write (x < 0) != (y < 0); a power is x ** 2");
}
PyObject *pnb_number_invert(PyObject *a) { return refuse(a, a, "~", "for a condition write mask == 0"); }
PyObject *pnb_number_floor_divide(PyObject *a, PyObject *b) { return refuse(a, b, "//", floors); }
PyObject *pnb_number_remainder(PyObject *a, PyObject *b) { return refuse(a, b, "%", floors); }

/* ---- powers ---- */

/* 1: supported; 0: an exception is set; -1: NotImplemented.  Python tries the types of all three operands, so base and
 * exponent may both be foreign if the tensor is the modulus. */
static int check_power(PyObject *exponent, PyObject *modulus)
{
    if (modulus != Py_None)
        PyErr_SetString(PyExc_TypeError, "pow: a modulus is not supported; write pow(x, exponent)");
    else if (is_any_tensor(exponent))
        PyErr_SetString(PyExc_TypeError,
                        "pow: the exponent must be a constant number; for x ** y write pn.ops.exp(y * pn.ops.log(x))");
    else
        return PyFloat_Check(exponent) || PyLong_Check(exponent) || PyIndex_Check(exponent) ? 1 : -1;
    return 0;
}

PyObject *pnb_number_pow(PyObject *a, PyObject *b, PyObject *modulus)
{
    const int fine = check_power(b, modulus);
    if (fine < 0)
        Py_RETURN_NOTIMPLEMENTED;
    return fine ? pnb_call(pnb_state_of(a), PNB_pow, (PyObject *[]){ a, b }, 2, NULL) : NULL;
}

/* ---- in place: x -= y overwrites the values of x ---- */

static PyObject *over(PyObject *a, PyObject *b, pnb_op_index op, const char *sign)
{
    if (!is_any_tensor(b) && !pnb_array_like(b))
        Py_RETURN_NOTIMPLEMENTED;
    return pnb_call_over(pnb_state_of(a), pn_ops[op], 2, (PyObject *[]){ a, b }, NULL, false, sign);
}

PyObject *pnb_number_add_over(PyObject *a, PyObject *b) { return over(a, b, PNB_add, "+="); }
PyObject *pnb_number_sub_over(PyObject *a, PyObject *b) { return over(a, b, PNB_sub, "-="); }
PyObject *pnb_number_mul_over(PyObject *a, PyObject *b) { return over(a, b, PNB_mul, "*="); }
PyObject *pnb_number_div_over(PyObject *a, PyObject *b) { return over(a, b, PNB_div, "/="); }
PyObject *pnb_number_matmul_over(PyObject *a, PyObject *b) { return over(a, b, PNB_matmul, "@="); }

PyObject *pnb_number_pow_over(PyObject *a, PyObject *b, PyObject *modulus)
{
    const pn_op *op = pn_ops[PNB_pow];
    const pnb_argument exponent = { .op = op, .param = op->params, .x = &pnb_of(a)->v };
    _Alignas(16) char params[PN_MAX_PARAM_BYTES];
    const int fine = check_power(b, modulus);
    if (fine < 0)
        Py_RETURN_NOTIMPLEMENTED;
    memcpy(params, op->defaults, op->param_bytes);
    if (!fine || pnb_argument_read(&exponent, b, params + op->params->offset))
        return NULL;
    return pnb_call_over(pnb_state_of(a), op, 1, &a, params, pnb_array_kind(b) != PNB_WHOLE, "**=");
}

/* ---- one operand ---- */

PyObject *pnb_number_neg(PyObject *a) { return pnb_call_with(pnb_state_of(a), pn_ops[PNB_neg], 1, &a, NULL); }
PyObject *pnb_number_abs(PyObject *a) { return pnb_call_with(pnb_state_of(a), pn_ops[PNB_abs], 1, &a, NULL); }
PyObject *pnb_number_pos(PyObject *a) { return Py_NewRef(a); }

/* ---- Python numbers from a tensor with one element ---- */

PyObject *pnb_number_float(PyObject *a)
{
    PyObject *new_item = pnb_object_number(a, "float");
    if (!new_item || PyFloat_CheckExact(new_item))
        return new_item;
    PyObject *new_float = PyNumber_Float(new_item);
    Py_DECREF(new_item);
    return new_float;
}

PyObject *pnb_number_int(PyObject *a)
{
    PyObject *new_item = pnb_object_number(a, "int");
    if (!new_item || PyLong_CheckExact(new_item))
        return new_item;
    PyObject *new_int = PyNumber_Long(new_item);
    Py_DECREF(new_item);
    return new_int;
}

PyObject *pnb_number_index(PyObject *a)
{
    const pn_view *v = &pnb_of(a)->v;
    if (pn_dtype_is_real(v->dtype) || v->ndim != 0)
        return PyErr_Format(PyExc_TypeError, "a %s tensor of shape %s is not an index; an index is a single integer",
                            pn_dtype_name(v->dtype), pn_view_text(v).s);
    return pnb_object_number(a, "index");
}

int pnb_number_bool(PyObject *a)
{
    const pn_view *v = &pnb_of(a)->v;
    if (v->size != 1) {
        PyErr_Format(PyExc_ValueError, "the truth value of a tensor of shape %s is ambiguous; write x.any() or x.all()",
                     pn_view_text(v).s);
        return -1;
    }
    PyObject *new_item = pnb_object_number(a, "bool");
    const int truth = new_item ? PyObject_IsTrue(new_item) : -1;
    Py_XDECREF(new_item);
    return truth;
}
