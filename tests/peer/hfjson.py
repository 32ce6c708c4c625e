"""What the peer scripts know of a tokenizer.json: its patterns, its tokens as bytes."""

GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"


def byte_chars():
    """byte -> the character that stands for it (GPT-2's)"""
    good = [*range(33, 127), *range(161, 173), *range(174, 256)]
    chars = {b: chr(b) for b in good}
    chars.update({b: chr(256 + i) for i, b in enumerate(b for b in range(256) if b not in good)})
    return chars


def ranks(config):
    """bytes -> id of its ordinary tokens"""
    byte = {c: b for b, c in byte_chars().items()}
    return {bytes(byte[c] for c in token): i for token, i in config["model"]["vocab"].items()}


def patterns(config):
    """The patterns of its splits, in turn."""
    pre, out = config["pre_tokenizer"], []
    for p in pre.get("pretokenizers", [pre]):
        if p["type"] == "Split":
            assert p["behavior"] == "Isolated" and not p["invert"]
            out.append(p["pattern"]["Regex"])
        elif p["type"] == "Digits":
            out.append(r"\p{N}" if p["individual_digits"] else r"\p{N}+")
        elif p["use_regex"]:
            out.append(GPT2)
    return out


def tiktoken(config, pattern):
    import tiktoken

    return tiktoken.Encoding("ours", pat_str=pattern, mergeable_ranks=ranks(config), special_tokens={})
