/* digit.c -- grey, light on dark, cropped to the ink, scaled to a 20 x 20 box, centred by mass in 28 x 28.
 *
 * Otsu's threshold (1979) separates background and ink; the larger side is the background.  Levels that are no further
 * above the background's median than the background reaches below it count as noise.  Scaling averages over the area
 * that a pixel of the result covers (at least one pixel of the picture, which is linear interpolation if the picture is
 * smaller), so that an enlarged MNIST digit is restored exactly; the maximum becomes 255. */
#include "kernels/digit.h"

#include <string.h>

enum { LEVELS = 256, FAINT = 8 }; /* ink with a contrast of no more than FAINT levels does not count */

/* The picture, as the passes read it. */
typedef struct picture {
    const uint8_t *image;
    pn_index H, W;
    int channels;
    unsigned behind; /* the level of what shows through transparent pixels */
    bool inverted;
    unsigned low, ink; /* levels up to low count as 0; from ink on a pixel is inside the box */
} picture;

/* ---- grey -------------------------------------------------------------------------------------------------------- */

static const uint8_t *pixel_at(const picture *p, pn_index i) { return p->image + i * p->channels; }
static bool has_alpha(const picture *p) { return p->channels % 2 == 0; }
static unsigned alpha_of(const picture *p, pn_index i) { return has_alpha(p) ? pixel_at(p, i)[p->channels - 1] : 255; }

/* Luminance (ITU-R BT.601); grey values are unchanged. */
static unsigned luminance(const picture *p, pn_index i)
{
    const uint8_t *v = pixel_at(p, i);
    return p->channels < 3 ? v[0] : (299u * v[0] + 587u * v[1] + 114u * v[2] + 500) / 1000;
}

/* 0..255, ink light; transparent pixels show what is behind. */
static unsigned level(const picture *p, pn_index i)
{
    unsigned v = luminance(p, i);
    if (has_alpha(p)) {
        const unsigned alpha = alpha_of(p, i);
        v = (alpha * v + (255 - alpha) * p->behind + 127) / 255;
    }
    return p->inverted ? 255 - v : v;
}

/* The background of a transparent picture.  If few pixels are opaque, or all have a single shade, they are the ink, and
 * the background is the opposite shade; else the picture has its own background, which is extended to transparent
 * pixels. */
static bool give_ground(picture *p)
{
    uint64_t weight = 0, sum = 0;
    unsigned least = 255, most = 0;
    const pn_index n = p->H * p->W;
    for (pn_index i = 0; i < n; i++) {
        const unsigned alpha = alpha_of(p, i), v = luminance(p, i);
        weight += alpha;
        sum += alpha * v;
        if (alpha >= 128) {
            least = v < least ? v : least;
            most = v > most ? v : most;
        }
    }
    const bool light = 2 * sum > 255 * weight, is_ink = 2 * weight < 255 * (uint64_t)n || most < least + 64;
    p->behind = light == is_ink ? 0 : 255;
    return weight < 255 * (uint64_t)n;
}

/* ---- ground and ink ---------------------------------------------------------------------------------------------- */

/* The level up to which pixels are of the darker kind: the greatest variance between the two (N. Otsu, 1979). */
static unsigned threshold(const uint64_t count[LEVELS])
{
    double n = 0, total = 0, below = 0, sum = 0, best = -1;
    unsigned at = 0;
    for (unsigned v = 0; v < LEVELS; v++) {
        n += (double)count[v];
        total += (double)count[v] * v;
    }
    for (unsigned v = 0; v + 1 < LEVELS; v++) {
        below += (double)count[v];
        sum += (double)count[v] * v;
        if (below == 0 || below == n) /* a level that no pixel has changes nothing: the first is kept */
            continue;
        const double apart = (total - sum) / (n - below) - sum / below, between = below * (n - below) * apart * apart;
        if (between > best) {
            best = between;
            at = v;
        }
    }
    return at;
}

/* The least level up to which there are `share` pixels or more. */
static unsigned quantile(const uint64_t count[LEVELS], uint64_t share)
{
    unsigned v = 0;
    for (uint64_t seen = count[0]; seen < share && v + 1 < LEVELS; seen += count[v])
        v++;
    return v;
}

static uint64_t count_between(const uint64_t count[LEVELS], unsigned from, unsigned end)
{
    uint64_t n = 0;
    for (unsigned v = from; v < end; v++)
        n += count[v];
    return n;
}

static void count_levels(const picture *p, uint64_t count[LEVELS])
{
    memset(count, 0, LEVELS * sizeof *count);
    for (pn_index i = 0; i < p->H * p->W; i++)
        count[level(p, i)]++;
}

/* Decides what is ink; false if nothing stands out. */
static bool find_ink(picture *p)
{
    uint64_t count[LEVELS];
    count_levels(p, count);
    const uint64_t n = (uint64_t)p->H * (uint64_t)p->W;
    unsigned edge = threshold(count);
    p->inverted = 2 * count_between(count, 0, edge + 1) < n;
    if (p->inverted) {
        for (unsigned v = 0; v < LEVELS / 2; v++) {
            const uint64_t was = count[v];
            count[v] = count[LEVELS - 1 - v];
            count[LEVELS - 1 - v] = was;
        }
        edge = LEVELS - 2 - edge;
    }
    const uint64_t ground = count_between(count, 0, edge + 1);
    const unsigned middle = quantile(count, (ground + 1) / 2), reach = middle - quantile(count, n / 1000 + 1);
    const unsigned most = quantile(count, n), least = 2 * reach > FAINT ? 2 * reach : FAINT;
    p->low = middle + reach;
    p->ink = p->low + (most > p->low ? (most - p->low) / 16 : 0) + 1; /* MNIST's faintest edges are stronger */
    return most > middle + least;
}

/* ---- the box ----------------------------------------------------------------------------------------------------- */

/* false where no pixel is ink any more: the picture may change while we look. */
static bool find_box(const picture *p, pn_digit *did)
{
    pn_index top = p->H, bottom = -1, left = p->W, right = -1;
    for (pn_index y = 0; y < p->H; y++)
        for (pn_index x = 0; x < p->W; x++) {
            if (level(p, y * p->W + x) < p->ink)
                continue;
            top = pn_min(top, y);
            bottom = y;
            left = pn_min(left, x);
            right = pn_max(right, x);
        }
    did->top = top;
    did->left = left;
    did->height = bottom - top + 1;
    did->width = right - left + 1;
    return bottom >= 0;
}

/* One axis of the box: n pixels become m.  Lengths are counted in parts, 2 m to a pixel of the picture, so that all
 * edges are whole numbers: output i reaches from (2 i + 1) n - reach to (2 i + 1) n + reach. */
typedef struct axis {
    pn_index n, m, reach;
} axis;

static axis scale_axis(pn_index n, pn_index longest)
{
    const pn_index m = pn_max((2 * n * PN_DIGIT_BOX + longest) / (2 * longest), 1);
    return (axis){ n, m, pn_max(n, m) };
}

static pn_index first_under(const axis *a, pn_index i)
{
    return pn_max(((2 * i + 1) * a->n - a->reach) / (2 * a->m), 0);
}

static pn_index end_under(const axis *a, pn_index i)
{
    return pn_min(pn_ceil_div((2 * i + 1) * a->n + a->reach, 2 * a->m), a->n);
}

/* The parts of pixel k that output i covers; k lies between the two above. */
static uint64_t covered(const axis *a, pn_index i, pn_index k)
{
    const pn_index from = pn_max((2 * i + 1) * a->n - a->reach, 2 * a->m * k);
    const pn_index end = pn_min((2 * i + 1) * a->n + a->reach, 2 * a->m * (k + 1));
    return (uint64_t)pn_max(end - from, 0);
}

static uint64_t cell(const picture *p, const pn_digit *did, const axis *down, const axis *across, pn_index i,
                     pn_index j)
{
    uint64_t sum = 0;
    for (pn_index y = first_under(down, i); y < end_under(down, i); y++) {
        uint64_t row = 0;
        for (pn_index x = first_under(across, j); x < end_under(across, j); x++) {
            const unsigned v = level(p, (did->top + y) * p->W + did->left + x);
            row += covered(across, j, x) * (v > p->low ? v - p->low : 0);
        }
        sum += covered(down, i, y) * row;
    }
    return sum;
}

/* Fills box, [rows][columns], with a maximum of 255; false if there is no ink. */
static bool scale_box(const picture *p, pn_digit *did, uint8_t box[PN_DIGIT_BOX * PN_DIGIT_BOX])
{
    const pn_index longest = pn_max(did->height, did->width);
    const axis down = scale_axis(did->height, longest), across = scale_axis(did->width, longest);
    uint64_t sums[PN_DIGIT_BOX * PN_DIGIT_BOX], most = 0;
    for (pn_index i = 0; i < down.m; i++)
        for (pn_index j = 0; j < across.m; j++) {
            const uint64_t sum = cell(p, did, &down, &across, i, j);
            sums[i * across.m + j] = sum;
            most = sum > most ? sum : most;
        }
    for (pn_index i = 0; i < down.m * across.m && most > 0; i++)
        box[i] = (uint8_t)((255 * sums[i] + most / 2) / most);
    did->rows = (int)down.m;
    did->columns = (int)across.m;
    return most > 0;
}

/* ---- the place --------------------------------------------------------------------------------------------------- */

/* The start of n rows (or columns) so that their centre of mass, moment / mass, is at pixel 14, and all of them fit. */
static int place(uint64_t mass, uint64_t moment, int n)
{
    const int centre = (int)((2 * moment + mass) / (2 * mass)), at = PN_DIGIT_SIDE / 2 - centre;
    return (int)pn_max(0, pn_min(at, PN_DIGIT_SIDE - n));
}

static void put_in_the_middle(const uint8_t *box, pn_digit *did, uint8_t *digit)
{
    uint64_t mass = 0, down = 0, across = 0;
    for (int i = 0; i < did->rows; i++)
        for (int j = 0; j < did->columns; j++) {
            const uint64_t v = box[i * did->columns + j];
            mass += v;
            down += v * (uint64_t)i;
            across += v * (uint64_t)j;
        }
    did->row = place(mass, down, did->rows);
    did->column = place(mass, across, did->columns);
    for (int i = 0; i < did->rows; i++)
        memcpy(digit + (did->row + i) * PN_DIGIT_SIDE + did->column, box + i * did->columns, (size_t)did->columns);
}

void pn_digit_prepare(const uint8_t *image, pn_index H, pn_index W, int channels, uint8_t *digit, pn_digit *did)
{
    picture p = { .image = image, .H = H, .W = W, .channels = channels };
    uint8_t box[PN_DIGIT_BOX * PN_DIGIT_BOX];
    *did = (pn_digit){ .empty = true };
    memset(digit, 0, (size_t)PN_DIGIT_SIDE * PN_DIGIT_SIDE);
    if (H < 1 || W < 1)
        return;
    const bool transparent = has_alpha(&p) && give_ground(&p);
    if (!find_ink(&p))
        return;
    *did = (pn_digit){ .transparent = transparent, .inverted = p.inverted };
    if (find_box(&p, did) && scale_box(&p, did, box))
        put_in_the_middle(box, did, digit);
    else
        *did = (pn_digit){ .empty = true };
}
