"""
Wrong labels change the landscape
=================================

A network that predicts where three atoms relax to is trained on right labels, and on labels half of which are wrong.
Each graph has its own scale of the loss. The colours of both say how well a minimum predicts new data (testing AUC).
"""

from thalweg.analysis import DisconnectivityGraph, auc, plot_graphs
from thalweg.datasets import ljat3_outcomes, mislabel
from thalweg.landscapes import Landscape
from thalweg.potentials import NetworkLoss, Weights

clean, test = ljat3_outcomes("D1", size=1000, seed=0).halves()
graphs = {}
for share in (0.0, 0.5):
    train = mislabel(clean, share, seed=0)
    loss = NetworkLoss(train.inputs, train.labels, hidden=(4,), l2=1e-3, n_classes=4)
    store = f"noise_{share}.zarr"
    with Landscape(Weights.random(loss, seed=0), store, seed=0) as landscape:
        landscape.find_minima(steps=30)
        landscape.connect(searches=100)
        landscape.properties["test_auc"] = auc(landscape.minima, test, reference=0)
        lowest = landscape.minima.lowest()
    graphs[f"{share:.0%} wrong"] = DisconnectivityGraph(store, connected_to=lowest)

plot_graphs(graphs, colour="test_auc", same_energies=False)
