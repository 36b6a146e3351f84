/* digit.c -- cropped to the ink of the digit, scaled to a 20 x 20 box, centred by mass in 28 x 28.
 *
 * page.c and paper.c take the paper off, marks.c finds the digit.  Scaling averages over the area that a pixel of the
 * result covers (at least one pixel of the picture, which is linear interpolation if the picture is smaller), so that
 * an enlarged MNIST digit is restored exactly; the maximum becomes 255.  On even paper the pixels of the picture are
 * scaled, on uneven paper those of the page, whose contrast is known. */
#include "kernels/digit.h"

#include <string.h>

#include "kernels/marks.h"
#include "kernels/paper.h"

/* What is scaled: the picture's own pixels, or the page's. */
typedef struct source {
    const pn_picture *picture;
    const pn_page *page;
    const pn_marks *marks;
    pn_index step; /* pixels of the source along one of the page: more than 1 if they are the picture's */
} source;

/* The strength of ink at a pixel of the source: 0 on paper, and on what is not the digit. */
static unsigned strength(const source *s, pn_index y, pn_index x)
{
    const pn_index at = s->step > 1 ? y / s->step * s->page->w + x / s->step : y * s->page->w + x;
    if (s->marks->part[at] == PN_MARKS_OTHER)
        return 0;
    const int v = s->step > 1 ? pn_page_contrast((int)pn_picture_level(s->picture, y, x), (int)s->page->paper)
                              : s->page->contrast[at];
    return v > s->marks->low ? (unsigned)(v - s->marks->low) : 0;
}

/* ---- the box ----------------------------------------------------------------------------------------------------- */

/* The ink's box in pixels of the source, and its contrast there; false where no pixel is ink any more: the picture may
 * change while we look. */
static bool find_box(const source *s, pn_digit *did)
{
    const pn_marks *m = s->marks;
    const pn_index step = s->step, H = step > 1 ? s->picture->H : s->page->h, W = step > 1 ? s->picture->W : s->page->w;
    const unsigned least = (unsigned)(m->edge - m->low);
    pn_index top = H, bottom = -1, left = W, right = -1;
    int most = m->ink;
    for (pn_index y = pn_max((m->top - 1) * step, 0); y < pn_min((m->bottom + 1) * step, H); y++)
        for (pn_index x = pn_max((m->left - 1) * step, 0); x < pn_min((m->right + 1) * step, W); x++) {
            const unsigned v = strength(s, y, x);
            if (v < least)
                continue;
            most = step > 1 && (int)v > most ? (int)v : most;
            top = pn_min(top, y);
            bottom = y;
            left = pn_min(left, x);
            right = pn_max(right, x);
        }
    did->top = top;
    did->left = left;
    did->height = bottom - top + 1;
    did->width = right - left + 1;
    did->contrast = most;
    did->faint = m->faint && (step == 1 || most < PN_MARKS_FAINT);
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

static uint64_t cell(const source *s, const pn_digit *did, const axis *down, const axis *across, pn_index i, pn_index j)
{
    uint64_t sum = 0;
    for (pn_index y = first_under(down, i); y < end_under(down, i); y++) {
        uint64_t row = 0;
        for (pn_index x = first_under(across, j); x < end_under(across, j); x++)
            row += covered(across, j, x) * strength(s, did->top + y, did->left + x);
        sum += covered(down, i, y) * row;
    }
    return sum;
}

/* Fills box, [rows][columns], with a maximum of 255; false if there is no ink. */
static bool scale_box(const source *s, pn_digit *did, uint8_t box[PN_DIGIT_BOX * PN_DIGIT_BOX])
{
    const pn_index longest = pn_max(did->height, did->width);
    const axis down = scale_axis(did->height, longest), across = scale_axis(did->width, longest);
    uint64_t sums[PN_DIGIT_BOX * PN_DIGIT_BOX], most = 0;
    for (pn_index i = 0; i < down.m; i++)
        for (pn_index j = 0; j < across.m; j++) {
            const uint64_t sum = cell(s, did, &down, &across, i, j);
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

/* The box in pixels of the picture. */
static void enlarge(pn_digit *did, const pn_picture *p, pn_index step)
{
    did->top *= step;
    did->left *= step;
    did->height = pn_min(did->height * step, p->H - did->top);
    did->width = pn_min(did->width * step, p->W - did->left);
}

static bool find_uneven(pn_marks *m, pn_page *page, pn_picture *p, bool inverted)
{
    pn_page_read_uneven(page, p, inverted);
    return pn_marks_find(m, page) && !m->touches;
}

/* Ink that touches the border may be a shadow, or lines across the page, or paper taken for ink: then the other ways to
 * see the page are tried. */
static bool find(pn_marks *m, pn_page *page, pn_picture *p)
{
    const bool found = pn_page_read(page, p) && pn_marks_find(m, page), inverted = page->inverted;
    const int ink = m->ink;
    if (found && !m->touches)
        return true;
    if (page->even ? find_uneven(m, page, p, inverted) : found && find_uneven(m, page, p, !inverted) && m->ink >= ink)
        return true;
    return pn_page_read(page, p) && pn_marks_find(m, page);
}

typedef struct layout {
    pn_page page;
    size_t contrast, grey, part, bytes; /* where the arrays begin; scratch comes first */
} layout;

static layout lay_out(pn_index H, pn_index W)
{
    layout l;
    pn_page_size(&l.page, H, W);
    const size_t n = (size_t)(l.page.h * l.page.w), a = pn_paper_scratch(&l.page), b = pn_marks_scratch(&l.page);
    l.contrast = ((a > b ? a : b) + PN_ALIGN) / PN_ALIGN * PN_ALIGN;
    l.grey = l.contrast + n * sizeof(int16_t);
    l.part = l.grey + n;
    l.bytes = l.part + n;
    return l;
}

size_t pn_digit_scratch(pn_index H, pn_index W) { return lay_out(H, W).bytes; }

void pn_digit_prepare(const uint8_t *image, pn_index H, pn_index W, int channels, void *scratch, uint8_t *digit,
                      pn_digit *did)
{
    pn_picture p = { .image = image, .H = H, .W = W, .channels = channels };
    uint8_t box[PN_DIGIT_BOX * PN_DIGIT_BOX];
    *did = (pn_digit){ .empty = true };
    memset(digit, 0, (size_t)PN_DIGIT_SIDE * PN_DIGIT_SIDE);
    if (H < 1 || W < 1)
        return;
    layout l = lay_out(H, W);
    pn_page *page = &l.page;
    page->scratch = scratch;
    page->contrast = (int16_t *)((char *)scratch + l.contrast);
    page->grey = (uint8_t *)scratch + l.grey;
    pn_marks m = { .part = (uint8_t *)scratch + l.part, .scratch = scratch };
    const bool transparent = pn_picture_lay(&p);
    if (!find(&m, page, &p))
        return;
    *did = (pn_digit){ .transparent = transparent,
                       .inverted = p.inverted,
                       .uneven = !page->even,
                       .touches = m.cut,
                       .several = m.several };
    const source s = { &p, page, &m, page->even ? page->step : 1 };
    if (find_box(&s, did) && scale_box(&s, did, box))
        put_in_the_middle(box, did, digit);
    else
        *did = (pn_digit){ .empty = true };
    if (s.step < page->step)
        enlarge(did, &p, page->step);
}
