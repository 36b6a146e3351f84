/* paper.c -- estimates uneven paper, and divides by it.
 *
 * Shadows and gradients are wide, or reach the border; ink does neither.  Ink is first taken off by morphological
 * reconstruction (L. Vincent, "Morphological grayscale reconstruction in image analysis", 1993): every pixel is cut
 * down to the highest level at which a path leads from it to the border.  The paper is then the mean of the pixels
 * round it that were not cut (B. Gatos, I. Pratikakis and S. Perantonis, "Adaptive degraded document image
 * binarization", 2006).  This is done at a coarse size, and interpolated. */
#include "kernels/paper.h"

#include <string.h>

enum {
    LEVELS = 256,
    COARSE = 128, /* the longest side at which the paper is estimated */
    CUT = 8,      /* of PN_PAGE_FULL: what was cut by more than this, and the noise, is ink */
};

typedef struct coarse {
    pn_index h, w, step;
    int least;             /* the contrast of ink, of what was cut */
    uint8_t *grey, *cut;   /* levels; and as reconstruction leaves them */
    int32_t *next;         /* lists of pixels to visit, by level */
    uint32_t *sum, *count; /* of the pixels that are paper: running totals, (h + 1, w + 1) */
    float *paper;
} coarse;

static pn_index coarse_step(const pn_page *page) { return pn_max(pn_ceil_div(pn_max(page->h, page->w), COARSE), 1); }

static coarse coarse_new(const pn_page *page)
{
    coarse c = { .step = coarse_step(page), .least = CUT + page->noise };
    c.h = pn_ceil_div(page->h, c.step);
    c.w = pn_ceil_div(page->w, c.step);
    const pn_index n = (c.h + 1) * (c.w + 1);
    c.next = (int32_t *)page->scratch;
    c.sum = (uint32_t *)(c.next + n);
    c.count = c.sum + n;
    c.paper = (float *)(c.count + n);
    c.grey = (uint8_t *)(c.paper + n);
    c.cut = c.grey + n;
    return c;
}

/* The pixel at a place of the border, counted clockwise from the top left; places repeat. */
static pn_index border(const coarse *c, pn_index i)
{
    const pn_index around = pn_max(2 * (c->h + c->w) - 4, 1);
    i = (i % around + around) % around;
    if (i < c->w)
        return i;
    i -= c->w - 1;
    if (i < c->h)
        return i * c->w + c->w - 1;
    i -= c->h - 1;
    if (i < c->w)
        return (c->h - 1) * c->w + c->w - 1 - i;
    return (c->h - 1 - (i - (c->w - 1))) * c->w;
}

/* The levels of the border, where ink that crosses it is cut off: the opening by a thirty-second of its length. */
static void open_border(const coarse *c)
{
    const pn_index around = pn_max(2 * (c->h + c->w) - 4, 1), reach = around / 32;
    for (pn_index i = 0; i < around; i++) {
        unsigned open = 0;
        for (pn_index start = i - reach; start <= i; start++) {
            unsigned least = 255;
            for (pn_index k = start; k <= start + reach; k++) {
                const unsigned v = c->grey[border(c, k)];
                least = v < least ? v : least;
            }
            open = least > open ? least : open;
        }
        c->cut[border(c, i)] = (uint8_t)open;
    }
}

typedef struct queue {
    int32_t first[LEVELS];
    int32_t *next;
} queue;

static void push(queue *q, unsigned level, pn_index i)
{
    q->next[i] = q->first[level];
    q->first[level] = (int32_t)i;
}

/* Cuts every pixel down to the highest level at which a path leads to the border; from the highest level to the
 * lowest, so that each is visited once. */
static void reconstruct(const coarse *c)
{
    enum { NEW = -2 };
    queue q = { .next = c->next };
    const pn_index n = c->h * c->w, around = pn_max(2 * (c->h + c->w) - 4, 1);
    for (int v = 0; v < LEVELS; v++)
        q.first[v] = -1;
    for (pn_index i = 0; i < n; i++)
        q.next[i] = NEW;
    for (pn_index i = 0; i < around; i++)
        if (q.next[border(c, i)] == NEW)
            push(&q, c->cut[border(c, i)], border(c, i));
    for (int level = LEVELS - 1; level >= 0; level--)
        while (q.first[level] >= 0) {
            const pn_index i = q.first[level], y = i / c->w, x = i % c->w;
            const pn_index beside[] = { x > 0 ? i - 1 : i, x + 1 < c->w ? i + 1 : i, y > 0 ? i - c->w : i,
                                        y + 1 < c->h ? i + c->w : i };
            q.first[level] = q.next[i];
            for (int k = 0; k < 4; k++)
                if (q.next[beside[k]] == NEW) {
                    const unsigned grey = c->grey[beside[k]], v = grey < (unsigned)level ? grey : (unsigned)level;
                    c->cut[beside[k]] = (uint8_t)v;
                    push(&q, v, beside[k]);
                }
        }
}

static bool is_ink(const coarse *c, pn_index y, pn_index x)
{
    return c->next[pn_min(pn_max(y, 0), c->h - 1) * c->w + pn_min(pn_max(x, 0), c->w - 1)];
}

/* Running totals of the pixels that are paper, and not beside ink. */
static void total_paper(const coarse *c)
{
    for (pn_index i = 0; i < c->h * c->w; i++) /* the lists are empty: their memory says what is ink */
        c->next[i] = pn_page_contrast(c->grey[i], c->cut[i]) > c->least;
    memset(c->sum, 0, (size_t)(c->w + 1) * sizeof *c->sum);
    memset(c->count, 0, (size_t)(c->w + 1) * sizeof *c->count);
    for (pn_index y = 0; y < c->h; y++) {
        uint32_t sum = 0, count = 0;
        const pn_index row = (y + 1) * (c->w + 1);
        c->sum[row] = c->count[row] = 0;
        for (pn_index x = 0; x < c->w; x++) {
            bool ink = false;
            for (int k = 0; k < 9; k++)
                ink = ink || is_ink(c, y + k / 3 - 1, x + k % 3 - 1);
            sum += ink ? 0 : c->grey[y * c->w + x];
            count += !ink;
            c->sum[row + x + 1] = c->sum[row - c->w - 1 + x + 1] + sum;
            c->count[row + x + 1] = c->count[row - c->w - 1 + x + 1] + count;
        }
    }
}

static uint32_t inside(const coarse *c, const uint32_t *total, pn_index y, pn_index x, pn_index r)
{
    const pn_index top = pn_max(y - r, 0), bottom = pn_min(y + r + 1, c->h), left = pn_max(x - r, 0),
                   right = pn_min(x + r + 1, c->w), row = c->w + 1;
    return total[bottom * row + right] - total[top * row + right] - total[bottom * row + left] +
           total[top * row + left];
}

/* The mean of the paper in the least window, of 3 x 3, 5 x 5, 9 x 9 and so on, of which a third is paper. */
static void estimate_paper(const coarse *c)
{
    for (pn_index y = 0; y < c->h; y++)
        for (pn_index x = 0; x < c->w; x++) {
            uint32_t count = 0;
            pn_index r = 1;
            for (;; r *= 2) {
                count = inside(c, c->count, y, x, r);
                if (3 * count >= (uint32_t)((2 * r + 1) * (2 * r + 1)) || r >= c->h + c->w)
                    break;
            }
            c->paper[y * c->w + x] =
                count ? (float)inside(c, c->sum, y, x, r) / (float)count : (float)c->cut[y * c->w + x];
        }
}

/* The level nearest to ink among a pixel and its neighbours: the border of a shadow is paper, and not ink. */
static float shaded(const coarse *c, pn_index y, pn_index x)
{
    float most = 0;
    for (pn_index i = pn_max(y - 1, 0); i < pn_min(y + 2, c->h); i++)
        for (pn_index j = pn_max(x - 1, 0); j < pn_min(x + 2, c->w); j++)
            most = c->paper[i * c->w + j] > most ? c->paper[i * c->w + j] : most;
    return most;
}

static void shade_paper(coarse *c)
{
    float *shade = (float *)c->next;
    for (pn_index y = 0; y < c->h; y++)
        for (pn_index x = 0; x < c->w; x++)
            shade[y * c->w + x] = shaded(c, y, x);
    c->paper = shade;
}

/* The contrast of every pixel, on the paper between the four coarse pixels round it. */
static void divide(const pn_page *page, const coarse *c)
{
    const float scale = 1.0F / (float)c->step;
    for (pn_index y = 0; y < page->h; y++) {
        const float down = ((float)y + 0.5F) * scale - 0.5F;
        const pn_index top = pn_min((pn_index)(down < 0 ? 0 : down), c->h - 1), bottom = pn_min(top + 1, c->h - 1);
        const float low = down < 0 ? 0 : down - (float)top;
        for (pn_index x = 0; x < page->w; x++) {
            const float across = ((float)x + 0.5F) * scale - 0.5F;
            const pn_index left = pn_min((pn_index)(across < 0 ? 0 : across), c->w - 1),
                           right = pn_min(left + 1, c->w - 1);
            const float far = across < 0 ? 0 : across - (float)left;
            const float *above = c->paper + top * c->w, *below = c->paper + bottom * c->w;
            const float a = above[left] + far * (above[right] - above[left]),
                        b = below[left] + far * (below[right] - below[left]), paper = a + low * (b - a),
                        light = 255 - paper < 1 ? 1 : 255 - paper,
                        v = PN_PAGE_FULL * ((float)page->grey[y * page->w + x] - paper) / light;
            page->contrast[y * page->w + x] = (int16_t)(v < -PN_PAGE_FULL ? -PN_PAGE_FULL : v);
        }
    }
}

size_t pn_paper_scratch(const pn_page *page)
{
    const pn_index step = coarse_step(page), n = (pn_ceil_div(page->h, step) + 1) * (pn_ceil_div(page->w, step) + 1);
    return (size_t)n * (sizeof(int32_t) + 2 * sizeof(uint32_t) + sizeof(float) + 2);
}

void pn_paper_divide(pn_page *page)
{
    coarse c = coarse_new(page);
    const pn_picture grey = { .image = page->grey, .H = page->h, .W = page->w, .channels = 1 };
    pn_picture_reduce(c.grey, &grey, c.step);
    open_border(&c);
    reconstruct(&c);
    total_paper(&c);
    estimate_paper(&c);
    shade_paper(&c);
    divide(page, &c);
}
