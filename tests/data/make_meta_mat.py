"""Makes labels/meta.mat and formats/structs*.mat (SciPy 1.17): MATLAB 5 struct arrays like that of ImageNet's devkit.

The devkit's own meta.mat is not ours to hand on. This one has its fields and, in place of its order of synsets, the
sorted one from behind.
"""

import pathlib

import numpy
import scipy.io

HERE = pathlib.Path(__file__).parent
FIELDS = ["ILSVRC2012_ID", "WNID", "words", "gloss", "num_children", "children", "wordnet_height", "num_train_images"]


def synsets():
    lines = (HERE.parent.parent / "zoo" / "imagenet1k_classes.txt").read_text().splitlines()
    return [line.split("\t")[0] for line in lines if not line.startswith("#")]


def structs(rows):
    array = numpy.zeros((len(rows), 1), dtype=[(name, object) for name in FIELDS])
    for i, row in enumerate(rows):
        for name, value in zip(FIELDS, row):
            array[name][i, 0] = value
    return {"synsets": array}


def row(number, synset, children=()):
    # MATLAB stores numbers in the smallest type that holds them; so are these.
    return (numpy.float64(number), synset, "w", "", numpy.uint8(len(children)),
            numpy.array(children, dtype=numpy.float64), numpy.uint8(0), numpy.uint16(1300))


def save(name, rows, deflated):
    (HERE / name).parent.mkdir(exist_ok=True)
    scipy.io.savemat(HERE / name, structs(rows), do_compression=deflated)


def main():
    leaves = [row(i + 1, synset) for i, synset in enumerate(reversed(synsets()))]
    groups = [row(1001, "n00001740", [1, 2, 3]), row(1002, "n00001930", [4, 1001])]
    save("labels/meta.mat", leaves + groups, True)
    few = [row(1, "n02119789"), row(2, "n02100735"), groups[0]]
    save("formats/structs.mat", few, False)
    save("formats/structs_deflated.mat", few, True)


if __name__ == "__main__":
    main()
