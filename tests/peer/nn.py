"""The neural core against transformers: logits, gradients, AdamW steps, directories, greedy text.
Usage: nn.py PROGRAM SCRATCH; prints TAP."""
import json
import os
import subprocess
import sys
from copy import deepcopy

import numpy as np
import torch
import transformers
from transformers import AutoModelForCausalLM, GPT2Config, LlamaConfig, MptConfig, Qwen2Config, Qwen3Config
from transformers.models.mpt.modeling_mpt import MptAttention

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


SIZE = dict(vocab_size=97, initializer_range=0.1)
PLAIN = dict(SIZE, num_hidden_layers=2, max_position_embeddings=256)


def make(name, cfg, change=None):
    # eager attention of gpt2 looks at no mask but its own
    model = AutoModelForCausalLM.from_config(cfg, attn_implementation='sdpa' if name == 'gpt2' else 'eager').float().eval()
    if change:
        change(model)
    with torch.no_grad():                          # norms that are not all ones, biases that are not zero
        for n, p in model.named_parameters():
            if p.dim() == 1:
                p.mul_(1 + 0.2 * torch.randn_like(p))
                p.add_(0.1 * torch.randn_like(p) * n.endswith('bias'))
    model.save_pretrained(f'{TMP}/{name}')
    return model


class Foundry(MptAttention):
    """Attention as llm-foundry has it: what transformers' mpt reads and passes over."""

    def forward(self, hidden_states, position_bias, attention_mask=None, **_):
        b, t, d = hidden_states.shape
        q, k, v = self.Wqkv(hidden_states).clamp(-self.clip_qkv, self.clip_qkv).chunk(3, dim=2)
        q, k, v = (x.reshape(b, t, self.n_heads, -1).transpose(1, 2) for x in (self.q_ln(q), self.k_ln(k), v))
        s = q @ k.transpose(-1, -2) * self.softmax_scale
        s = self.cap * torch.tanh(s / self.cap) + position_bias[:, :, -t:]
        s = s.masked_fill(attention_mask, torch.finfo(s.dtype).min)
        return self.out_proj((torch.softmax(s, -1) @ v).transpose(1, 2).reshape(b, t, d)), None


def foundry(model):
    for block in model.transformer.blocks:
        block.attn.__class__, block.attn.cap = Foundry, 1.5
        for n in ('q_ln', 'k_ln'):
            ln = torch.nn.LayerNorm(model.config.d_model)
            ln.bias = None
            setattr(block.attn, n, ln)


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


def grads(blob):
    """The loss, and the gradients by the names and in the layout of the file."""
    loss, out, at = np.frombuffer(blob, np.float64, 1)[0], {}, 8
    while at < len(blob):
        end = blob.index(b'\n', at)
        name, n = blob[at:end].decode().split()
        out[name] = np.frombuffer(blob, np.float32, int(n), end + 1)
        at = end + 1 + 4 * int(n)
    for n in [n for n in out if '.attn.q.' in n]:
        q, k, v = (out.pop(n.replace('.q.', f'.{x}.')) for x in 'qkv')
        out[n.replace('attn.q.', 'attn.c_attn.' if '.h.' in n else 'attn.Wqkv.')] = np.concatenate((q, k, v))
    return loss, out


def lie(name, x):
    """A gradient of transformers as ours lie: Conv1D turned round."""
    x = x.numpy()
    return (x.T if '.h.' in name and x.ndim == 2 else x).reshape(-1)


def one(name, model):
    gen = np.random.default_rng(5)
    rows, seq, path = 3, 150, f'{TMP}/{name}'
    ids = gen.integers(0, 97, (rows, seq)).astype(np.uint32)
    target = gen.integers(0, 97, (rows, seq)).astype(np.uint32)
    weight = (gen.random((rows, seq)) < 0.8).astype(np.uint8)
    names = [n for n, _ in model.named_parameters()]
    for kind in ('plain', 'documents', 'prefixes')[:1 if 'window' in name else 3]:
        start, pos, add = documents(rows, seq, gen)
        end = np.tile(np.arange(seq, dtype=np.uint32), (rows, 1))
        if kind == 'prefixes':
            end, add = prefixes(start, gen)
        kw = dict(input_ids=torch.tensor(ids.astype(np.int64)))
        if kind != 'plain' and 'mpt' in name: # 4 took what is seen, 5 takes what is added
            kw.update(attention_mask=(add == 0).float() if transformers.__version__ < '5' else add)
        elif kind != 'plain':
            kw.update(position_ids=pos, attention_mask=add)
        else:
            start = np.zeros_like(start)
        ours = np.frombuffer(run('logits', path, rows, seq, data=ids.tobytes() + start.tobytes() + end.tobytes()),
                             np.float32)
        model.zero_grad()
        theirs = model(**kw).logits
        worst = np.abs(ours.reshape(rows, seq, -1) - theirs.detach().numpy()).max()
        ok(worst <= 1e-5, f'{name}, {kind}: logits', f'worst {worst:.2e}')
        half = np.frombuffer(run('logits', path, rows, seq, data=ids.tobytes() + start.tobytes() + end.tobytes(),
                                 LM_DT='bf16'), np.float32)
        worst = (half.reshape(rows, seq, -1) - theirs.detach().numpy()).__abs__().max() / theirs.detach().abs().max().item()
        ok(worst <= 2e-2, f'{name}, {kind}: bf16 logits', f'worst {worst:.2e} of the largest')
        w = torch.tensor(weight.astype(np.float32))
        ce = torch.nn.functional.cross_entropy(theirs.reshape(-1, 97), torch.tensor(target.reshape(-1).astype(np.int64)),
                                               reduction='none')
        (ce * w.reshape(-1)).sum().div(rows * seq).backward()
        data = ids.tobytes() + start.tobytes() + end.tobytes() + target.tobytes() + weight.tobytes()
        loss, g = grads(run('grads', path, rows, seq, data=data))
        want = float((ce * w.reshape(-1)).sum() / w.sum())
        ok(abs(loss - want) < 1e-6 * want, f'{name}, {kind}: loss', f'{loss:.7f} against {want:.7f}')
        worst = 0
        for n, p in model.named_parameters():
            d = np.linalg.norm(g[n] - lie(n, p.grad)) / np.linalg.norm(p.grad.numpy())
            worst = max(worst, d)
        ok(worst <= 1e-5, f'{name}, {kind}: gradients', f'worst relative L2 {worst:.2e}')
        two = run('grads', path, rows, seq, data=data, LM_THREADS='2')
        ok(two == run('grads', path, rows, seq, data=data, LM_THREADS='1'), f'{name}, {kind}: one thread = two threads')
        _, b = grads(run('grads', path, rows, seq, data=data, LM_DT='bf16'))
        cos = min(float(np.dot(b[n], g[n]) / np.linalg.norm(b[n]) / np.linalg.norm(g[n])) for n in names)
        ok(cos >= 0.999, f'{name}, {kind}: bf16 gradients', f'least cosine {cos:.6f}')
    steps(name, model, path, ids, target, weight, rows, seq)
    greedy(name, model, path)


def steps(name, model, path, ids, target, weight, rows, seq):
    start = np.zeros((rows, seq), np.uint32)
    end = np.tile(np.arange(seq, dtype=np.uint32), (rows, 1))
    data = ids.tobytes() + start.tobytes() + end.tobytes() + target.tobytes() + weight.tobytes()
    ours = np.frombuffer(run('steps', path, rows, seq, 20, 1e-3, data=data), np.float64)
    half = np.frombuffer(run('steps', path, rows, seq, 20, 1e-3, data=data, LM_DT='bf16'), np.float64)
    copy = deepcopy(model)
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
    ok(worst <= 1e-5, f'{name}: 20 steps of AdamW', f'worst loss difference {worst:.2e}')
    worst = np.abs(half - np.array(theirs)).max()
    ok(worst <= 5e-3, f'{name}: 20 steps of AdamW, bf16', f'worst loss difference {worst:.2e}')


def greedy(name, model, path):
    prompt = torch.randint(0, 97, (1, 70))
    with torch.no_grad():
        want = model.generate(prompt, attention_mask=torch.ones_like(prompt), max_new_tokens=60, do_sample=False,
                              use_cache='foundry' not in name, eos_token_id=None, pad_token_id=0)[0, 70:].numpy()
    data = prompt[0].numpy().astype(np.uint32).tobytes()
    outs = {c: run('greedy', path, 60, c, data=data) for c in (1, 16, 512)}
    ok(np.array_equal(np.frombuffer(outs[1], np.uint32), want), f'{name}: greedy text')
    ok(len(set(outs.values())) == 1, f'{name}: prefill by 1, 16 and 512 gives the same')


one('qwen3', make('qwen3', Qwen3Config(hidden_size=48, intermediate_size=90, num_attention_heads=4, num_key_value_heads=2,
                                       head_dim=16, tie_word_embeddings=True, **PLAIN)))
LLAMA = dict(PLAIN, hidden_size=60, intermediate_size=77, num_attention_heads=6, num_key_value_heads=3)
ROPE = dict(rope_type='llama3', factor=4.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=64)
ROPE = dict(rope_theta=50000.0, rope_scaling=ROPE) if transformers.__version__ < '5' else dict(
    rope_parameters=dict(ROPE, rope_theta=50000.0))
one('llama', make('llama', LlamaConfig(tie_word_embeddings=False, **ROPE, **LLAMA)))
one('llama-bias', make('llama-bias', LlamaConfig(attention_bias=True, mlp_bias=True, **LLAMA)))
one('qwen2', make('qwen2', Qwen2Config(tie_word_embeddings=True, **LLAMA)))
one('qwen2-window', make('qwen2-window', Qwen2Config(use_sliding_window=True, sliding_window=20, max_window_layers=1,
                                                    **LLAMA)))
one('gpt2', make('gpt2', GPT2Config(n_embd=60, n_layer=2, n_head=4, n_positions=256, **SIZE)))
MPT = dict(SIZE, d_model=72, n_layers=2, n_heads=6, max_seq_len=256)
one('mpt', make('mpt', MptConfig(attn_config=dict(clip_qkv=1.5), **MPT)))
model = make('mpt-foundry', MptConfig(attn_config=dict(clip_qkv=1.5, qk_ln=True), **MPT), foundry)
cfg = json.load(open(f'{TMP}/mpt-foundry/config.json'))
cfg['attn_config'].update(attn_logit_softcapping=1.5, qk_ln=True, clip_qkv=1.5)
json.dump(cfg, open(f'{TMP}/mpt-foundry/config.json', 'w'))
one('mpt-foundry', model)
for fam in ('qwen3', 'llama', 'qwen2', 'gpt2', 'mpt'):
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
