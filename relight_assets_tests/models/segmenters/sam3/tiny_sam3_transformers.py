"""A folder as ``transformers`` keeps SAM3 in, of the same parts but few and narrow, with random weights."""

import shutil
from pathlib import Path
from typing import Any

SIDE = 112


def write_folder(folder: Path, seed: int = 0) -> Path:
    """Save a small network, its processor and a tokenizer that knows letters alone."""
    import torch
    import transformers

    config = transformers.Sam3Config(
        vision_config={
            "backbone_config": {
                "model_type": "sam3_vit_model",
                "hidden_size": 32,
                "intermediate_size": 64,
                "num_hidden_layers": 2,
                "num_attention_heads": 2,
                "image_size": SIDE,
                "pretrain_image_size": SIDE,
                "window_size": 4,
                "global_attn_indexes": [1],
            },
            "fpn_hidden_size": 32,
            "backbone_feature_sizes": [[32, 32], [16, 16], [8, 8]],
        },
        text_config={
            "model_type": "clip_text_model",
            "vocab_size": 600,
            "hidden_size": 32,
            "intermediate_size": 64,
            "projection_dim": 32,
            "num_hidden_layers": 1,
            "num_attention_heads": 2,
            "max_position_embeddings": 32,
        },
        geometry_encoder_config={"num_layers": 1, **_narrow()},
        detr_encoder_config={"num_layers": 1, **_narrow()},
        detr_decoder_config={"num_layers": 1, "num_queries": 12, **_narrow()},
        mask_decoder_config={"hidden_size": 32, "num_attention_heads": 2},
    )
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = transformers.Sam3Model(config)
        for parameter in model.parameters():
            if parameter.ndim > 1:
                torch.nn.init.normal_(parameter, std=0.1)
    model.save_pretrained(folder)
    image_processor = transformers.Sam3ImageProcessor(size={"height": SIDE, "width": SIDE})
    transformers.Sam3Processor(image_processor=image_processor, tokenizer=_tokenizer()).save_pretrained(folder)
    return folder


def write_video_folder(folder: Path, image_folder: Path) -> Path:
    """Save the network of a folder as its authors do: inside the one for video, whose tracker is beside it."""
    import torch
    import transformers

    shutil.copytree(image_folder, folder)
    image_network = transformers.Sam3Model.from_pretrained(image_folder, local_files_only=True)
    config = transformers.Sam3VideoConfig(detector_config=image_network.config.to_dict())
    with torch.random.fork_rng():
        video_network = transformers.Sam3VideoModel(config)
    video_network.detector_model.load_state_dict(image_network.state_dict())
    video_network.save_pretrained(folder)
    return folder


def _narrow() -> dict[str, Any]:
    return {"hidden_size": 32, "intermediate_size": 64, "num_attention_heads": 2}


def _tokenizer() -> Any:
    import transformers

    letters = [chr(code) for code in range(33, 127)]
    words = [*letters, *(f"{letter}</w>" for letter in letters), "<|startoftext|>", "<|endoftext|>"]
    return transformers.CLIPTokenizer(vocab={word: number for number, word in enumerate(words)}, merges=[])
