/* digit.c -- prepare_digit: converts an image to a digit in MNIST's format, and reports the steps. */
#include "binding/binding.h"

#include "kernels/digit.h"

/* (H, W) or (H, W, channels) of 1 to 4; -1 with an exception for anything else. */
static int check(const pn_view *v)
{
    const pn_index channels = v->ndim == 3 ? v->shape[2] : 1;
    if (v->dtype != PN_UINT8)
        PyErr_Format(PyExc_TypeError, "prepare_digit: the image is %s; give uint8, 0 to 255", pn_dtype_name(v->dtype));
    else if ((v->ndim != 2 && v->ndim != 3) || channels < 1 || channels > 4)
        PyErr_Format(PyExc_ValueError,
                     "prepare_digit: the image is %s; give (height, width) or (height, width, channels): 1 grey, "
                     "2 grey and alpha, 3 RGB, 4 RGBA",
                     pn_view_text(v).s);
    else if (v->size == 0)
        PyErr_Format(PyExc_ValueError, "prepare_digit: the image is %s and has no pixels", pn_view_text(v).s);
    return PyErr_Occurred() ? -1 : 0;
}

static PyObject *truth(bool is) { return is ? Py_True : Py_False; }

static PyObject *describe(const pn_digit *did)
{
    return Py_BuildValue("{sOsOsOsOsOsOsds(nnnn)s(iiii)}", "inverted", truth(did->inverted), "transparent",
                         truth(did->transparent), "uneven", truth(did->uneven), "touches", truth(did->touches),
                         "several", truth(did->several), "faint", truth(did->faint), "contrast", did->contrast / 255.0,
                         "box", did->top, did->left, did->height, did->width, "place", did->row, did->column, did->rows,
                         did->columns);
}

static PyObject *prepare_digit(PyObject *module, PyObject *image)
{
    pn_state *s = pnb_state(module);
    const pnb_intake how = { .who = "prepare_digit: the image", .dtype = -1, .real = PN_FLOAT32, .lend = true };
    PyObject *new_source = pnb_is_tensor(s, image) ? pnb_array_view(image) : Py_NewRef(image), *new_pair = NULL;
    pn_tensor *t = new_source ? pnb_array_take(s, new_source, &how, NULL) : NULL;
    uint8_t pixels[PN_DIGIT_SIDE * PN_DIGIT_SIDE];
    const pn_view result = { .data = pixels,
                             .dtype = PN_UINT8,
                             .ndim = 3,
                             .size = sizeof pixels,
                             .shape = { PN_DIGIT_SIDE, PN_DIGIT_SIDE, 1 } };
    pn_digit did;
    pn_error err = { 0 };
    void *scratch = NULL;
    Py_XDECREF(new_source);
    if (!t || check(&t->v))
        goto done;
    const pn_index H = t->v.shape[0], W = t->v.shape[1];
    scratch = pn_mem_get(s->engine->memory, pn_digit_scratch(H, W), &err);
    if (!scratch) {
        pnb_raise(&err);
        goto done;
    }
    PyThreadState *thread = pnb_gate_enter(s->gate);
    pn_digit_prepare(t->v.data, H, W, t->v.ndim == 3 ? (int)t->v.shape[2] : 1, scratch, pixels, &did);
    pnb_gate_leave(s->gate, thread);
    if (did.empty)
        PyErr_Format(
            PyExc_ValueError,
            "prepare_digit: there is no digit in this image %s: it is blank, or nothing stands out from the background",
            pn_view_text(&t->v).s);
    else
        new_pair = Py_BuildValue("(NN)", pnb_array_of(&result), describe(&did));
done:
    pn_mem_put(scratch);
    pn_tensor_unref(t);
    return new_pair;
}

static const PyMethodDef functions[] = {
    { "prepare_digit", prepare_digit, METH_O,
      "prepare_digit(image, /)\n--\n\nConverts an image of a digit to MNIST's format.  Returns the result, uint8 (28, "
      "28, 1), and a dict: inverted, transparent,\nuneven, touches, several, faint, contrast (0 to 1), box (top, left, "
      "height, width in the image) and place (row,\ncolumn, rows, columns in the result).\n\n"
      "image: uint8 (height, width) or (height, width, channels) of 1 to 4 channels; ValueError if it is blank." },
    { NULL, NULL, 0, NULL },
};

int pnb_digit_setup(PyObject *module, pn_state *s)
{
    (void)s;
    return PyModule_AddFunctions(module, (PyMethodDef *)functions);
}
