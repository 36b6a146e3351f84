/* params.h -- iterates over the parameters of a row of elementwise.def. */
#ifndef PN_KERNELS_PARAMS_H
#define PN_KERNELS_PARAMS_H

/* f(i, name, kind, value, condition, doc) for each parameter of a row, the last arguments of UNARY.  f may not use this
 * macro in turn. */
enum { PN_MAP_PARAMS = 2 };
#define PN_EACH_PARAM(f, ...) PN_PICK_EACH(_, ##__VA_ARGS__, PN_EACH_2, PN_EACH_1, PN_EACH_0)(f, ##__VA_ARGS__)
#define PN_PICK_EACH(_, first, second, f, ...) f
#define PN_EACH_0(f)
#define PN_EACH_1(f, first) PN_PARAM_CALL(f, 0, PN_BARE first)
#define PN_EACH_2(f, first, second) PN_PARAM_CALL(f, 0, PN_BARE first) PN_PARAM_CALL(f, 1, PN_BARE second)
#define PN_PARAM_CALL(f, i, ...) f(i, __VA_ARGS__)
#define PN_BARE(...) __VA_ARGS__

#endif
