"""Make labels/knn.json: votes of weighted k-NN, by DINO's rule (facebookresearch/dino, eval_knn.py: knn_classifier), in NumPy.

usage: python make_knn_cases.py OUT.json     (needs numpy)
"""
import json
import sys

import numpy as np

K, TEMPERATURE = 20, 0.07


def made_features(count, width, state):
    values = []
    for _ in range(count * width):
        state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
        values.append((state >> 33) % 201 - 100)
    return np.array(values, np.float64).reshape(count, width)


def normalized(x):
    return x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-12)


def case(train, width, classes, queries):
    labels = np.arange(train) * 7 % classes
    similarity = normalized(made_features(queries, width, 2)) @ normalized(made_features(train, width, 1)).T
    votes = np.zeros((queries, classes))
    for row, cosines in zip(votes, similarity):
        for i in np.argsort(-cosines, kind="stable")[:K]:
            row[labels[i]] += np.exp(cosines[i] / TEMPERATURE)
    return {"train": train, "width": width, "classes": classes, "votes": votes.tolist()}


if __name__ == "__main__":
    with open(sys.argv[1], "w") as out:
        json.dump({"cases": [case(5, 3, 3, 2), case(300, 16, 7, 3), case(9001, 8, 5, 4)]}, out)
        out.write("\n")
