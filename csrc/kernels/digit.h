/* digit.h -- converts a picture of a digit to MNIST's format: 28 x 28, light on dark, scaled to a 20 x 20 box, centred
 * by mass.  Source: Y. LeCun et al., "Gradient-based learning applied to document recognition", 1998. */
#ifndef PN_KERNELS_DIGIT_H
#define PN_KERNELS_DIGIT_H

#include "pn.h"

enum { PN_DIGIT_SIDE = 28, PN_DIGIT_BOX = 20 };

/* The steps that were applied; if it is empty, no other field is set. */
typedef struct pn_digit {
    bool empty;                        /* nothing stands out, or there are no pixels: the result is all 0 */
    bool transparent;                  /* it had transparent pixels, which were given a background */
    bool inverted;                     /* it was dark on light */
    bool uneven;                       /* the paper was uneven, and was divided out */
    bool touches;                      /* the ink touches the border */
    bool several;                      /* there is another mark of a size that may be a digit */
    bool faint;                        /* the ink hardly stands out */
    int contrast;                      /* the ink's, of 255 */
    pn_index top, left, height, width; /* the ink's box in the picture */
    int row, column, rows, columns;    /* its position in the result: at most 20 x 20 */
} pn_digit;

/* The bytes of scratch: bounded, however large the picture. */
size_t pn_digit_scratch(pn_index H, pn_index W);

/* image: (H, W, channels): grey; grey and alpha; red, green, blue; or these and alpha.  scratch: aligned as PN_ALIGN.
 * digit: 28 x 28, written whole.  Cannot fail, allocates nothing, and works alone. */
void pn_digit_prepare(const uint8_t *image, pn_index H, pn_index W, int channels, void *scratch, uint8_t *digit,
                      pn_digit *did);

#endif
