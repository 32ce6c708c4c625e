"""The trainer of PyPI tokenizers, set up as ours is: byte level, all 256 bytes, a regular expression that cuts."""

import json

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers


def regex(config):
    """The pattern of one of our tokenizer.json."""
    return config["pre_tokenizer"]["pretokenizers"][0]["pattern"]["Regex"]


def train(pattern, size, run, least=0, specials=(), longest=None):
    """run(tokenizer, trainer) gives it its texts; returns the model as in tokenizer.json."""
    tok = Tokenizer(models.BPE())
    tok.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(pattern), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, trim_offsets=False, use_regex=False),
        ]
    )
    tok.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        min_frequency=least,
        show_progress=False,
        special_tokens=list(specials),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        max_token_length=longest,
    )
    run(tok, trainer)
    return json.loads(tok.to_str())["model"]


def saves_the_same(raw):
    """Whether it loads a tokenizer.json and saves it to the same bytes."""
    return Tokenizer.from_str(raw.decode()).to_str(pretty=True).encode() == raw
