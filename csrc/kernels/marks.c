/* marks.c -- connected ink: runs of pixels in rows, joined where they touch (8 neighbours). */
#include "kernels/marks.h"

#include <string.h>

enum {
    LEVELS = PN_PAGE_FULL + 1,
    MOST_RUNS = 1 << 16, /* more is noise, not drawing */
    LEAST_INK = 20,      /* the contrast of ink on uneven paper */
};

typedef struct run {
    int32_t y, from, end; /* pixels from <= x < end */
    int32_t up;           /* a run above it or itself: the way to the first run of the mark */
    int32_t mark;
} run;

typedef struct mark {
    int32_t top, left, bottom, right; /* bottom and right are outside */
    int64_t mass, area;
    bool kept;
} mark;

typedef struct drawing {
    const pn_page *page;
    run *runs;
    mark *marks;
    int32_t n_runs, n_marks, most;
} drawing;

static int32_t most_runs(const pn_page *page) { return (int32_t)pn_min(page->h * ((page->w + 1) / 2), MOST_RUNS); }

size_t pn_marks_scratch(const pn_page *page) { return (size_t)most_runs(page) * (sizeof(run) + sizeof(mark)); }

/* ---- runs and marks ---------------------------------------------------------------------------------------------- */

static int32_t first_of(run *runs, int32_t i)
{
    while (runs[i].up != i)
        i = runs[i].up = runs[runs[i].up].up;
    return i;
}

static void join(run *runs, int32_t a, int32_t b)
{
    a = first_of(runs, a);
    b = first_of(runs, b);
    if (a < b)
        runs[b].up = a;
    else
        runs[a].up = b;
}

/* The runs of pixels whose part is not NONE; false if there are too many. */
static bool find_runs(drawing *d, const uint8_t *part)
{
    const pn_index h = d->page->h, w = d->page->w;
    int32_t above = 0, n = 0;
    for (pn_index y = 0; y < h; y++) {
        const int32_t row = n;
        for (pn_index x = 0; x < w;) {
            const uint8_t *here = part + y * w;
            while (x < w && !here[x])
                x++;
            if (x == w)
                break;
            if (n == d->most)
                return false;
            d->runs[n] = (run){ (int32_t)y, (int32_t)x, 0, n, 0 };
            while (x < w && here[x])
                x++;
            d->runs[n++].end = (int32_t)x;
        }
        for (int32_t a = above, b = row; a < row && b < n;) {
            const run *up = d->runs + a, *down = d->runs + b;
            if (up->y + 1 == down->y && up->from <= down->end && down->from <= up->end)
                join(d->runs, a, b);
            if (up->y + 1 < down->y || up->end < down->end)
                a++;
            else
                b++;
        }
        above = row;
    }
    d->n_runs = n;
    return true;
}

static void add_run(mark *m, const run *r, const int16_t *contrast)
{
    m->top = r->y < m->top ? r->y : m->top;
    m->bottom = r->y + 1;
    m->left = r->from < m->left ? r->from : m->left;
    m->right = r->end > m->right ? r->end : m->right;
    m->area += r->end - r->from;
    for (int32_t x = r->from; x < r->end; x++)
        m->mass += contrast[x];
}

static bool find_marks(drawing *d, const uint8_t *part)
{
    if (!find_runs(d, part))
        return false;
    d->n_marks = 0;
    for (int32_t i = 0; i < d->n_runs; i++) {
        run *r = d->runs + i;
        const int32_t first = first_of(d->runs, i);
        if (first == i) {
            r->mark = d->n_marks++;
            d->marks[r->mark] = (mark){ r->y, r->from, r->y, r->end, 0, 0, false };
        }
        r->mark = d->runs[first].mark;
        add_run(d->marks + r->mark, r, d->page->contrast + r->y * d->page->w);
    }
    return d->n_marks > 0;
}

/* ---- the digit --------------------------------------------------------------------------------------------------- */

static int32_t side(const mark *m)
{
    const int32_t height = m->bottom - m->top, width = m->right - m->left;
    return height > width ? height : width;
}

static bool touches(const mark *m, const pn_page *page)
{
    return m->top == 0 || m->left == 0 || m->bottom == page->h || m->right == page->w;
}

/* Lines that go on beyond the page, and all that they connect. */
static bool crosses(const mark *m, const pn_page *page)
{
    if (!touches(m, page))
        return false;
    return 5 * (m->bottom - m->top) >= 4 * page->h || 5 * (m->right - m->left) >= 4 * page->w;
}

/* A piece of a line: straight, along an axis, and thinner than a pen draws a 1. */
static bool is_line(const mark *m)
{
    const int64_t height = m->bottom - m->top, width = m->right - m->left, longer = side(m);
    return 30 * m->area < longer * longer && 10 * (height + width - longer) < longer;
}

/* The distance of two boxes, the larger of down and across. */
static int32_t apart(const mark *a, const mark *b)
{
    const pn_index down = pn_max(a->top - b->bottom, b->top - a->bottom),
                   across = pn_max(a->left - b->right, b->left - a->right);
    return (int32_t)pn_max(pn_max(down, across), 0);
}

/* Its ink; marks that go on beyond the page count less, and lines, on a photograph, hardly. */
static double score(const drawing *d, const mark *m)
{
    if (!d->page->even && (crosses(m, d->page) || is_line(m)))
        return 0.001 * (double)m->mass;
    return (touches(m, d->page) ? 0.03 : 1) * (double)m->mass;
}

static mark *largest(const drawing *d)
{
    mark *best = d->marks;
    for (int32_t i = 1; i < d->n_marks; i++)
        if (score(d, d->marks + i) > score(d, best))
            best = d->marks + i;
    return best;
}

/* The box of both, and their ink. */
static mark together(mark a, const mark *b)
{
    a.top = b->top < a.top ? b->top : a.top;
    a.left = b->left < a.left ? b->left : a.left;
    a.bottom = b->bottom > a.bottom ? b->bottom : a.bottom;
    a.right = b->right > a.right ? b->right : a.right;
    a.mass += b->mass;
    a.area += b->area;
    return a;
}

/* Whether a mark is part of the digit: near what is kept, not a speck, and together no more than twice as large. */
static bool belongs(const drawing *d, const mark *first, const mark *all, const mark *m)
{
    const mark both = together(*all, m);
    return 100 * m->mass >= first->mass && apart(m, all) <= side(first) / 5 + 1 && side(&both) <= 2 * side(first) &&
           (touches(first, d->page) || !touches(m, d->page));
}

/* Keeps the largest mark, and those that belong to it.  Returns their common box and ink. */
static mark keep_digit(const drawing *d)
{
    mark *first = largest(d), all = *first;
    first->kept = true;
    for (bool more = true; more;) {
        more = false;
        for (int32_t i = 0; i < d->n_marks; i++) {
            mark *m = d->marks + i;
            if (m->kept || !belongs(d, first, &all, m))
                continue;
            m->kept = more = true;
            all = together(all, m);
        }
    }
    return all;
}

/* On uneven paper: whether that may be a digit, and not the largest of many specks, or a piece of a line. */
static bool stands_out(const drawing *d, const mark *all)
{
    int64_t others = 0;
    for (int32_t i = 0; i < d->n_marks; i++) {
        const mark *m = d->marks + i;
        if (!m->kept && !touches(m, d->page) && !is_line(m))
            others += m->mass;
    }
    return others <= 4 * all->mass && 50 * side(all) >= pn_max(d->page->h, d->page->w) && !is_line(all) &&
           all->right - all->left <= 4 * (all->bottom - all->top);
}

/* ---- all --------------------------------------------------------------------------------------------------------- */

/* The greatest contrast that more than `share` pixels exceed or equal. */
static int from_top(const int32_t count[LEVELS], pn_index share)
{
    int v = LEVELS - 1;
    for (pn_index seen = count[v]; v > 0 && seen <= share; seen += count[v])
        v--;
    return v;
}

/* The contrast that a hundredth of the page exceeds, away from the marks: of its noise, and its lines.  Spoils part. */
static int paper_reach(const pn_marks *m, const drawing *d)
{
    const pn_page *page = d->page;
    int32_t count[LEVELS] = { 0 };
    pn_index n = 0;
    for (int32_t i = 0; i < d->n_marks; i++) {
        const mark *k = d->marks + i;
        if (crosses(k, page) || is_line(k))
            continue;
        const pn_index edge = side(k) / 8 + 2, left = pn_max(k->left - edge, 0),
                       right = pn_min(k->right + edge, page->w);
        for (pn_index y = pn_max(k->top - edge, 0); y < pn_min(k->bottom + edge, page->h); y++)
            memset(m->part + y * page->w + left, 1, (size_t)(right - left));
    }
    for (pn_index i = 0; i < page->h * page->w; i++)
        if (!m->part[i]) {
            count[page->contrast[i] > 0 ? page->contrast[i] : 0]++;
            n++;
        }
    return from_top(count, n / 100);
}

/* Whether strong ink of the digit is on the border. */
static bool is_cut(const pn_marks *m, const pn_page *page)
{
    const pn_index h = page->h, w = page->w;
    for (pn_index y = 0; y < h; y++)
        for (pn_index x = 0; x < w; x += y == 0 || y == h - 1 ? 1 : pn_max(w - 1, 1))
            if (m->part[y * w + x] == PN_MARKS_DIGIT && 2 * page->contrast[y * w + x] >= m->ink)
                return true;
    return false;
}

static void show(pn_marks *m, const drawing *d, const mark *all)
{
    m->touches = touches(all, d->page);
    m->top = all->top;
    m->left = all->left;
    m->bottom = all->bottom;
    m->right = all->right;
    m->several = false;
    for (int32_t i = 0; i < d->n_marks; i++)
        m->several = m->several || (!d->marks[i].kept && 4 * d->marks[i].mass > all->mass &&
                                    (d->page->even || !touches(d->marks + i, d->page)));
    for (int32_t i = 0; i < d->n_runs; i++) {
        const run *r = d->runs + i;
        memset(m->part + r->y * d->page->w + r->from, d->marks[r->mark].kept ? PN_MARKS_DIGIT : PN_MARKS_OTHER,
               (size_t)(r->end - r->from));
    }
    m->cut = is_cut(m, d->page);
}

static bool find_at(const pn_marks *m, drawing *d, int least)
{
    for (pn_index i = 0; i < d->page->h * d->page->w; i++)
        m->part[i] = d->page->contrast[i] >= least;
    return find_marks(d, m->part);
}

/* On paper of one shade, everything is ink that is stronger than MNIST's faintest edges. */
static bool find_on_even(pn_marks *m, drawing *d, mark *digit)
{
    m->low = 0;
    m->edge = m->least = m->ink / 16 + 1;
    m->faint = m->ink < PN_MARKS_FAINT;
    if (!find_at(m, d, m->least))
        return false;
    *digit = keep_digit(d);
    return true;
}

/* First the strong parts of the digit: two fifths of its contrast, or more if that is connected to lines or shadows, or
 * one of many marks, which is a reason for doubt. */
static bool find_strong(pn_marks *m, drawing *d, mark *digit)
{
    bool single = false;
    m->faint = m->ink < PN_MARKS_FAINT;
    for (int fifths = 2; fifths < 5; fifths++) {
        if (!find_at(m, d, (int)pn_max(fifths * m->ink / 5, PN_PAGE_FAINT)))
            return false;
        *digit = keep_digit(d);
        single = stands_out(d, digit);
        if (single && !touches(digit, d->page))
            break;
        m->faint = m->faint || !single;
    }
    return single;
}

/* Then all of it: the least contrast above the paper, its noise and its lines, at which it is hardly larger. */
static bool find_on_uneven(pn_marks *m, drawing *d, mark *digit)
{
    mark strong;
    if (m->ink < LEAST_INK || m->ink < 6 * d->page->noise || !find_strong(m, d, &strong))
        return false;
    const int reach = paper_reach(m, d);
    m->low = reach;
    m->faint = m->faint || m->ink < 3 * (reach + 1);
    if (4 * reach > 3 * m->ink)
        return false;
    for (int eighths = 1; eighths < 5; eighths++) {
        m->least = reach + eighths * (m->ink - reach) / 8 + 1;
        if (!find_at(m, d, m->least))
            return false;
        *digit = keep_digit(d);
        if (4 * side(digit) <= 5 * side(&strong) + 16)
            break;
        m->low = 3 * m->least / 4;
    }
    m->edge = (int)pn_max(m->least, m->low + 2 * (m->ink - m->low) / 5);
    return true;
}

bool pn_marks_find(pn_marks *m, const pn_page *page)
{
    drawing d = { .page = page, .most = most_runs(page) };
    d.marks = m->scratch;
    d.runs = (run *)(d.marks + d.most);
    int32_t count[LEVELS] = { 0 };
    mark digit;
    for (pn_index i = 0; i < page->h * page->w; i++)
        count[page->contrast[i] > 0 ? page->contrast[i] : 0]++;
    m->ink = from_top(count, page->even ? 0 : page->h * page->w / 5000);
    if (!(page->even ? find_on_even(m, &d, &digit) : find_on_uneven(m, &d, &digit)))
        return false;
    show(m, &d, &digit);
    return true;
}
