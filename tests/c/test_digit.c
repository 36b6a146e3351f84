/* test_digit.c -- prepare_digit: pictures drawn here come back where and as they should; no byte outside is touched. */
#include "harness.h"
#include "kernels.h"
#include "kernels/digit.h"

enum { SIDE = PN_DIGIT_SIDE, PIXELS = SIDE * SIDE, MOST = 400 };

/* A picture of one channel, and what became of it. */
typedef struct paper {
    pn_index H, W;
    uint8_t grey[MOST * MOST];
} paper;
typedef struct outcome {
    pn_digit did;
    uint8_t digit[PIXELS];
} outcome;

/* Between guards, as so many channels: colours all equal, opaque. */
static outcome prepare_as(const paper *p, int channels, uint8_t alpha)
{
    outcome o;
    guarded image = guard_new((size_t)(p->H * p->W * channels), 0), digit = guard_new(PIXELS, 1);
    for (pn_index i = 0; i < p->H * p->W; i++)
        for (int k = 0; k < channels; k++)
            ((uint8_t *)image.p)[i * channels + k] = channels % 2 == 0 && k == channels - 1 ? alpha : p->grey[i];
    guarded scratch = guard_new(pn_digit_scratch(p->H, p->W), 0);
    pn_digit_prepare(image.p, p->H, p->W, channels, scratch.p, digit.p, &o.did);
    CHECK(guard_free(scratch));
    memcpy(o.digit, digit.p, PIXELS);
    CHECK(guard_free(image));
    CHECK(guard_free(digit));
    return o;
}

/* One that needs no guards. */
static void prepare_bytes(outcome *o, const void *image, pn_index H, pn_index W, int channels)
{
    guarded scratch = guard_new(pn_digit_scratch(H, W), 0);
    pn_digit_prepare(image, H, W, channels, scratch.p, o->digit, &o->did);
    CHECK(guard_free(scratch));
}

static outcome prepare(const paper *p) { return prepare_as(p, 1, 255); }

static void clean(paper *p, pn_index H, pn_index W, uint8_t ground)
{
    p->H = H;
    p->W = W;
    memset(p->grey, ground, (size_t)(H * W));
}

static void bar(paper *p, pn_index top, pn_index left, pn_index height, pn_index width, uint8_t ink)
{
    for (pn_index y = top; y < top + height; y++)
        memset(p->grey + y * p->W + left, ink, (size_t)width);
}

/* A seven of whole cells, 20 x 12, each `zoom` pixels a side. */
static void seven(paper *p, pn_index top, pn_index left, pn_index zoom, uint8_t ink)
{
    bar(p, top, left, 3 * zoom, 12 * zoom, ink);
    for (pn_index i = 3; i < 20; i++)
        bar(p, top + i * zoom, left + (11 - i / 2) * zoom, zoom, 2 * zoom < 12 - 11 + i / 2 ? 2 * zoom : zoom, ink);
}

static void check_equal(const outcome *got, const outcome *want, int allowed, const char *what)
{
    int most = 0;
    for (int i = 0; i < PIXELS; i++)
        most = abs(got->digit[i] - want->digit[i]) > most ? abs(got->digit[i] - want->digit[i]) : most;
    harness_check(most <= allowed, __FILE__, __LINE__, "%s: a pixel differs by %d, allowed %d", what, most, allowed);
}

/* The centre of mass, rows (0) or columns (1), in pixels. */
static double centre(const outcome *o, int axis)
{
    double mass = 0, moment = 0;
    for (int i = 0; i < PIXELS; i++) {
        mass += o->digit[i];
        moment += (double)o->digit[i] * (axis == 0 ? i / SIDE : i % SIDE);
    }
    return moment / mass;
}

/* ---- tests ------------------------------------------------------------------------------------------------------- */

static paper page; /* too large for a small stack */

TEST(size_place_and_ground_do_not_matter)
{
    clean(&page, SIDE, SIDE, 0);
    seven(&page, 4, 9, 1, 255);
    const outcome small = prepare(&page);
    REQUIRE(!small.did.empty && !small.did.inverted && small.did.rows == 20);
    static const struct {
        pn_index H, W, top, left, zoom;
        uint8_t ground, ink;
    } cases[] = {
        { 20, 13, 0, 0, 1, 0, 255 },    { 300, 300, 90, 7, 10, 0, 255 },    { 300, 160, 100, 40, 10, 255, 0 },
        { 400, 400, 3, 170, 7, 0, 90 }, { 399, 301, 159, 60, 12, 230, 31 }, { 64, 64, 20, 30, 2, 12, 255 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        clean(&page, cases[i].H, cases[i].W, cases[i].ground);
        for (pn_index y = 0; y < 20; y++) /* the small one's cells, enlarged */
            for (pn_index x = 0; x < small.did.columns; x++)
                if (small.digit[(small.did.row + y) * SIDE + small.did.column + x])
                    bar(&page, cases[i].top + y * cases[i].zoom, cases[i].left + x * cases[i].zoom, cases[i].zoom,
                        cases[i].zoom, cases[i].ink);
        const outcome o = prepare(&page);
        CHECK(!o.did.empty);
        CHECK_INT(o.did.inverted, cases[i].ground > cases[i].ink);
        CHECK_INT(o.did.top, cases[i].top);
        CHECK_INT(o.did.left, cases[i].left);
        CHECK_INT(o.did.height, 20 * cases[i].zoom);
        check_equal(&o, &small, 0, "a seven");
    }
}

TEST(what_is_prepared_stays_as_it_is)
{
    clean(&page, 200, 150, 240);
    seven(&page, 30, 11, 6, 10);
    const outcome first = prepare(&page);
    page.H = page.W = SIDE;
    memcpy(page.grey, first.digit, PIXELS);
    const outcome second = prepare(&page);
    CHECK(!second.did.empty && !second.did.inverted);
    check_equal(&second, &first, 0, "prepared twice");
}

TEST(the_longer_side_is_20_and_the_mass_in_the_middle)
{
    for (int turn = 0; turn < 300; turn++) {
        clean(&page, 1 + harness_below(200), 1 + harness_below(200), 0);
        for (int k = 0; k < 3; k++) {
            const pn_index h = 1 + harness_below(page.H), w = 1 + harness_below(page.W);
            bar(&page, harness_below(page.H - h + 1), harness_below(page.W - w + 1), h, w,
                (uint8_t)(60 + harness_below(196)));
        }
        const outcome o = prepare(&page);
        if (o.did.empty)
            continue; /* all one bar */
        CHECK_INT(o.did.rows > o.did.columns ? o.did.rows : o.did.columns, 20);
        CHECK(o.did.row >= 0 && o.did.row + o.did.rows <= SIDE && o.did.column >= 0 &&
              o.did.column + o.did.columns <= SIDE);
        CHECK(fabs((double)o.did.rows * (double)o.did.width - (double)o.did.columns * (double)o.did.height) <=
                  0.51 * (double)pn_max(o.did.height, o.did.width) ||
              o.did.rows == 1 || o.did.columns == 1);
        const bool free_down = o.did.row > 0 && o.did.row + o.did.rows < SIDE;
        const bool free_across = o.did.column > 0 && o.did.column + o.did.columns < SIDE;
        if (free_down)
            CHECK_CLOSE(centre(&o, 0), 14, 0.5 + 1e-9);
        if (free_across)
            CHECK_CLOSE(centre(&o, 1), 14, 0.5 + 1e-9);
    }
}

TEST(channels_are_made_grey_and_alpha_is_laid_over_a_ground)
{
    clean(&page, 90, 80, 250);
    seven(&page, 10, 8, 3, 20);
    const outcome grey = prepare(&page);
    for (int channels = 2; channels <= 4; channels++) {
        const outcome o = prepare_as(&page, channels, 255);
        CHECK(!o.did.transparent && o.did.inverted);
        check_equal(&o, &grey, 0, "channels");
    }
    /* The ink alone is opaque: black, white, or grey as the canvas under it. */
    for (int ink = 0; ink <= 255; ink += 51) {
        guarded image = guard_new((size_t)(page.H * page.W * 4), 0);
        outcome o;
        for (pn_index i = 0; i < page.H * page.W; i++) {
            memset((uint8_t *)image.p + 4 * i, ink, 3);
            ((uint8_t *)image.p)[4 * i + 3] = page.grey[i] < 128 ? 255 : 0;
        }
        prepare_bytes(&o, image.p, page.H, page.W, 4);
        CHECK(!o.did.empty && o.did.transparent);
        CHECK_INT(o.did.inverted, ink < 128);
        check_equal(&o, &grey, 0, "transparent");
        CHECK(guard_free(image));
    }
}

TEST(colours_count_by_their_luminance)
{
    static const uint8_t colours[][3] = { { 255, 255, 0 }, { 0, 0, 160 } }; /* blue on yellow is dark on light */
    uint8_t image[30 * 30 * 3];
    outcome o;
    for (int y = 0; y < 30; y++)
        for (int x = 0; x < 30; x++)
            memcpy(image + (y * 30 + x) * 3, colours[x >= 12 && x < 16 && y >= 5 && y < 25], 3);
    prepare_bytes(&o, image, 30, 30, 3);
    CHECK(!o.did.empty && o.did.inverted);
    CHECK_INT(o.did.top, 5);
    CHECK_INT(o.did.left, 12);
    CHECK_INT(o.did.width, 4);
    CHECK_INT(o.digit[14 * SIDE + 14], 255);
}

TEST(an_empty_page_is_empty)
{
    static const pn_index sizes[][2] = { { 0, 0 }, { 0, 5 }, { 1, 1 }, { 1, 300 }, { 28, 28 }, { 300, 200 } };
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        for (int channels = 1; channels <= 4; channels++)
            for (int shade = 0; shade <= 255; shade += 85) {
                clean(&page, sizes[i][0], sizes[i][1], (uint8_t)shade);
                const outcome o = prepare_as(&page, channels, (uint8_t)(i % 2 ? 255 : 0));
                CHECK(o.did.empty);
                for (int k = 0; k < PIXELS; k++)
                    CHECK(o.digit[k] == 0);
            }
    clean(&page, 300, 300, 0); /* paper that is not quite even */
    for (pn_index i = 0; i < 300 * 300; i++)
        page.grey[i] = (uint8_t)(200 + harness_below(12) + harness_below(12));
    CHECK(prepare(&page).did.empty);
}

TEST(noise_of_the_paper_is_not_ink)
{
    clean(&page, 300, 250, 0);
    seven(&page, 60, 50, 8, 1);
    for (pn_index i = 0; i < page.H * page.W; i++)
        page.grey[i] = (uint8_t)((page.grey[i] ? 30 : 190) + harness_below(15) + harness_below(15));
    const outcome o = prepare(&page);
    CHECK(!o.did.empty && o.did.inverted);
    CHECK_INT(o.did.top, 60);
    CHECK_INT(o.did.left, 50);
    CHECK_INT(o.did.height, 160);
    int specks = 0;
    for (int i = 0; i < PIXELS; i++)
        specks += o.digit[i] > 0 && o.digit[i] < 40;
    CHECK(specks < 20);
}

/* ---- photographs ------------------------------------------------------------------------------------------------- */

/* Paper of a level under light that falls to a share across the page, with a dark corner and noise. */
static void lit(paper *p, double least, bool corner, int noise)
{
    for (pn_index y = 0; y < p->H; y++)
        for (pn_index x = 0; x < p->W; x++) {
            const double across = (double)x / (double)p->W, far = (double)(p->H - y) / (double)p->H + 1 - across;
            double v = p->grey[y * p->W + x] * (1 - (1 - least) * across);
            if (corner)
                v *= 1 - 0.5 / (1 + exp((far - 0.4) * 20));
            v += (double)harness_below(noise + 1) - noise / 2.0;
            p->grey[y * p->W + x] = (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v);
        }
}

/* The seven whose rows and columns the tests below look for. */
static void seven_on_paper(pn_index H, pn_index W, uint8_t ink)
{
    clean(&page, H, W, 220);
    seven(&page, 60, 150, 6, ink);
}

TEST(light_does_not_matter)
{
    seven_on_paper(300, 360, 60);
    const outcome even = prepare(&page);
    CHECK(!even.did.uneven && !even.did.touches && !even.did.several && !even.did.faint);
    for (int turn = 0; turn < 12; turn++) {
        seven_on_paper(300, 360, turn % 2 ? 60 : 110);
        lit(&page, 1 - 0.1 * (turn % 6), turn > 5, 4 + turn % 3 * 6);
        for (pn_index i = 0; turn % 3 == 2 && i < page.H * page.W; i++)
            page.grey[i] = (uint8_t)(255 - page.grey[i]);
        const outcome o = prepare(&page);
        REQUIRE(!o.did.empty && o.did.uneven);
        CHECK_INT(o.did.inverted, turn % 3 != 2);
        CHECK(!o.did.touches && !o.did.several && !o.did.faint);
        CHECK_CLOSE(o.did.top, 60, 3);
        CHECK_CLOSE(o.did.left, even.did.left, 3);
        CHECK_CLOSE(o.did.height, 120, 6);
        CHECK_CLOSE(o.did.contrast, turn % 2 ? 255 * 160 / 220 : 255 * 110 / 220, 40);
    }
}

/* A pixel of a ruled line, which lies under the ink. */
static void rule(pn_index y, pn_index x)
{
    if (y < page.H && x < page.W && page.grey[y * page.W + x] == 220)
        page.grey[y * page.W + x] = 180;
}

TEST(lines_and_specks_are_dropped)
{
    for (int squared = 0; squared < 2; squared++) {
        seven_on_paper(330, 360, 60);
        for (pn_index k = 7; k < page.H + page.W; k += 23)
            for (pn_index i = 0; i < pn_max(page.H, page.W); i++) {
                rule(k + i / 90, i);
                if (squared)
                    rule(i, k - i / 90);
            }
        bar(&page, 300, 20, 2, 2, 50);
        bar(&page, 20, 320, 3, 2, 50);
        lit(&page, 0.7, squared, 6);
        const outcome o = prepare(&page);
        REQUIRE(!o.did.empty && o.did.uneven);
        CHECK(!o.did.touches && !o.did.several);
        CHECK_CLOSE(o.did.top, 60, 3);
        CHECK_CLOSE(o.did.height, 120, 6);
        CHECK_CLOSE(o.did.width, 72, 6);
    }
}

TEST(a_detached_bar_belongs_to_the_digit)
{
    for (int photo = 0; photo < 2; photo++) {
        clean(&page, 300, 300, 230);
        bar(&page, 100, 100, 100, 12, 40);
        bar(&page, 100, 120, 12, 40, 40); /* 8 pixels to the right */
        if (photo)
            lit(&page, 0.6, false, 6);
        const outcome o = prepare(&page);
        REQUIRE(!o.did.empty);
        CHECK(!o.did.several);
        CHECK_CLOSE(o.did.width, 60, photo ? 4 : 0);
    }
}

TEST(doubtful_ink_is_reported)
{
    for (int photo = 0; photo < 2; photo++) {
        const int noise = photo ? 4 : 0;
        const double least = photo ? 0.7 : 1;
        clean(&page, 300, 300, 230);
        seven(&page, 20, 20, 5, 40);
        seven(&page, 180, 200, 5, 40);
        lit(&page, least, false, noise);
        outcome o = prepare(&page);
        CHECK(!o.did.empty && o.did.several && !o.did.touches && !o.did.faint);
        CHECK_CLOSE(o.did.height, 100, 2 * noise); /* one of the two */

        clean(&page, 300, 300, 230);
        bar(&page, 0, 140, 120, 20, 40);
        lit(&page, least, false, noise);
        o = prepare(&page);
        CHECK(!o.did.empty && o.did.touches && !o.did.several);

        clean(&page, 300, 300, 230);
        seven(&page, 50, 50, 8, 205);
        lit(&page, least, false, noise);
        o = prepare(&page);
        CHECK(!o.did.empty && o.did.faint && !o.did.touches);
        CHECK_CLOSE(o.did.contrast, 255 * 25 / 230, 8);
    }
}

TEST(an_empty_photograph_is_empty)
{
    for (int turn = 0; turn < 24; turn++) {
        clean(&page, 300 - turn, 360, 220);
        for (pn_index y = 9; turn % 2 && y < page.H; y += 20)
            bar(&page, y, 0, 1 + turn % 3, page.W, 180);
        lit(&page, 1 - 0.1 * (turn % 5), turn % 4 > 1, turn);
        const outcome o = prepare(&page);
        CHECK(o.did.empty || o.did.touches || o.did.faint); /* never silently a digit */
    }
}

TEST(memory_does_not_grow_with_the_picture)
{
    for (pn_index side = 1; side < 100000; side = side * 3 / 2 + 1) {
        CHECK(pn_digit_scratch(side, side) < (pn_index)16 << 20);
        CHECK(pn_digit_scratch(1, side) < (pn_index)16 << 20);
    }
}

TEST(any_bytes_of_any_shape_are_taken)
{
    for (int turn = 0; turn < (harness_quick() ? 200 : 2000); turn++) {
        const pn_index H = 1 + harness_below(turn % 5 ? 40 : 3), W = 1 + harness_below(turn % 7 ? 40 : 500);
        const int channels = 1 + (int)harness_below(4), kind = (int)harness_below(3);
        guarded image = guard_new((size_t)(H * W * channels), 0), digit = guard_new(PIXELS, 0);
        for (pn_index i = 0; i < H * W * channels; i++)
            ((uint8_t *)image.p)[i] = (uint8_t)(kind == 0   ? harness_below(256)
                                                : kind == 1 ? 255 * (harness_below(9) == 0)
                                                            : harness_below(30));
        guarded scratch = guard_new(pn_digit_scratch(H, W), 0);
        pn_digit did;
        pn_digit_prepare(image.p, H, W, channels, scratch.p, digit.p, &did);
        CHECK(guard_free(scratch));
        uint8_t most = 0;
        for (int i = 0; i < PIXELS; i++)
            most = ((uint8_t *)digit.p)[i] > most ? ((uint8_t *)digit.p)[i] : most;
        CHECK_INT(most, did.empty ? 0 : 255);
        CHECK(guard_free(image));
        CHECK(guard_free(digit));
    }
}

TESTS(size_place_and_ground_do_not_matter, what_is_prepared_stays_as_it_is,
      the_longer_side_is_20_and_the_mass_in_the_middle, channels_are_made_grey_and_alpha_is_laid_over_a_ground,
      colours_count_by_their_luminance, an_empty_page_is_empty, noise_of_the_paper_is_not_ink, light_does_not_matter,
      lines_and_specks_are_dropped, a_detached_bar_belongs_to_the_digit, doubtful_ink_is_reported,
      an_empty_photograph_is_empty, memory_does_not_grow_with_the_picture, any_bytes_of_any_shape_are_taken)
