"""The server loads no compiler it does not need, and trains as it would with it."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TRAIN = """
import sys
import torch
torch.manual_seed(0)
net = torch.nn.Linear(3, 1)
optimizer = torch.optim.Adam(net.parameters(), lr=0.1, fused=True)
for _ in range(3):
    optimizer.zero_grad()
    net(torch.ones(4, 3)).square().mean().backward()
    optimizer.step()
print([float(w).hex() for w in net.weight.flatten()], "sympy" in sys.modules)
"""


def printed(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_training_is_the_same_to_the_last_bit_and_loads_no_compiler():
    weights, loaded = printed(TRAIN).rsplit(" ", 1)
    assert loaded == "True", "torch has changed: playgrounds/stage/process.py is needed no longer"
    assert printed(f"import playgrounds.stage.process\n{TRAIN}") == f"{weights} False"


def test_it_is_in_force_before_numpy_is_there():
    code = "import os, sys\nos.environ.pop('OMP_NUM_THREADS', None)\nimport playgrounds.stage.process\n"
    assert printed(f"{code}print('numpy' in sys.modules, os.environ['OMP_NUM_THREADS'])") == "False 1"


def test_the_app_imports_it_first():
    source = (ROOT / "app.py").read_text(encoding="utf-8")
    assert source.index("import process") < source.index("import streamlit") < source.index("from pages import")
