# What pictures do to a sequence, in float64: scan orders, sequences of text and picture, left padding, and the
# compressor of v7.03. Uses rwkv_reference.py; must not know towers, containers or our own code.
import numpy
from rwkv_reference import Weights, forward, layer_norm, run_blocks


def grid_order(scan, layer, rows, columns):
    """Row-major numbers of the cells of a grid in the order that `layer` sees them."""
    cells = numpy.arange(rows * columns).reshape(rows, columns)
    if scan == "bidirection":
        return cells.reshape(-1)[::-1] if layer % 2 else cells.reshape(-1)
    if scan == "multidirection":
        flat = (cells.T if layer % 4 >= 2 else cells).reshape(-1)
        return flat[::-1] if layer % 2 else flat
    if scan == "spiral":
        taken = []
        while cells.size:
            taken += list(cells[0])
            cells = numpy.rot90(cells[1:])
        return numpy.array(taken)
    if scan == "snake":
        return numpy.concatenate([row[::-1] if i % 2 else row for i, row in enumerate(cells)])
    if scan == "zigzag":
        taken = []
        for total in range(rows + columns - 1):
            diagonal = [(total - c, c) for c in range(columns) if 0 <= total - c < rows]
            # Even diagonals go upward, to the right; odd ones back down.
            taken += [cells[cell] for cell in (diagonal if total % 2 == 0 else diagonal[::-1])]
        return numpy.array(taken)
    assert scan == "row_major", scan
    return cells.reshape(-1)


def order_with(spans):
    """order_of for run_blocks from [(start, scan, rows, columns)]; rows outside the grids stay where they are."""

    def order_of(layer, length):
        order = numpy.arange(length)
        for start, scan, rows, columns in spans:
            order[start : start + rows * columns] = start + grid_order(scan, layer, rows, columns)
        return order

    return order_of


def run_parts(weights, parts):
    """
    A sequence of token lists, plain vectors and pictures from the zero state:
    {"tokens": [...]}, {"vectors": [K, D]}, {"vectors": ..., "scan": ..., "rows": ..., "columns": ...}.
    Returns (rows behind ln_out, logits of every position, states).
    """
    pieces, spans, at = [], [], 0
    for part in parts:
        if "tokens" in part:
            piece = weights["emb.weight"][numpy.asarray(part["tokens"], dtype=int)]
        else:
            piece = numpy.asarray(part["vectors"], dtype=numpy.float64)
            if "scan" in part:
                spans.append((at, part["scan"], part["rows"], part["columns"]))
        pieces.append(piece)
        at += len(piece)
    rows, states = forward(weights, numpy.concatenate(pieces), order_with(spans))
    return rows, rows @ weights["head.weight"].T, states


def left_padded(parts, token=261, multiple=16):
    """The official evaluator of v7: copies of a token in front, up to a multiple. Returns (parts, how many)."""
    length = sum(len(part["tokens"] if "tokens" in part else part["vectors"]) for part in parts)
    missing = -length % multiple
    return ([{"tokens": [token] * missing}] if missing else []) + list(parts), missing


def sandwich(question, vectors, scan, rows, columns, user, newline, end):
    """The "middle" sequence of v6.0: user, question, newline, picture, newline, question, end. All are token lists."""
    picture = {"vectors": vectors, "scan": scan, "rows": rows, "columns": columns}
    return [{"tokens": user + question + newline}, picture, {"tokens": newline + question + end}]


def pool_rows(x, count):
    """1-D adaptive average pooling."""
    n = len(x)
    return numpy.stack([x[i * n // count : -(-(i + 1) * n // count)].mean(0) for i in range(count)])


def compress(tensors, vectors, count, multiple=16, prefix="vtc."):
    """Vectors of a picture [K, D] → [count, D]: RWKV-7 blocks, odd ones backwards over the padded sequence."""
    weights = Weights(tensors, prefix)
    missing = -len(vectors) % multiple
    padded = numpy.concatenate([numpy.zeros((missing, vectors.shape[1])), numpy.asarray(vectors, numpy.float64)])
    x = layer_norm(padded, weights["blocks.0.ln0.weight"], weights["blocks.0.ln0.bias"])
    x, _ = run_blocks(weights, x, lambda layer, length: numpy.arange(length)[::-1] if layer % 2 else None)
    x = layer_norm(x, weights["ln_out.weight"], weights["ln_out.bias"])
    return pool_rows(x[missing:], count)
