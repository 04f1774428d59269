"""The parts of compare_peers.py, which says what it all is for.

environment  the Python environment, and what of it other processes need
models       random models as checkpoints, as ONNX files, and as PyTorch modules
worker       the process in which a peer runs
contenders   swinzoo and the peers, as objects that time calls
race         rounds of slices, and the figures that come out of them
comparison   swinzoo beside its peers; scaling, cold_start and clock are the other measurements
document     the machine's state, and Markdown
"""
