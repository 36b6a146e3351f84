/* picture.c -- grey levels: what is behind transparent pixels, and the picture at a reduced size. */
#include "kernels/picture.h"

#include <string.h>

/* If few pixels are opaque, or all have a single shade, they are the ink, and the background is the opposite shade;
 * else the picture has its own background, which is extended to transparent pixels. */
bool pn_picture_lay(pn_picture *p)
{
    uint64_t weight = 0, sum = 0;
    unsigned least = 255, most = 0;
    const pn_index n = p->H * p->W;
    for (pn_index i = 0; pn_picture_has_alpha(p) && i < n; i++) {
        const uint8_t *pixel = p->image + i * p->channels;
        const unsigned alpha = pixel[p->channels - 1], v = pn_picture_luminance(p, pixel);
        weight += alpha;
        sum += alpha * v;
        if (alpha >= 128) {
            least = v < least ? v : least;
            most = v > most ? v : most;
        }
    }
    const bool light = 2 * sum > 255 * weight, is_ink = 2 * weight < 255 * (uint64_t)n || most < least + 64;
    p->behind = light == is_ink ? 0 : 255;
    return pn_picture_has_alpha(p) && weight < 255 * (uint64_t)n;
}

static void copy_levels(uint8_t *grey, const pn_picture *p)
{
    if (p->channels == 1) {
        memcpy(grey, p->image, (size_t)(p->H * p->W));
        return;
    }
    for (pn_index y = 0; y < p->H; y++)
        for (pn_index x = 0; x < p->W; x++)
            grey[y * p->W + x] = (uint8_t)pn_picture_level(p, y, x);
}

void pn_picture_reduce(uint8_t *grey, const pn_picture *p, pn_index step)
{
    const pn_index w = pn_ceil_div(p->W, step);
    if (step == 1) {
        copy_levels(grey, p);
        return;
    }
    for (pn_index top = 0; top < p->H; top += step)
        for (pn_index left = 0; left < p->W; left += step) {
            const pn_index bottom = pn_min(top + step, p->H), right = pn_min(left + step, p->W);
            const uint64_t n = (uint64_t)((bottom - top) * (right - left));
            uint64_t sum = 0;
            for (pn_index y = top; y < bottom; y++)
                for (pn_index x = left; x < right; x++)
                    sum += pn_picture_level(p, y, x);
            grey[top / step * w + left / step] = (uint8_t)((sum + n / 2) / n);
        }
}
