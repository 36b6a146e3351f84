/* augment.c -- gathers a batch of images like gather, each one warped at random, and with other tones.
 *
 * One image: turned, scaled, slanted, mirrored and shifted by one affine map; its tones changed; a rectangle erased;
 * then normalised as in gather, or standardized.  What happens to it is a function of (seed, stream, step, its sample
 * number): 14 numbers, each with its place in the words of Philox, so that one strength does not change what the others
 * do.  With u uniform in (-1, 1), another one for each use, c the middle of the image and q = p - c, x right, y down:
 *
 *     q' = R K S F q + (u shift W, u shift H)    F: x -> -x in half of the images;  S = 1 + u scale
 *                                                K: x -> x + k y, k = u shear;  R: by u rotate, counter-clockwise
 *     v' = v^exp(u gamma);  v'' = (1 + u contrast) (v' - mean) + mean + u brightness, within 0..1
 *
 * It is for data and has no gradient. */
#include <math.h>

#include "base/rng.h"
#include "kernels/augment.h"
#include "ops/gathering.h"

enum { X, ROWS, SAMPLES, MEAN, FACTOR };

/* The places of the random numbers. */
enum { ROTATE, SCALE, SHEAR, RIGHT, DOWN, FLIP, GAMMA, CONTRAST, BRIGHTNESS, ERASE, AREA, FORM, LEFT, TOP, NUMBERS };

static const double LEAST_ERASED = 0.02, MOST_ERASED = 0.2, LONGEST_ERASED = 3; /* shares of the area; of the sides */

typedef struct augment_params {
    double shift, rotate, scale, shear, gamma, brightness, contrast, erase;
    uint64_t seed, stream;
    pn_index step;
    pn_dtype dtype;
    bool flip, standardize;
} augment_params;

static const augment_params defaults = { .dtype = PN_FLOAT32 };
static const pn_param params[] = {
    PN_PARAM(shift, FLOAT, "the most that an image is shifted, as a fraction of each side: 0 to 1"),
    PN_PARAM(rotate, FLOAT, "the most that it is turned, in degrees: 0 to 180"),
    PN_PARAM(scale, FLOAT, "the size changes by a factor between 1 - scale and 1 + scale: 0 to 0.9"),
    PN_PARAM(shear, FLOAT, "the most that it is slanted, in pixels to the side per pixel of height: 0 to 1"),
    PN_PARAM(flip, BOOL, "mirrors half of the images, left to right"),
    PN_PARAM(gamma, FLOAT, "tones are raised to a power between exp(-gamma) and exp(gamma): 0 to 3"),
    PN_PARAM(brightness, FLOAT, "the most that is added to all tones, as a fraction of their range: 0 to 1"),
    PN_PARAM(contrast, FLOAT,
             "distances from the mean change by a factor between 1 - contrast and 1 + contrast: 0 to "
             "1"),
    PN_PARAM(erase, FLOAT, "the share of images of which a rectangle becomes their mean: 0 to 1"),
    PN_PARAM(standardize, BOOL, "subtracts the mean of each channel of an image, and divides by its deviation"),
    PN_PARAM(seed, SEED, "together with the stream, the key of the random numbers"),
    PN_PARAM(stream, STREAM, "a name or a number"),
    PN_PARAM(step, INT, "the epoch, different for each pass over the data"),
    PN_PARAM(dtype, DTYPE, "the dtype that uint8 becomes; floats keep theirs"),
};

static pn_dtype real(const pn_call *c) { return pn_gathering_real(c, ((const augment_params *)c->params)->dtype); }

static int check_strengths(const augment_params *p, pn_error *err)
{
    const struct {
        const char *name, *what;
        double value, most;
    } strengths[] = {
        { "shift", "a fraction of the side", p->shift, 1 },
        { "rotate", "degrees", p->rotate, 180 },
        { "scale", "a fraction of the size", p->scale, 0.9 },
        { "shear", "a slope", p->shear, 1 },
        { "gamma", "the logarithm of an exponent", p->gamma, 3 },
        { "brightness", "a fraction of the range", p->brightness, 1 },
        { "contrast", "a fraction of the contrast", p->contrast, 1 },
        { "erase", "a share of the images", p->erase, 1 },
    };
    for (int i = 0; i < PN_COUNT(strengths); i++)
        if (!(strengths[i].value >= 0 && strengths[i].value <= strengths[i].most))
            return pn_fail(err, PN_EVALUE, "augment: %s is %g; give %s, from 0 to %g", strengths[i].name,
                           strengths[i].value, strengths[i].what, strengths[i].most);
    if (p->step < 0 || (uint64_t)p->step > UINT32_MAX)
        return pn_fail(err, PN_EVALUE, "augment: step is %td; give 0 to 2^32 - 1", p->step);
    return 0;
}

static int check_images(const pn_call *c, pn_error *err)
{
    const augment_params *p = c->params;
    const pn_view *x = c->x[X], *samples = c->x[SAMPLES];
    if (x->dtype == PN_INT64)
        return pn_fail(err, PN_EDTYPE, "augment: x is int64; give uint8 pixels, or floats");
    if (pn_call_check_ndim(c, X, 4, "images (n, height, width, channels)", err))
        return -1;
    if (x->shape[1] > INT32_MAX || x->shape[2] > INT32_MAX)
        return pn_fail(err, PN_ESHAPE, "augment: x is %s; images have at most 2^31 - 1 pixels a side",
                       pn_view_text(x).s);
    if (samples && samples->dtype != PN_INT64)
        return pn_fail(err, PN_EDTYPE, "augment: samples is %s; give the rows' int64 sample numbers",
                       pn_dtype_name(samples->dtype));
    if (p->standardize && (c->x[MEAN] || c->x[FACTOR]))
        return pn_fail(err, PN_EVALUE, "augment: standardize takes the mean of each image; leave out mean and factor");
    return 0;
}

static int rule(pn_call *c, pn_error *err)
{
    if (check_strengths(c->params, err) || check_images(c, err) || pn_gathering_check_rows(c, ROWS, err) ||
        pn_gathering_check_normalising(c, MEAN, err))
        return -1;
    if (c->x[SAMPLES] && pn_call_check_shape(c, SAMPLES, 1, c->x[ROWS]->shape, err))
        return -1;
    pn_view y = *c->x[X];
    y.dtype = c->k->real;
    y.shape[0] = c->x[ROWS]->size;
    pn_part(&c->forward_scratch, y.shape[0], sizeof(pn_warp));
    pn_part(&c->forward_scratch, y.shape[0], sizeof(int64_t));
    return pn_call_output_like(c, 0, &y, err);
}

/* Uniform in (-1, 1). */
static double either(uint32_t word) { return ((double)word + 0.5) * 0x1p-31 - 1; }

/* Uniform in (0, 1). */
static double share(uint32_t word) { return ((double)word + 0.5) * 0x1p-32; }

/* The inverse of q' = R K S F q + t, about the middle of the image. */
static void place(pn_warp *w, const augment_params *p, const uint32_t *words, pn_index H, pn_index W)
{
    const double angle = either(words[ROTATE]) * p->rotate * 3.14159265358979323846 / 180;
    const double sine = sin(angle), cosine = cos(angle), slant = either(words[SHEAR]) * p->shear;
    const double size = 1 + either(words[SCALE]) * p->scale;
    const double side = p->flip && words[FLIP] >> 31 ? -1 : 1;
    const double middle[2] = { 0.5 * (double)(W - 1), 0.5 * (double)(H - 1) };
    const double from[2] = { middle[0] + either(words[RIGHT]) * p->shift * (double)W,
                             middle[1] + either(words[DOWN]) * p->shift * (double)H };
    w->map[0][0] = side * (cosine - slant * sine) / size;
    w->map[0][1] = -side * (sine + slant * cosine) / size;
    w->map[1][0] = sine / size;
    w->map[1][1] = cosine / size;
    for (int i = 0; i < 2; i++)
        w->map[i][2] = middle[i] - (w->map[i][0] * from[0] + w->map[i][1] * from[1]);
}

/* Where a stretch of a side starts and ends, at least one pixel of it. */
static void stretch(double part, uint32_t word, pn_index side, int32_t *start, int32_t *end)
{
    const pn_index length = pn_max(1, pn_min(side, (pn_index)(part * (double)side + 0.5)));
    *start = (int32_t)pn_min(side - length, (pn_index)(share(word) * (double)(side - length + 1)));
    *end = *start + (int32_t)length;
}

/* The rectangle's share of the area is uniform, and the logarithm of the proportion of its sides. */
static void erase(pn_warp *w, const augment_params *p, const uint32_t *words, pn_index H, pn_index W)
{
    w->top = w->bottom = w->left = w->right = 0;
    if (share(words[ERASE]) >= p->erase)
        return;
    const double area = LEAST_ERASED + (MOST_ERASED - LEAST_ERASED) * share(words[AREA]);
    const double form = exp(either(words[FORM]) * log(LONGEST_ERASED));
    stretch(sqrt(area * form), words[TOP], H, &w->top, &w->bottom);
    stretch(sqrt(area / form), words[LEFT], W, &w->left, &w->right);
}

static pn_warp drawn(const augment_params *p, uint64_t sample, pn_index H, pn_index W)
{
    uint32_t words[(NUMBERS + 3) / 4 * 4];
    const pn_key key = pn_rng_key(p->seed, p->stream);
    for (uint32_t block = 0; block < PN_COUNT(words) / 4; block++)
        pn_rng_block(key, (uint32_t)p->step, sample, block, words + 4 * block);
    pn_warp w = { .gamma = exp(either(words[GAMMA]) * p->gamma),
                  .contrast = 1 + either(words[CONTRAST]) * p->contrast,
                  .brightness = either(words[BRIGHTNESS]) * p->brightness };
    place(&w, p, words, H, W);
    erase(&w, p, words, H, W);
    return w;
}

static void forward(const pn_call *c)
{
    const augment_params *p = c->params;
    const pn_view *x = c->x[X], *samples = c->x[SAMPLES], *mean = c->x[MEAN], *factor = c->x[FACTOR];
    const pn_index n = c->x[ROWS]->size, H = x->shape[1], W = x->shape[2];
    size_t used = 0;
    pn_warp *warps = pn_at(c->scratch, pn_part(&used, n, sizeof *warps));
    const int64_t *rows = pn_call_numbers(c, ROWS, x->shape[0], NULL, pn_at(c->scratch, used));
    for (pn_index r = 0; r < n; r++)
        warps[r] = drawn(p, (uint64_t)(samples ? ((const int64_t *)samples->data)[r] : rows[r]), H, W);
    c->k->augment(c->team, &(pn_augment){ .from = x->dtype,
                                          .rows = n,
                                          .H = H,
                                          .W = W,
                                          .C = x->shape[3],
                                          .index = rows,
                                          .warps = warps,
                                          .x = x->data,
                                          .channels = mean ? mean->size : 1,
                                          .mean = mean ? mean->data : NULL,
                                          .factor = factor ? factor->data : NULL,
                                          .standardize = p->standardize,
                                          .y = c->y[0].data });
}

const pn_op pn_op_augment = {
    .name = "augment",
    .inputs = "x rows samples? mean? factor?",
    .n_out = 1,
    .differentiable = false,
    .doc = "A batch of images, each one warped at random and with other tones; pn.Augment has the formulas.\n\n"
           "x: (n, height, width, channels), uint8 or floats; rows: int64 (m,); samples: int64 (m,), the numbers that "
           "the\n"
           "random numbers follow from, by default rows; mean, factor: one number, or one per channel.  Returns\n"
           "(augmented - mean) * factor, (m, height, width, channels); it has no gradient.\n\n"
           ">>> images = np.full((10, 28, 28, 1), 255, \"uint8\")\n"
           ">>> pn.ops.augment(images, np.array([3, 1]), rotate=10, shift=0.1, seed=1).shape\n(2, 28, 28, 1)",
    PN_PARAMS,
    .real = real,
    .rule = rule,
    .forward = forward,
};
