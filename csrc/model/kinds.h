/* kinds.h -- the functions of the table of layers. */
#ifndef PN_MODEL_KINDS_H
#define PN_MODEL_KINDS_H

#include "model/layers.h"

int pn_declare_dense(pn_layer *layer, pn_pass *pass, const pn_view *x, pn_error *err);
int pn_declare_conv(pn_layer *layer, pn_pass *pass, const pn_view *x, pn_error *err);
int pn_declare_depthwise(pn_layer *layer, pn_pass *pass, const pn_view *x, pn_error *err);
int pn_declare_embedding(pn_layer *layer, pn_pass *pass, const pn_view *x, pn_error *err);
int pn_declare_embed_columns(pn_layer *layer, pn_pass *pass, const pn_view *x, pn_error *err);
int pn_declare_layer_norm(pn_layer *layer, pn_pass *pass, const pn_view *x, pn_error *err);
int pn_declare_batch_norm(pn_layer *layer, pn_pass *pass, const pn_view *x, pn_error *err);

pn_tensor *pn_compute_same(const pn_layer *layer, const pn_pass *pass, int n, pn_tensor *const *x, pn_error *err);
pn_tensor *pn_compute_dropout(const pn_layer *layer, const pn_pass *pass, int n, pn_tensor *const *x, pn_error *err);
pn_tensor *pn_compute_flatten(const pn_layer *layer, const pn_pass *pass, int n, pn_tensor *const *x, pn_error *err);
pn_tensor *pn_compute_reshape(const pn_layer *layer, const pn_pass *pass, int n, pn_tensor *const *x, pn_error *err);
pn_tensor *pn_compute_embedding(const pn_layer *layer, const pn_pass *pass, int n, pn_tensor *const *x, pn_error *err);
pn_tensor *pn_compute_embed_columns(const pn_layer *layer, const pn_pass *pass, int n, pn_tensor *const *x,
                                    pn_error *err);
pn_tensor *pn_compute_join(const pn_layer *layer, const pn_pass *pass, int n, pn_tensor *const *x, pn_error *err);
pn_tensor *pn_compute_arithmetic(const pn_layer *layer, const pn_pass *pass, int n, pn_tensor *const *x, pn_error *err);
pn_tensor *pn_compute_concatenate(const pn_layer *layer, const pn_pass *pass, int n, pn_tensor *const *x,
                                  pn_error *err);

#endif
