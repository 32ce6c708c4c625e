"""The neural core against transformers: logits, gradients, AdamW steps, directories, greedy text.
Usage: nn.py PROGRAM SCRATCH; prints TAP."""
import os
import subprocess
import sys

import numpy as np
import torch
from transformers import AutoModelForCausalLM, LlamaConfig, Qwen3Config

PROG, TMP = sys.argv[1], sys.argv[2]
torch.set_num_threads(1)
torch.manual_seed(3)
count = 0


def ok(good, name, note=''):
    global count
    count += 1
    print(f"{'' if good else 'not '}ok {count} - {name}" + (f'  # {note}' if note else ''), flush=True)


def run(*args, data=b'', **env):
    return subprocess.run([PROG, *map(str, args)], input=data, env={**os.environ, **env}, check=True,
                          stdout=subprocess.PIPE).stdout


def make(name, cls, **kw):
    cfg = cls(vocab_size=97, num_hidden_layers=2, max_position_embeddings=256, initializer_range=0.1, **kw)
    model = AutoModelForCausalLM.from_config(cfg, attn_implementation='eager').float().eval()
    with torch.no_grad():                          # norms that are not all ones
        for p in model.parameters():
            if p.dim() == 1:
                p.mul_(1 + 0.2 * torch.randn_like(p))
    model.save_pretrained(f'{TMP}/{name}')
    return model


def documents(rows, seq, gen):
    """Starts of documents, and the masks and positions transformers needs for the same."""
    start = np.zeros((rows, seq), np.uint32)
    for r in range(rows):
        for cut in sorted(gen.choice(np.arange(1, seq), size=3, replace=False)):
            start[r, cut:] = cut
    pos = np.arange(seq)[None] - start
    see = np.arange(seq)
    mask = (see[None, None, :] <= see[None, :, None]) & (see[None, None, :] >= start[:, :, None])
    add = torch.where(torch.tensor(mask)[:, None], 0.0, torch.finfo(torch.float32).min)
    return start, torch.tensor(pos.astype(np.int64)), add


def prefixes(start, gen):
    """Last tokens seen where the front of each document sees itself whole, and the mask for it."""
    rows, seq = start.shape
    end = np.tile(np.arange(seq, dtype=np.uint32), (rows, 1))
    for r in range(rows):
        cuts = [*np.unique(start[r]), seq]
        for b, e in zip(cuts, cuts[1:]):
            p = int(gen.integers(0, e - b + 1))
            end[r, b:b + p] = b + p - 1
    see = np.arange(seq)
    mask = (see[None, None, :] <= end[:, :, None]) & (see[None, None, :] >= start[:, :, None])
    return end, torch.where(torch.tensor(mask)[:, None], 0.0, torch.finfo(torch.float32).min)


def grads(blob, names):
    loss, out, at = np.frombuffer(blob, np.float64, 1)[0], {}, 8
    for _ in names:
        end = blob.index(b'\n', at)
        name, n = blob[at:end].decode().split()
        out[name] = np.frombuffer(blob, np.float32, int(n), end + 1)
        at = end + 1 + 4 * int(n)
    return loss, out


def one(name, model):
    gen = np.random.default_rng(5)
    rows, seq, path = 3, 150, f'{TMP}/{name}'
    ids = gen.integers(0, 97, (rows, seq)).astype(np.uint32)
    target = gen.integers(0, 97, (rows, seq)).astype(np.uint32)
    weight = (gen.random((rows, seq)) < 0.8).astype(np.uint8)
    names = [n for n, _ in model.named_parameters()]
    for kind in ('plain', 'documents', 'prefixes'):
        start, pos, add = documents(rows, seq, gen)
        end = np.tile(np.arange(seq, dtype=np.uint32), (rows, 1))
        if kind == 'prefixes':
            end, add = prefixes(start, gen)
        kw = dict(input_ids=torch.tensor(ids.astype(np.int64)))
        if kind != 'plain':
            kw.update(position_ids=pos, attention_mask=add)
        else:
            start = np.zeros_like(start)
        ours = np.frombuffer(run('logits', path, rows, seq, data=ids.tobytes() + start.tobytes() + end.tobytes()),
                             np.float32)
        model.zero_grad()
        theirs = model(**kw).logits
        worst = np.abs(ours.reshape(rows, seq, -1) - theirs.detach().numpy()).max()
        ok(worst <= 1e-5, f'{name}, {kind}: logits', f'worst {worst:.2e}')
        w = torch.tensor(weight.astype(np.float32))
        ce = torch.nn.functional.cross_entropy(theirs.reshape(-1, 97), torch.tensor(target.reshape(-1).astype(np.int64)),
                                               reduction='none')
        (ce * w.reshape(-1)).sum().div(rows * seq).backward()
        data = ids.tobytes() + start.tobytes() + end.tobytes() + target.tobytes() + weight.tobytes()
        loss, g = grads(run('grads', path, rows, seq, data=data), names)
        want = float((ce * w.reshape(-1)).sum() / w.sum())
        ok(abs(loss - want) < 1e-6 * want, f'{name}, {kind}: loss', f'{loss:.7f} against {want:.7f}')
        worst = 0
        for n, p in model.named_parameters():
            d = np.linalg.norm(g[n] - p.grad.numpy().reshape(-1)) / np.linalg.norm(p.grad.numpy())
            worst = max(worst, d)
        ok(worst <= 1e-5, f'{name}, {kind}: gradients', f'worst relative L2 {worst:.2e}')
        two = run('grads', path, rows, seq, data=data, LM_THREADS='2')
        ok(two == run('grads', path, rows, seq, data=data, LM_THREADS='1'), f'{name}, {kind}: one thread = two threads')
        _, b = grads(run('grads', path, rows, seq, data=data, LM_DT='bf16'), names)
        cos = min(float(np.dot(b[n], g[n]) / np.linalg.norm(b[n]) / np.linalg.norm(g[n])) for n in names)
        ok(cos >= 0.999, f'{name}, {kind}: bf16 gradients', f'least cosine {cos:.6f}')
    steps(name, model, path, ids, target, weight, rows, seq)
    greedy(name, model, path)


def steps(name, model, path, ids, target, weight, rows, seq):
    start = np.zeros((rows, seq), np.uint32)
    end = np.tile(np.arange(seq, dtype=np.uint32), (rows, 1))
    data = ids.tobytes() + start.tobytes() + end.tobytes() + target.tobytes() + weight.tobytes()
    ours = np.frombuffer(run('steps', path, rows, seq, 20, 1e-3, data=data), np.float64)
    copy = AutoModelForCausalLM.from_pretrained(path, attn_implementation='eager').float()
    mats = [p for p in copy.parameters() if p.dim() == 2]
    opt = torch.optim.AdamW([dict(params=mats, weight_decay=.1),
                             dict(params=[p for p in copy.parameters() if p.dim() != 2], weight_decay=0)],
                            lr=1e-3, betas=(.9, .95), eps=1e-8)
    w, theirs = torch.tensor(weight.astype(np.float32)).reshape(-1), []
    for _ in range(20):
        logits = copy(input_ids=torch.tensor(ids.astype(np.int64))).logits
        ce = torch.nn.functional.cross_entropy(logits.reshape(-1, 97), torch.tensor(target.reshape(-1).astype(np.int64)),
                                               reduction='none')
        loss = (ce * w).sum() / w.sum()
        opt.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(copy.parameters(), 1.0)
        opt.step()
        theirs.append(loss.item())
    worst = np.abs(ours - np.array(theirs)).max()
    ok(worst <= 1e-5 * max(1, theirs[0]), f'{name}: 20 steps of AdamW', f'worst loss difference {worst:.2e}')


def greedy(name, model, path):
    prompt = torch.randint(0, 97, (1, 70))
    with torch.no_grad():
        want = model.generate(prompt, attention_mask=torch.ones_like(prompt), max_new_tokens=60, do_sample=False,
                              eos_token_id=None, pad_token_id=0)[0, 70:].numpy()
    data = prompt[0].numpy().astype(np.uint32).tobytes()
    outs = {c: run('greedy', path, 60, c, data=data) for c in (1, 16, 512)}
    ok(np.array_equal(np.frombuffer(outs[1], np.uint32), want), f'{name}: greedy text')
    ok(len(set(outs.values())) == 1, f'{name}: prefill by 1, 16 and 512 gives the same')


one('qwen3', make('qwen3', Qwen3Config, hidden_size=48, intermediate_size=90, num_attention_heads=4, num_key_value_heads=2,
                  head_dim=16, tie_word_embeddings=True))
one('llama', make('llama', LlamaConfig, hidden_size=60, intermediate_size=77, num_attention_heads=6, num_key_value_heads=3,
                  tie_word_embeddings=False, rope_parameters=dict(rope_type='llama3', rope_theta=50000.0, factor=4.0,
                  low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=64)))
for fam in ('qwen3', 'llama'):
    for dt in ('f32', 'bf16'):
        path = f'{TMP}/ours-{fam}-{dt}'
        os.makedirs(path)
        run('init', fam, dt, path, LM_DT=dt)
        theirs = AutoModelForCausalLM.from_pretrained(path, attn_implementation='eager')
        ids = torch.randint(0, 131, (2, 100))
        data = ids.numpy().astype(np.uint32).tobytes() + bytes(4 * 200) + np.tile(np.arange(100, dtype=np.uint32), 2).tobytes()
        ours = np.frombuffer(run('logits', path, 2, 100, data=data, LM_DT='f32'), np.float32)
        with torch.no_grad():
            worst = np.abs(ours.reshape(2, 100, -1) - theirs.float()(ids).logits.numpy()).max()
        ok(worst <= 1e-5, f'our {fam} {dt} directory loads in transformers', f'worst {worst:.2e}')
        os.makedirs(path + '-2')
        run('save', path, path + '-2')
        same = all(open(f'{path}/{f}', 'rb').read() == open(f'{path}-2/{f}', 'rb').read() for f in os.listdir(path))
        ok(same, f'our {fam} {dt} directory, loaded and saved, is the same')
print(f'1..{count}')
