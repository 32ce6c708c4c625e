"""Ids of lm-tok against PyPI tokenizers, both with the same tokenizer.json.

    python tok_ids.py DOCS.lm IDS.lm TOKENIZER_JSON

IDS.lm is what `lm-tok --special parse --eos off` made of DOCS.lm. Documents that are not UTF-8 have no
counterpart there and are counted. Prints one line; exit 1 at the first other id.
"""

import sys

from lmrec import compare
from tokenizers import Tokenizer

docs, ids, path = sys.argv[1:]
tok = Tokenizer.from_file(path)
compare(
    docs, ids, lambda texts: [e.ids for e in tok.encode_batch([t.decode() for t in texts], add_special_tokens=False)]
)
