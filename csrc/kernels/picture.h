/* picture.h -- the grey levels of a picture of 1 to 4 channels, with or without transparency. */
#ifndef PN_KERNELS_PICTURE_H
#define PN_KERNELS_PICTURE_H

#include "pn.h"

typedef struct pn_picture {
    const uint8_t *image; /* (H, W, channels): grey; grey and alpha; red, green, blue; or these and alpha */
    pn_index H, W;
    int channels;
    unsigned behind; /* the level of what shows through transparent pixels */
    bool inverted;   /* levels count from white */
} pn_picture;

/* Chooses what is behind transparent pixels; false if every pixel is opaque. */
bool pn_picture_lay(pn_picture *p);

/* grey: (ceil(H / step), ceil(W / step)), the mean level of step x step pixels. */
void pn_picture_reduce(uint8_t *grey, const pn_picture *p, pn_index step);

static inline bool pn_picture_has_alpha(const pn_picture *p) { return p->channels % 2 == 0; }

/* Luminance (ITU-R BT.601); grey values are unchanged. */
static inline unsigned pn_picture_luminance(const pn_picture *p, const uint8_t *v)
{
    return p->channels < 3 ? v[0] : (299u * v[0] + 587u * v[1] + 114u * v[2] + 500) / 1000;
}

/* 0..255; transparent pixels show what is behind. */
static inline unsigned pn_picture_level(const pn_picture *p, pn_index y, pn_index x)
{
    const uint8_t *pixel = p->image + (y * p->W + x) * p->channels;
    unsigned v = pn_picture_luminance(p, pixel);
    if (pn_picture_has_alpha(p)) {
        const unsigned alpha = pixel[p->channels - 1];
        v = (alpha * v + (255 - alpha) * p->behind + 127) / 255;
    }
    return p->inverted ? 255 - v : v;
}

#endif
