/* uclass: the general class of a character (Unicode 16.0), by a 2-stage table that uclass.py makes of the Unicode data. */
#ifndef LM_UCLASS_H
#define LM_UCLASS_H
#include "base/base.h"

/* Classes; the letters are 1-5. Space is White_Space, whatever its category. */
enum { LM_U_OTHER, LM_U_LU, LM_U_LT, LM_U_LM, LM_U_LO, LM_U_LL, LM_U_NUM, LM_U_SPACE, LM_U_MARK, LM_U_PUNCT };

extern const uint8_t lm_uclass_top[2048];
extern const char lm_uclass_leaf[][128];

static inline unsigned lm_uclass_raw(uint32_t cp)
{
    if (cp >= 0x40000)                             /* only E0000-E01FF hold anything: folded into plane 3 */
        cp = cp - 0xe0000 < 0x200 ? 0x3f000 + (cp & 0x1ff) : 0x3ff80;
    return (unsigned char)lm_uclass_leaf[lm_uclass_top[cp >> 7]][cp & 127];
}
static inline unsigned lm_uclass(uint32_t cp) { return lm_uclass_raw(cp) & 15; }   /* any cp, 0xFFFFFFFF too */
static inline bool lm_unfc(uint32_t cp) { return lm_uclass_raw(cp) & 64; }         /* NFC may change it, alone or where it stands */

#endif
