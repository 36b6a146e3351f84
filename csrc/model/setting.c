/* setting.c -- arguments of layers in JSON, as C values and as parameters of ops. */
#include "model/setting.h"

#include <math.h>
#include <string.h>

bool pn_setting_open(pn_json *j)
{
    pn_json inside;
    if (pn_json_get(j, "list", &inside))
        *j = inside;
    return pn_json_open(j, '[');
}

/* The elements of a list, each a cursor; returns their number, or -1 if there are more than `most`. */
static int elements(pn_json value, pn_json *out, int most)
{
    int n = 0;
    bool first = true;
    if (!pn_setting_open(&value))
        return -1;
    for (;;) {
        const int more = pn_json_more(&value, ']', &first);
        if (more <= 0)
            return more ? -1 : n;
        if (n == most)
            return -1;
        out[n++] = value;
        if (pn_json_skip(&value))
            return -1;
    }
}

int pn_setting_whole(pn_json value, pn_index *out) { return pn_json_size(&value, out); }

int pn_setting_integer(pn_json value, pn_index *out)
{
    double number;
    if (pn_json_number(&value, &number) || !(fabs(number) <= 0x1p53) || number != floor(number))
        return -1;
    *out = (pn_index)number;
    return 0;
}

/* One whole number for both, or two. */
static int both(pn_json value, pn_index out[2], pn_index least)
{
    pn_json two[2];
    if (pn_setting_whole(value, &out[0]) == 0)
        out[1] = out[0];
    else if (elements(value, two, 2) != 2 || pn_setting_whole(two[0], &out[0]) || pn_setting_whole(two[1], &out[1]))
        return -1;
    return out[0] < least || out[1] < least ? -1 : 0;
}

int pn_setting_pair(pn_json value, pn_index out[2]) { return both(value, out, 1); }

int pn_setting_list(pn_json value, pn_list *out)
{
    pn_json each[PN_MAX_DIMS];
    const int n = elements(value, each, PN_MAX_DIMS);
    if (n < 0)
        return -1;
    *out = (pn_list){ .given = true, .n = n };
    for (int i = 0; i < n; i++)
        if (pn_setting_integer(each[i], &out->v[i]))
            return -1;
    return 0;
}

/* "same", "valid", a number, (vertical, horizontal) or ((top, bottom), (left, right)). */
static int read_padding(pn_json value, pn_padding *p)
{
    pn_json sides[2];
    pn_index h[2], w[2];
    const bool same = pn_json_word(&value, "\"same\"");
    if (same || pn_json_word(&value, "\"valid\"")) {
        *p = (pn_padding){ .mode = same ? PN_PAD_SAME : PN_PAD_VALID };
        return 0;
    }
    if (both(value, h, 0) == 0) {
        *p = (pn_padding){ PN_PAD_EXPLICIT, h[0], h[0], h[1], h[1] };
        return 0;
    }
    if (elements(value, sides, 2) != 2 || both(sides[0], h, 0) || both(sides[1], w, 0))
        return -1;
    *p = (pn_padding){ PN_PAD_EXPLICIT, h[0], h[1], w[0], w[1] };
    return 0;
}

int pn_setting_read(const pn_op *op, const char *name, pn_json value, void *params)
{
    const pn_param *param = pn_op_param(op, name);
    void *to = pn_op_field(op, name, params);
    switch (param ? param->kind : PN_PARAM_KIND_COUNT) {
    case PN_P_INT: return pn_setting_integer(value, to);
    case PN_P_FLOAT: return pn_json_number(&value, to);
    case PN_P_PAIR: return pn_setting_pair(value, to);
    case PN_P_PADDING: return read_padding(value, to);
    default: return -1;
    }
}

pn_activation pn_setting_activation(const char *name)
{
    static const char *const names[PN_ACTIVATIONS] = { "", "relu", "leaky_relu", "sigmoid", "tanh" };
    for (int i = 1; i < PN_ACTIVATIONS; i++)
        if (strcmp(names[i], name) == 0)
            return (pn_activation)i;
    return PN_ACT_NONE;
}
