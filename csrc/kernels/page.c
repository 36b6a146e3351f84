/* page.c -- reduces a picture to a page, and finds out whether its paper has one shade, and what is ink.
 *
 * Paper of one shade (a drawing, a scan that was cleaned): Otsu's threshold (1979) separates it from the ink, the
 * larger side is the paper.  Levels that are no further above its median than it reaches below it count as noise.  Any
 * other page is a photograph, whose paper is estimated at every pixel (paper.c). */
#include "kernels/page.h"

#include <string.h>

#include "kernels/paper.h"

enum { LEVELS = 256, GRID = 6 }; /* windows along a side that vote on what is ink */

/* ---- levels ------------------------------------------------------------------------------------------------------ */

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
    for (unsigned v = from; v < end && v < LEVELS; v++)
        n += count[v];
    return n;
}

static void count_levels(const pn_page *page, pn_index top, pn_index left, pn_index bottom, pn_index right,
                         uint64_t count[LEVELS])
{
    memset(count, 0, LEVELS * sizeof *count);
    for (pn_index y = top; y < bottom; y++)
        for (pn_index x = left; x < right; x++)
            count[page->grey[y * page->w + x]]++;
}

static void invert(pn_page *page, uint64_t count[LEVELS])
{
    for (unsigned v = 0; count && v < LEVELS / 2; v++) {
        const uint64_t was = count[v];
        count[v] = count[LEVELS - 1 - v];
        count[LEVELS - 1 - v] = was;
    }
    for (pn_index i = 0; i < page->h * page->w; i++)
        page->grey[i] = (uint8_t)(255 - page->grey[i]);
    page->inverted = !page->inverted;
}

/* ---- paper of one shade ------------------------------------------------------------------------------------------ */

/* Whether half of the larger side has exactly one level: then that is the paper. */
static bool is_even(const uint64_t count[LEVELS], unsigned edge, uint64_t n, bool *inverted)
{
    const uint64_t dark = count_between(count, 0, edge + 1);
    *inverted = 2 * dark < n;
    const unsigned from = *inverted ? edge + 1 : 0, end = *inverted ? LEVELS : edge + 1;
    uint64_t most = 0;
    for (unsigned v = from; v < end; v++)
        most = count[v] > most ? count[v] : most;
    return 2 * most >= (*inverted ? n - dark : dark);
}

/* false if no level stands out from the paper. */
static bool read_even(pn_page *page, uint64_t count[LEVELS], unsigned edge, bool inverted)
{
    const pn_index n = page->h * page->w;
    if (inverted) {
        invert(page, count);
        edge = LEVELS - 2 - edge;
    }
    const uint64_t ground = count_between(count, 0, edge + 1);
    const unsigned middle = quantile(count, (ground + 1) / 2), reach = middle - quantile(count, (uint64_t)n / 1000 + 1),
                   most = quantile(count, (uint64_t)n), least = 2 * reach > PN_PAGE_FAINT ? 2 * reach : PN_PAGE_FAINT;
    page->paper = middle + reach;
    int16_t of[LEVELS];
    for (int v = 0; v < LEVELS; v++)
        of[v] = (int16_t)pn_page_contrast(v, (int)page->paper);
    for (pn_index i = 0; i < n; i++)
        page->contrast[i] = of[page->grey[i]];
    return most > middle + least;
}

/* ---- uneven paper: what is ink, and how noisy it is -------------------------------------------------------------- */

/* Above 0 if ink is lighter than paper.  In a window, paper is the majority, so the extreme further from the median is
 * ink; light that changes across a window pulls neither way. */
static double vote(const pn_page *page)
{
    double votes = 0;
    for (pn_index i = 0; i < GRID; i++)
        for (pn_index j = 0; j < GRID; j++) {
            const pn_index top = i * page->h / GRID, bottom = pn_max((i + 1) * page->h / GRID, top + 1),
                           left = j * page->w / GRID, right = pn_max((j + 1) * page->w / GRID, left + 1);
            uint64_t count[LEVELS];
            count_levels(page, top, left, pn_min(bottom, page->h), pn_min(right, page->w), count);
            const uint64_t n = (uint64_t)((bottom - top) * (right - left));
            const double low = quantile(count, n / 200 + 1), high = quantile(count, n - n / 200),
                         lean = low + high - 2.0 * quantile(count, (n + 1) / 2);
            votes += lean < 0 ? -lean * lean : lean * lean;
        }
    return votes;
}

/* The noise of the levels, about one standard deviation: half of the differences between pixels are smaller, and light
 * adds little to them. */
static int noise_of(const pn_page *page)
{
    uint64_t count[LEVELS] = { 0 }, n = 0;
    for (pn_index y = 0; y < page->h; y++)
        for (pn_index x = 2; x < page->w; x++) {
            const int apart = page->grey[y * page->w + x] - page->grey[y * page->w + x - 2];
            count[apart < 0 ? -apart : apart]++;
            n++;
        }
    return (int)quantile(count, (n + 1) / 2);
}

/* Each pixel becomes the mean of 3 x 3. */
static void smooth(pn_page *page, uint8_t *rows)
{
    const pn_index h = page->h, w = page->w;
    for (pn_index y = 0; y < h; y++) { /* across, in place */
        uint8_t *row = page->grey + y * w;
        unsigned before = row[0];
        for (pn_index x = 0; x < w; x++) {
            const unsigned at = row[x], after = row[pn_min(x + 1, w - 1)];
            row[x] = (uint8_t)((before + at + after + 1) / 3);
            before = at;
        }
    }
    memcpy(rows, page->grey, (size_t)w);
    for (pn_index y = 0; y < h; y++) { /* down: rows holds the row above as it was, and a copy of this one */
        uint8_t *row = page->grey + y * w, *above = rows + (y % 2) * w, *copy = rows + ((y + 1) % 2) * w;
        const uint8_t *below = page->grey + pn_min(y + 1, h - 1) * w;
        memcpy(copy, row, (size_t)w);
        for (pn_index x = 0; x < w; x++)
            row[x] = (uint8_t)((above[x] + row[x] + below[x] + 1) / 3);
    }
}

static void read_uneven(pn_page *page, bool inverted)
{
    uint64_t count[LEVELS];
    const uint64_t n = (uint64_t)(page->h * page->w);
    if (inverted)
        invert(page, NULL);
    count_levels(page, 0, 0, page->h, page->w, count);
    const int middle = (int)quantile(count, (n + 1) / 2), range = (int)quantile(count, n - n / 5000) - middle,
              noise = noise_of(page);
    const bool noisy = 24 * noise > range;
    if (noisy)
        smooth(page, (uint8_t *)page->contrast);
    page->noise = PN_PAGE_FULL * noise / (noisy ? 3 : 1) / (256 - middle);
    pn_paper_divide(page);
}

/* ---- all --------------------------------------------------------------------------------------------------------- */

static pn_index step_of(pn_index H, pn_index W) { return pn_max(pn_ceil_div(pn_max(H, W), PN_PAGE_SIDE), 1); }

void pn_page_size(pn_page *page, pn_index H, pn_index W)
{
    const pn_index step = step_of(H, W);
    *page = (pn_page){ .h = pn_ceil_div(H, step), .w = pn_ceil_div(W, step), .step = step };
}

bool pn_page_read(pn_page *page, pn_picture *p)
{
    uint64_t count[LEVELS];
    bool inverted, found = true;
    p->inverted = page->inverted = false;
    pn_picture_reduce(page->grey, p, page->step);
    count_levels(page, 0, 0, page->h, page->w, count);
    const unsigned edge = threshold(count);
    page->even = is_even(count, edge, (uint64_t)(page->h * page->w), &inverted);
    if (page->even)
        found = read_even(page, count, edge, inverted);
    else
        read_uneven(page, vote(page) < 0);
    p->inverted = page->inverted;
    return found;
}

void pn_page_read_uneven(pn_page *page, pn_picture *p, bool inverted)
{
    p->inverted = page->inverted = page->even = false;
    pn_picture_reduce(page->grey, p, page->step);
    read_uneven(page, inverted);
    p->inverted = page->inverted;
}
