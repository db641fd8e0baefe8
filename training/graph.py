"""Write `rag/data/encoder.onnx`: the graph of a MiniLM encoder without its weights, which `rag/encoder.py` hands in.

    pip install onnx
    python -m training.graph

The graph is BERT's (Devlin et al. 2019) with 6 layers of 384 and 12 heads, in the fused operators of onnxruntime
(domain com.microsoft). Weights stand in it by name and shape only, as external data that is never read.
"""

from __future__ import annotations

from pathlib import Path

import onnx
from onnx import TensorProto, helper

from rag.encoder import EPSILON, GRAPH, HEADS, LAYERS, WIDTH, layer_names

INNER, WORDS, PLACES, TYPES = 1536, 30522, 512, 2
_TARGET = Path(__file__).resolve().parent.parent / "rag" / "data" / GRAPH


def encoder_graph() -> onnx.ModelProto:
    """Return the graph: ids, types and mask, each int32 of shape (batch, longest) → hidden states."""
    nodes: list[onnx.NodeProto] = []
    weights: dict[str, tuple[int, ...]] = {}

    def weight(name: str, *shape: int) -> str:
        weights[name] = shape
        return name

    def node(kind: str, inputs: list[str], outputs: list[str], **attributes: float) -> None:
        nodes.append(helper.make_node(kind, inputs, outputs, domain="com.microsoft", **attributes))

    embedded = [
        "ids",
        "types",
        weight("words", WORDS, WIDTH),
        weight("places", PLACES, WIDTH),
        weight("types_of", TYPES, WIDTH),
        weight("norm.weight", WIDTH),
        weight("norm.bias", WIDTH),
        "mask",
    ]
    node("EmbedLayerNormalization", embedded, ["hidden0", "lengths"], epsilon=EPSILON)
    for layer in range(LAYERS):
        own = layer_names(layer)
        node(
            "Attention",
            [f"hidden{layer}", weight(own.qkv, WIDTH, 3 * WIDTH), weight(own.qkv_bias, 3 * WIDTH), "mask"],
            [f"attended{layer}"],
            num_heads=HEADS,
        )
        nodes.append(helper.make_node("MatMul", [f"attended{layer}", weight(own.out, WIDTH, WIDTH)], [f"out{layer}"]))
        node(
            "SkipLayerNormalization",
            [f"out{layer}", f"hidden{layer}", weight(own.norm, WIDTH), weight(own.norm_bias, WIDTH),
             weight(own.out_bias, WIDTH)],
            [f"normed{layer}"],
            epsilon=EPSILON,
        )  # fmt: skip
        nodes.append(helper.make_node("MatMul", [f"normed{layer}", weight(own.up, WIDTH, INNER)], [f"up{layer}"]))
        node("BiasGelu", [f"up{layer}", weight(own.up_bias, INNER)], [f"active{layer}"])
        nodes.append(helper.make_node("MatMul", [f"active{layer}", weight(own.down, INNER, WIDTH)], [f"down{layer}"]))
        last = "hidden" if layer == LAYERS - 1 else f"hidden{layer + 1}"
        node(
            "SkipLayerNormalization",
            [f"down{layer}", f"normed{layer}", weight(own.norm2, WIDTH), weight(own.norm2_bias, WIDTH),
             weight(own.down_bias, WIDTH)],
            [last],
            epsilon=EPSILON,
        )  # fmt: skip
    tokens = ["batch", "longest"]
    graph = helper.make_graph(
        nodes,
        "encoder",
        [helper.make_tensor_value_info(name, TensorProto.INT32, tokens) for name in ("ids", "types", "mask")],
        [helper.make_tensor_value_info("hidden", TensorProto.FLOAT, [*tokens, WIDTH])],
        [_named(name, shape) for name, shape in weights.items()],
    )  # fmt: skip
    imports = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]
    return helper.make_model(graph, opset_imports=imports, ir_version=8, producer_name="pressmark")


def _named(name: str, shape: tuple[int, ...]) -> onnx.TensorProto:
    """Return a tensor that says where it is to be had: from whoever opens the graph."""
    tensor = onnx.TensorProto(name=name, dims=shape, data_type=TensorProto.FLOAT)
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="given")
    return tensor


if __name__ == "__main__":
    _TARGET.write_bytes(encoder_graph().SerializeToString())
    print(f"{_TARGET}: {_TARGET.stat().st_size} bytes")
