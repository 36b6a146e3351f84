/* shape.c -- dtypes, shapes and views. */
#include <stdio.h>
#include <string.h>

#include "tensor/tensor.h"

size_t pn_dtype_size(pn_dtype dtype)
{
    static const size_t sizes[PN_DTYPES] = { [PN_FLOAT32] = 4, [PN_FLOAT64] = 8, [PN_UINT8] = 1, [PN_INT64] = 8 };
    return sizes[dtype];
}

const char *pn_dtype_name(pn_dtype dtype)
{
    static const char *const names[PN_DTYPES] = {
        [PN_FLOAT32] = "float32",
        [PN_FLOAT64] = "float64",
        [PN_UINT8] = "uint8",
        [PN_INT64] = "int64",
    };
    return names[dtype];
}

pn_text pn_shape_text(int ndim, const pn_index *shape)
{
    pn_text text;
    size_t used = 0;
    text.s[used++] = '(';
    for (int i = 0; i < ndim; i++)
        used += (size_t)snprintf(text.s + used, sizeof text.s - used, i ? ", %td" : "%td", shape[i]);
    snprintf(text.s + used, sizeof text.s - used, ndim == 1 ? ",)" : ")");
    return text;
}

int pn_view_init(pn_view *v, pn_dtype dtype, int ndim, const pn_index *shape, const char *who, pn_error *err)
{
    if (ndim < 0 || ndim > PN_MAX_DIMS)
        return pn_fail(err, PN_ESHAPE, "%s: a tensor can have 0 to %d axes, got %d", who, PN_MAX_DIMS, ndim);
    v->data = NULL;
    v->dtype = dtype;
    v->ndim = ndim;
    pn_index bytes = (pn_index)pn_dtype_size(dtype); /* lengths of 0 count as 1: (0, huge, huge) is an error, too */
    v->size = 1;
    for (int i = 0; i < ndim; i++) {
        if (shape[i] < 0)
            return pn_fail(err, PN_ESHAPE, "%s: shape %s has a negative length", who, pn_shape_text(ndim, shape).s);
        if (__builtin_mul_overflow(bytes, pn_max(shape[i], 1), &bytes) || (size_t)bytes > PN_MAX_BYTES)
            return pn_fail(err, PN_ESHAPE, "%s: a %s tensor of shape %s would need more bytes than can be addressed",
                           who, pn_dtype_name(dtype), pn_shape_text(ndim, shape).s);
        v->shape[i] = shape[i];
        v->size *= shape[i];
    }
    return 0;
}

bool pn_view_same_shape(const pn_view *a, const pn_view *b)
{
    return a->ndim == b->ndim && memcmp(a->shape, b->shape, (size_t)a->ndim * sizeof *a->shape) == 0;
}
