# PASS
from dataclasses import dataclass

@dataclass
class P:
    x: int = 1

def f():
    return P().x
