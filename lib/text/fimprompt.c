/* fimprompt: fill-in-the-middle prompts. Text inside the parts never becomes a special token. */
#include "text/fimprompt.h"

static int part(const lm_vocab *v, int role, lm_str text, lm_ids *out)
{
    uint32_t id = lm_vocab_role(v, role);

    if (id == LM_NO_ID)
        return lm_err(LM_EMISMATCH, "the vocabulary has no %s token", lm_role_name[role]);
    lm_ids_need(out, 1);
    out->v[out->n++] = id;
    return text.n ? lm_vocab_encode(v, text, out) : 0;
}

int lm_fim_prompt(const lm_vocab *v, lm_str prefix, lm_str suffix, int order, lm_ids *out)
{
    lm_str none = LM_STR("");
    int err = part(v, LM_ROLE_FIM_PRE, order == LM_FIM_PSM ? prefix : none, out);

    if (!err)
        err = part(v, LM_ROLE_FIM_SUF, suffix, out);
    if (!err)
        err = part(v, LM_ROLE_FIM_MID, order == LM_FIM_SPM ? prefix : none, out);
    return err;
}
