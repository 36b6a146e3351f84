/* setting.h -- arguments of layers in JSON, as C values and as parameters of ops. */
#ifndef PN_MODEL_SETTING_H
#define PN_MODEL_SETTING_H

#include "model/json.h"
#include "ops/op.h"

/* Moves to the first element of a list.  A Python list is {"list": [...]}, a tuple is [...]; both are taken. */
bool pn_setting_open(pn_json *list);

/* One value; -1 if it has another form. */
int pn_setting_whole(pn_json value, pn_index *out);   /* at least 0 */
int pn_setting_integer(pn_json value, pn_index *out); /* of either sign */
int pn_setting_pair(pn_json value, pn_index out[2]);  /* one for both, or two; at least 1 */
int pn_setting_list(pn_json value, pn_list *out);     /* at most PN_MAX_DIMS whole numbers, or -1 */
int pn_setting_read(const pn_op *op, const char *name, pn_json value, void *params); /* into the op's field */

/* The activation of that name which ops can fuse; PN_ACT_NONE for another. */
pn_activation pn_setting_activation(const char *name);

#endif
