"""A graph attention network that tells the two sides of a karate club that fell apart.

It sees who met whom, and the side of two members only: the instructor and the president.
W. W. Zachary, An Information Flow Model for Conflict and Fission in Small Groups, Journal of
Anthropological Research 33, 1977; P. Veličković and others, Graph Attention Networks, 2018,
arXiv:1710.10903.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from common import BLUE, GREY, ORANGE, Training, arguments, draw_losses, panels
from torch import Tensor, nn

# For each member from 1 on, those with a higher number whom he met outside the club.
MET = """2 3 4 5 6 7 8 9 11 12 13 14 18 20 22 32; 3 4 8 14 18 20 22 31; 4 8 9 10 14 28 29 33;
8 13 14; 7 11; 7 11 17; 17; ; 31 33 34; 34; ; ; ; 34; 33 34; 33 34; ; ; 33 34; 34; 33 34; ;
33 34; 26 28 30 33 34; 26 28 32; 32; 30 34; 34; 32 34; 33 34; 33 34; 33 34; 34; """
# Whom they sided with; member 9 sided with the president, and yet joined the instructor's new club.
WITH_THE_INSTRUCTOR = {1, 2, 3, 4, 5, 6, 7, 8, 11, 12, 13, 14, 17, 18, 20, 22}
MEMBERS, INSTRUCTOR, PRESIDENT = 34, 0, 33


def ties() -> Tensor:
    """Return pairs ``(2, 78)`` of members who met."""
    pairs = [
        (member, int(other) - 1)
        for member, others in enumerate(MET.split(";"))
        for other in others.split()
    ]
    return torch.tensor(pairs).T


class Attention(nn.Module):
    """Each node takes from its neighbours what it finds worth its attention, in several heads."""

    def __init__(self, size: int, out: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.values = nn.Linear(size, heads * out, bias=False)
        self.gives = nn.Parameter(torch.empty(heads, out))
        self.takes = nn.Parameter(torch.empty(heads, out))
        nn.init.xavier_uniform_(self.gives)
        nn.init.xavier_uniform_(self.takes)

    def forward(self, nodes: Tensor, linked: Tensor) -> tuple[Tensor, Tensor]:
        """Map nodes ``(n, size)`` to ``(n, heads * out)``, and tell who attended to whom."""
        values = self.values(nodes).unflatten(1, (self.heads, -1))
        gives = torch.einsum("nho,ho->hn", values, self.gives)
        takes = torch.einsum("nho,ho->hn", values, self.takes)
        scores = F.leaky_relu(takes.unsqueeze(2) + gives.unsqueeze(1), 0.2)
        weights = scores.masked_fill(~linked, -torch.inf).softmax(dim=-1)
        return torch.einsum("hnm,mho->nho", weights, values).flatten(1), weights


class Network(nn.Module):
    """Two layers of attention over nodes that are known by their number alone."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = Attention(MEMBERS, 8, heads=4), Attention(32, 2, heads=1)

    def forward(self, linked: Tensor) -> tuple[Tensor, Tensor]:
        """Return scores ``(n, 2)`` of the two sides, and the attention of the last layer."""
        nodes = F.dropout(torch.eye(MEMBERS), 0.2, self.training)
        hidden, _ = self.first(nodes, linked)
        scores, weights = self.second(F.elu(hidden), linked)
        return scores, weights[0]


def main() -> None:
    """Train on two members, and ask about all."""
    options = arguments(__doc__, steps=100)
    torch.manual_seed(options.seed)
    edges = ties()
    linked = torch.eye(MEMBERS, dtype=torch.bool)
    linked[edges[0], edges[1]] = linked[edges[1], edges[0]] = True
    sides = torch.tensor([int(m not in WITH_THE_INSTRUCTOR) for m in range(1, MEMBERS + 1)])
    known = torch.tensor([INSTRUCTOR, PRESIDENT])
    model = Network()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2, weight_decay=5e-4)
    training = Training(options.steps)
    for _ in training:
        scores, _ = model(linked)
        loss = F.cross_entropy(scores[known], sides[known])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        training.report(loss.item())
    model.eval()
    scores, weights = model(linked)
    right = scores.argmax(dim=1) == sides
    right[known] = False
    print(f"held-out members told right: {right.sum().item()} of {MEMBERS - len(known)}")
    if options.plot:
        draw(options.plot, training, edges, linked, scores.detach(), sides, weights.detach())


def draw(
    filename: str, training: Training, edges: Tensor, linked: Tensor, scores: Tensor,
    sides: Tensor, weights: Tensor,
) -> None:  # fmt: skip
    """Draw the losses, and the club: its sides in color, as told (fill) and as they were (rim)."""
    figure, (left, right) = panels(2, "Loss", "Sides: as told (fill), as they were (rim)")
    draw_losses(left, training)
    met = linked.float().fill_diagonal_(0)
    degree = met.sum(1)
    _, modes = torch.linalg.eigh(torch.eye(MEMBERS) - met / (degree.outer(degree)).sqrt())
    x, y = modes[:, 1].tolist(), modes[:, 2].tolist()
    for a, b in edges.T.tolist():
        strength = 0.4 + 4 * max(weights[a, b].item(), weights[b, a].item())
        right.plot([x[a], x[b]], [y[a], y[b]], color=GREY, alpha=0.4, linewidth=strength)
    told = [(BLUE, ORANGE)[side] for side in scores.argmax(dim=1).tolist()]
    true = [(BLUE, ORANGE)[side] for side in sides.tolist()]
    right.scatter(x, y, c=told, edgecolors=true, linewidths=2.5, s=110, zorder=3)
    for member in range(MEMBERS):
        right.text(x[member], y[member], str(member + 1), color="white", fontsize=6.5,
                   ha="center", va="center", zorder=4)  # fmt: skip
    right.axis("off")
    figure.savefig(filename)


if __name__ == "__main__":
    main()
