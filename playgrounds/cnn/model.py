"""A miniature of a famous convolutional net learns digits beside a twin that lacks, or has, the net's idea."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Annotated, Literal, NamedTuple

import numpy as np

from playgrounds import kit
from playgrounds._miniatures import INPUT, MARGIN, SIDE, TEST, Idea, Inside, data, inside, miniature, net_of, place
from playgrounds._nets import Row, alexnet, count, googlenet, lenet, total, vgg16
from playgrounds.kit import Metric, knob
from playgrounds.kit.forms import pixels
from playgrounds.kit.nn import he_std, softmax
from playgrounds.kit.training import kept, remembered

IMAGE = (3, 224, 224)  # what the nets read that were made for ImageNet
BATCH, STATES = 32, 40  # digits per step of Adam; states of a run, about
NETS = ("LeNet-5", "AlexNet", "VGG-16", "GoogLeNet")


class Params(kit.Params):
    net: Literal[NETS] = knob("LeNet-5", label="Net")
    layers: Literal["convolutional", "dense"] = knob(
        "convolutional",
        label="Layers",
        help="dense: about as many weights, none of them shared",
        when=lambda p: p.net == "LeNet-5",
    )
    activation: Literal["ReLU", "tanh", "sigmoid"] = knob("ReLU", label="Activation", when=lambda p: p.net == "AlexNet")
    dropout: float = knob(
        0.0,
        0.0,
        0.8,
        label="Dropout",
        step=0.1,
        help="of the inputs of its two hidden dense layers",
        when=lambda p: p.net == "AlexNet",
    )
    augment: bool = knob(
        False,
        label="Data augmentation",
        help="in every batch each digit is moved to a new place",
        more=True,
        when=lambda p: p.net == "AlexNet",
    )
    differs: Literal["activation", "dropout", "augmentation"] = knob(
        "activation",
        label="Twin differs in",
        help="ReLU against sigmoid, dropout against none, moved anew or not",
        when=lambda p: p.net == "AlexNet",
    )
    filters: Literal["3×3 stack", "one large"] = knob("3×3 stack", label="Filters", when=lambda p: p.net == "VGG-16")
    stack: int = knob(
        3,
        2,
        3,
        label="3×3 layers in the stack",
        help="two see 5×5, three see 7×7, as one large filter does",
        when=lambda p: p.net == "VGG-16",
    )
    cut: int = knob(
        4,
        0,
        8,
        label="Channels after the 1×1 cut",
        help="of 16, before the 3×3 and the 5×5 filters; 0: no 1×1 cut",
        when=lambda p: p.net == "GoogLeNet",
    )
    shift: int = knob(2, 0, 2, label="Digits moved by up to", help="pixels, in both directions, in training and test")
    drawing: str = knob("", SIDE, SIDE, form="drawing", label="Draw a digit", help="empty: a test digit is shown")
    shown: int = knob(0, 0, TEST - 1, label="Test digit shown", when=lambda p: not p.drawing)
    seed: int = knob(1, 0, 9999, label="Seed", help="decides first weights, which digits train, where they lie")
    version: Literal["published", "today"] = knob(
        "published",
        label="Published net",
        more=True,
        help="today: LeNet as in tutorials, AlexNet and GoogLeNet as in torchvision",
    )
    padding: int = knob(
        2,
        0,
        3,
        label="Padding P of the first layer",
        help="of the published AlexNet, 224 pixels wide",
        more=True,
        when=lambda p: p.net == "AlexNet",
    )
    heads: bool = knob(
        False,
        label="Auxiliary heads",
        help="two classifiers half-way up, thrown away after training",
        more=True,
        when=lambda p: p.net == "GoogLeNet",
    )
    digits: int = knob(800, 50, 1200, label="Training digits", step=50, more=True)
    rate: float = knob(0.01, 0.001, 0.05, label="Learning rate η", help="largest of a one-cycle", log=True, more=True)
    steps: int = knob(280, 20, 400, label="Steps", help=f"of Adam, {BATCH} digits each", step=20, more=True)

    @property
    def length(self) -> int:
        return len(kept(self.steps, STATES))


class State(NamedTuple):
    step: int
    loss: Annotated[float, Metric("training loss", digits=4)]  # mean over the batches since the state before
    accuracy: Annotated[float, Metric("right on new digits", "%", shown=True)]
    twin_loss: Annotated[float, Metric("training loss of the twin", digits=4)]
    twin_accuracy: Annotated[float, Metric("right on new digits, twin", "%", shown=True)]
    says: Annotated[int, Metric("class given to the shown digit")]
    confidence: Annotated[float, Metric("probability of that class", "%")]
    parameters: Annotated[int, Metric("parameters of the miniature", "count")]
    twin_parameters: Annotated[int, Metric("parameters of the twin", "count")]
    multiplications: Annotated[int, Metric("multiplications of the miniature for one digit", "count")]
    twin_multiplications: Annotated[int, Metric("multiplications of the twin for one digit", "count")]
    published_parameters: Annotated[int, Metric("parameters, published net", "count", shown=True)]
    published_multiplications: Annotated[int, Metric("multiplications of the published net", "count")]
    dense_share: Annotated[float, Metric("of the published parameters, in dense layers", "%")]
    fit: float  # share right of the batches since the state before, in training
    twin_fit: float
    label: int | None  # what the shown digit is; None: nobody knows, the reader has drawn it
    scores: np.ndarray  # (2, 10) logits of both for the shown digit
    image: np.ndarray  # (FIELD, FIELD) the shown digit
    inside: Inside  # the miniature while it reads the digit
    twin_inside: Inside


def published(p: Params) -> list[Row]:
    """The large net's rows, without its idea where the miniature is without it."""
    today = p.version == "today"
    if p.net == "LeNet-5":
        return count(lenet(today, all_dense=p.layers == "dense"), (1, 32, 32))
    if p.net == "AlexNet":
        return count(alexnet(today, p.padding), IMAGE)
    if p.net == "VGG-16":
        return count(vgg16(large=p.filters == "one large"), IMAGE)
    return count(googlenet(today, cuts=p.cut > 0, heads=p.heads), IMAGE, norm=today)


def pair(p: Params) -> tuple[Idea, Idea]:
    """The miniature as the reader has set it, and its twin."""
    if p.net == "LeNet-5":
        yours = Idea(p.net, dense=p.layers == "dense")
        return yours, yours._replace(dense=not yours.dense)
    if p.net == "VGG-16":
        yours = Idea(p.net, stack=p.stack, large=p.filters == "one large")
        return yours, yours._replace(large=not yours.large)
    if p.net == "GoogLeNet":
        return Idea(p.net, cut=p.cut), Idea(p.net, cut=0 if p.cut else 4)
    yours = Idea(p.net, activation=p.activation, dropout=p.dropout, augment=p.augment)
    if p.differs == "activation":
        return yours, yours._replace(activation="sigmoid" if p.activation == "ReLU" else "ReLU")
    if p.differs == "dropout":
        return yours, yours._replace(dropout=0.0 if p.dropout else 0.5)
    return yours, yours._replace(augment=not p.augment)


class Snapshot(NamedTuple):
    step: int
    loss: float
    fit: float
    accuracy: float
    weights: list  # tensors in the order of the module's parameters


@remembered
def training(idea: Idea, shift: int, digits: int, rate: float, steps: int, seed: int) -> Iterator[Snapshot]:
    """Train a miniature with Adam and a one-cycle rate; a snapshot at each step that is kept."""
    import torch

    torch.set_num_threads(1)  # so small a net is faster on one
    cross_entropy = torch.nn.functional.cross_entropy
    images, labels, x_test, y_test, rng = data(shift, digits, seed)
    fast = torch.channels_last  # the faster layout for maps of few pixels
    x, y = torch.from_numpy(place(images, shift, rng)).to(memory_format=fast), torch.from_numpy(labels)
    others, their_labels = torch.from_numpy(x_test).to(memory_format=fast), torch.from_numpy(y_test)
    net = net_of(idea)
    for w in net.parameters():  # He et al. 2015; biases 0
        first = rng.normal(0, he_std(w[0].numel()), w.shape) if w.ndim > 1 else np.zeros(w.shape)
        w.data = torch.tensor(first, dtype=torch.float32)
    net.to(memory_format=fast)
    optimizer = torch.optim.Adam(net.parameters(), lr=rate, fused=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, total_steps=steps)
    epochs = [rng.permutation(digits) for _ in range((steps + 1) * BATCH // digits + 1)]
    batches = np.concatenate(epochs)[: (steps + 1) * BATCH].reshape(steps + 1, BATCH)

    def snapshot(step: int, losses: list[float], right: list[float]) -> Snapshot:
        net.eval()  # without dropout
        with torch.no_grad():
            accuracy = int((net(others).argmax(dim=1) == their_labels).sum()) / TEST
        net.train()
        weights = [w.detach().clone() for w in net.parameters()]
        return Snapshot(step, float(np.mean(losses)), float(np.mean(right)), accuracy, weights)

    # The losses of a state are those of the batches since the last one: they cost nothing more. The first state's is
    # that of a batch that nobody learns from.
    net.eval()
    with torch.no_grad():
        z, seen = net(x[batches[0]]), y[batches[0]]
    yield snapshot(0, [float(cross_entropy(z, seen))], [float((z.argmax(dim=1) == seen).float().mean())])
    for low, high in pairwise(kept(steps, STATES)):
        losses, right = [], []
        with torch.random.fork_rng(devices=[]):  # dropout draws from torch's own generator
            torch.manual_seed(seed * 1000 + low)
            for at in batches[low + 1 : high + 1]:
                z = net(torch.from_numpy(place(images[at], shift, rng)) if idea.augment else x[at])
                loss = cross_entropy(z, y[at])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                schedule.step()
                losses.append(loss.item())
                right.append(float((z.detach().argmax(dim=1) == y[at]).float().mean()))
        yield snapshot(high, losses, right)


def run(p: Params) -> Iterator[State]:
    """The miniature and its twin learn side by side; both are asked about the shown digit at every state."""
    digits = data(p.shift, p.digits, p.seed)
    image, label = digits.x_test[p.shown, 0], int(digits.y_test[p.shown])
    if p.drawing:
        image, label = np.pad(pixels(p.drawing, SIDE), MARGIN).astype(np.float32), None
    yours, twin = pair(p)
    cost, twin_cost = total(count(miniature(yours), INPUT)), total(count(miniature(twin), INPUT))
    large = published(p)
    large_cost = total(large)
    net, twin_net = net_of(yours).eval(), net_of(twin).eval()
    plan = p.shift, p.digits, p.rate, p.steps, p.seed
    for now, other in zip(training(yours, *plan), training(twin, *plan), strict=True):
        for w, value in zip([*net.parameters(), *twin_net.parameters()], now.weights + other.weights, strict=True):
            w.data = value
        seen, twin_seen = inside(net, image), inside(twin_net, image)
        scores, twin_scores = seen.layers[-1].ravel(), twin_seen.layers[-1].ravel()
        probabilities = softmax(scores)
        says = int(probabilities.argmax())
        yield State(
            step=now.step,
            loss=now.loss,
            accuracy=now.accuracy,
            twin_loss=other.loss,
            twin_accuracy=other.accuracy,
            says=says,
            confidence=float(probabilities[says]),
            parameters=cost.parameters,
            twin_parameters=twin_cost.parameters,
            multiplications=cost.multiplications,
            twin_multiplications=twin_cost.multiplications,
            published_parameters=large_cost.parameters,
            published_multiplications=large_cost.multiplications,
            dense_share=sum(row.dense for row in large) / large_cost.parameters,
            fit=now.fit,
            twin_fit=other.fit,
            label=label,
            scores=np.array([scores, twin_scores]),
            image=image,
            inside=seen,
            twin_inside=twin_seen,
        )
